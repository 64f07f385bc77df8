/**
 * A product with a single column is computed as its transpose, a single row: then the lanes of the epilogue run along
 * the rows, which lie side by side, instead of along one column.
 *
 *   contract d0 < B, d1 < 1, k < 32   →   contract d1 < 1, d0 < B, k < 32, operands exchanged
 */
import type { Contract, KernelProgram, Stmt } from '../ir/loop.js'
import { accessesIn, strideOf } from './walk.js'

export const turnContract = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(turn) })

function turn(statement: Stmt): Stmt {
  if (statement.kind !== 'contract' || statement.n.extent !== 1 || statement.m.extent === 1 || !rowsAreNeighbours(statement)) return statement
  const { m, n, lhs, rhs } = statement
  return { ...statement, m: n, n: m, lhs: rhs, rhs: lhs }
}

/** What the epilogue touches along the rows is side by side, or the same for all. */
function rowsAreNeighbours({ epilogue, m }: Contract): boolean {
  const { loads, stores } = accessesIn(epilogue)
  return stores.every((index) => strideOf(index, m.name) === 1) && loads.every((l) => [0, 1].some((s) => strideOf(l.index, m.name) === s))
}
