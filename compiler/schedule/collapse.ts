/**
 * Merges neighbouring loops whose every index runs through both as through one, and drops loops of one iteration.
 *
 *   for d0 < B { for d1 < 64 { out[64*d0 + d1] = … } }   →   for d1 < 64*B { out[d1] = … }
 *
 * The same for the rows, the columns and the sum of a contraction; rows that are finished together stay apart from the others.
 */
import { multiplyDims } from '../ir/dim.js'
import { substituteIndex, constIndex } from '../ir/expr.js'
import { finishedRows, type Axis, type Contract, type Index, type KernelProgram, type Stmt } from '../ir/loop.js'
import { joinAxes, runsThrough } from './join-axes.js'
import { everyIndex, indicesOf, mapExprIndices, mapIndices } from './walk.js'

export const collapse = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(collapseStatement) })

function collapseStatement(statement: Stmt): Stmt {
  if (statement.kind === 'contract') return collapseContract(statement)
  if (statement.kind !== 'for') return statement
  const body = statement.body.map(collapseStatement)
  const [inner] = body
  if (body.length !== 1 || inner?.kind !== 'for') return { ...statement, body }
  if (inner.axis.extent === 1) return { ...statement, body: withoutAxis(inner.body, inner.axis) }
  if (statement.axis.extent === 1) return { ...inner, body: withoutAxis(inner.body, statement.axis) }
  return mergeable(statement.axis, inner.axis, inner.body) ? merge(statement.axis, inner) : { ...statement, body }
}

const withoutAxis = (body: readonly Stmt[], axis: Axis): Stmt[] =>
  mapIndices(body, (index) => substituteIndex(index, (name) => (name === axis.name ? constIndex(0) : undefined)))

const mergeable = (outer: Axis, inner: Axis, body: readonly Stmt[]): boolean => everyIndex(body).every((index) => runsThrough(index, outer, inner))

function merge(outer: Axis, inner: Stmt & { kind: 'for' }): Stmt {
  const dropOuter = (index: Index): Index => ({ ...index, terms: index.terms.filter((t) => t.axis !== outer.name) })
  const axis = { name: inner.axis.name, extent: multiplyDims(outer.extent, inner.axis.extent) }
  return { ...inner, axis, body: mapIndices(inner.body, dropOuter) }
}

function collapseContract(statement: Contract): Contract {
  const { lhs, rhs, epilogue, totals } = statement
  const [left, right, end] = [indicesOf(lhs), indicesOf(rhs), everyIndex([...epilogue, ...(totals?.epilogue ?? [])])]
  const m = joinAxes(finishedRows(statement), [...left, ...end]), n = joinAxes(statement.n, [...right, ...end]), k = joinAxes(statement.k, [...left, ...right])
  const without = (index: Index): Index => k.without(n.without(m.without(index)))
  return {
    ...statement, m: [...m.axes, ...statement.together], n: n.axes, k: k.axes,
    lhs: mapExprIndices(lhs, without), rhs: mapExprIndices(rhs, without), epilogue: mapIndices(epilogue, without), totals: totals && { ...totals, epilogue: mapIndices(totals.epilogue, without) },
  }
}
