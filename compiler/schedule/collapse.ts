/**
 * Merges neighbouring loops whose every index runs through both as through one, and drops loops of one iteration.
 *
 *   for d0 < B { for d1 < 64 { out[64*d0 + d1] = … } }   →   for d1 < 64*B { out[d1] = … }
 */
import { equalDims, multiplyDims } from '../ir/dim.js'
import { substituteIndex, constIndex } from '../ir/expr.js'
import type { Axis, Index, KernelProgram, Stmt } from '../ir/loop.js'
import { accessesIn, mapIndices, strideOf } from './walk.js'

export const collapse = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(collapseStatement) })

function collapseStatement(statement: Stmt): Stmt {
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

function mergeable(outer: Axis, inner: Axis, body: readonly Stmt[]): boolean {
  const { loads, lookups, stores, others } = accessesIn(body)
  return [...[...loads, ...lookups].map((l) => l.index), ...stores, ...others].every((index) =>
    equalDims(strideOf(index, outer.name), multiplyDims(strideOf(index, inner.name), inner.extent)))
}

function merge(outer: Axis, inner: Stmt & { kind: 'for' }): Stmt {
  const dropOuter = (index: Index): Index => ({ ...index, terms: index.terms.filter((t) => t.axis !== outer.name) })
  const axis = { name: inner.axis.name, extent: multiplyDims(outer.extent, inner.axis.extent) }
  return { ...inner, axis, body: mapIndices(inner.body, dropOuter) }
}
