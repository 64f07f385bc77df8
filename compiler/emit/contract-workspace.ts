/** How much scratch memory a contraction needs; asked by the planner before anything is printed. */
import type { Dim } from '../ir/dim.js'
import { addDims, multiplyDims } from '../ir/dim.js'

/** Floats of filling per step of the sum: a ragged edge is rounded up to a vector, and its panel to at most 64 columns. */
const EDGE = 80

/** Which operands are prologue holes, and so need a place of their own. */
export type ComputedOperands = { readonly lhs: boolean; readonly rhs: boolean }

/** Bytes of `Frame.workspace`: an upper bound over every path the kernel can choose at run time. */
export function contractWorkspace(m: Dim, n: Dim, k: Dim, computed: ComputedOperands): Dim {
  const columns = addDims(addDims(multiplyDims(n, computed.rhs ? 2 : 1), multiplyDims(m, computed.lhs ? 2 : 1)), EDGE)
  return addDims(multiplyDims(multiplyDims(columns, addDims(k, 31)), 4), 64)
}
