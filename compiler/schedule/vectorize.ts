/**
 * Chooses the loops that run several elements at once.
 *
 * An innermost loop is a vector loop when it stores neighbours to neighbours. A reduction over the last axis combines
 * along that axis; one that keeps the last axis lets the kept loop be the vector and combines lane by lane.
 */
import type { Axis, KernelProgram, Stmt } from '../ir/loop.js'
import { accessesIn, strideOf } from './walk.js'

export const vectorize = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(vectorizeStatement) })

function vectorizeStatement(statement: Stmt): Stmt {
  if (statement.kind === 'reduce') return vectorizeReduction(statement)
  if (statement.kind !== 'for') return statement
  if (lanesFit(statement)) return { ...statement, mode: 'vector' }
  return { ...statement, body: statement.body.map(vectorizeStatement) }
}

/** Lanes may hold neighbours of `axis`: everything stored along it is stored side by side. */
function lanesFit(statement: Stmt & { kind: 'for' }): boolean {
  const { body, axis } = statement
  if (body.some((s) => s.kind === 'for' || s.kind === 'contract')) return false
  const { loads, lookups, stores } = accessesIn(body)
  const sideBySide = stores.length > 0 && stores.every((index) => strideOf(index, axis.name) === 1)
  // Lanes walk through a list together.
  if (body.some((s) => s.kind === 'follow' && strideOf(s.row, axis.name) !== 0)) return false
  const combines = body.filter((s) => s.kind === 'reduce' || s.kind === 'argmax' || s.kind === 'follow')
  if (combines.length === 0) return sideBySide
  const alongAxis = [...loads, ...lookups].map((l) => strideOf(l.index, axis.name)).filter((stride) => stride !== 0)
  return sideBySide && alongAxis.length > 0 && alongAxis.every((stride) => stride === 1)
}

function vectorizeReduction(statement: Stmt & { kind: 'reduce' }): Stmt {
  const last = statement.axes.at(-1)
  if (!last || !neighboursAlong(statement, last)) return statement
  return { ...statement, modes: statement.modes.map((mode, i) => (i === statement.axes.length - 1 ? 'vector' : mode)) }
}

function neighboursAlong(statement: Stmt & { kind: 'reduce' }, axis: Axis): boolean {
  const { loads, stores } = accessesIn([statement])
  return loads.every((l) => strideOf(l.index, axis.name) === 1 || strideOf(l.index, axis.name) === 0) && stores.every((index) => strideOf(index, axis.name) === 1)
}
