/**
 * A product with a single column is computed as its transpose, a single row: then the lanes of the epilogue run along
 * the rows, which lie side by side, instead of along one column.
 *
 *   contract d0 < B; d1 < 1; k0 < 32   →   contract d1 < 1; d0 < B; k0 < 32, operands exchanged
 */
import type { Axis, KernelProgram, Stmt } from '../ir/loop.js'
import { accessesIn, strideOf } from './walk.js'

export const turnContract = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(turn) })

function turn(statement: Stmt): Stmt {
  if (statement.kind !== 'contract') return statement
  const { m, n, lhs, rhs } = statement, [row] = m, [column] = n
  if (statement.together.length > 0 || statement.totals || column!.extent !== 1 || m.length > 1 || n.length > 1 || row!.extent === 1 || !areNeighbours(statement.epilogue, row!)) return statement
  return { ...statement, m: n, n: m, lhs: rhs, rhs: lhs }
}

/** What is touched along the axis is side by side, or the same for all; what is stored is side by side. */
export function areNeighbours(statements: readonly Stmt[], row: Axis): boolean {
  const { loads, stores } = accessesIn(statements)
  return stores.every((index) => strideOf(index, row.name) === 1) && loads.every((l) => [0, 1].some((s) => strideOf(l.index, row.name) === s))
}
