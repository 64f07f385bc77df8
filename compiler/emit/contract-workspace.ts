/** How much scratch memory a contraction needs; asked by the planner before anything is printed. */
import type { Dim } from '../ir/dim.js'
import { addDims, isStatic, multiplyDims } from '../ir/dim.js'

/** Floats of filling per step of the sum: a ragged edge is rounded up to a vector, and its panel to at most 64 columns. */
const EDGE = 80

/** From this length on a sum is made part by part, with both operands copied in parts (`gemm-blocks.h`). */
const LONG = 2048
/** A sum over a symbol is expected to be long when the symbol counts at least this often. */
const LONG_TIMES = 16

/** Parts of long sums that are added in a fixed order, and the floats their results may take. */
const MOST_SPLITS = 16, SPLIT_FLOATS = 1 << 20

/** `totals`: whether the columns of the right operand are summed too, which is one more row. */
export type Sizes = { readonly m: Dim; readonly n: Dim; readonly k: Dim; readonly totals: boolean }

/** Which operands are prologue holes. */
export type ComputedOperands = { readonly lhs: boolean; readonly rhs: boolean }

export const isLongSum = (k: Dim): boolean =>
  isStatic(k) ? k >= LONG : k.terms.some((t) => t.coefficient >= LONG_TIMES || t.factors.length > 1)

/** Floats for the results of the parts of a long sum, 0 when it is not to be split. */
export function splitRoom({ m, n, k, totals }: Sizes): number {
  if (!isLongSum(k) || !isStatic(m) || !isStatic(n)) return 0
  const result = (m + (totals ? 1 : 0)) * (Math.ceil(n / 16) * 16)
  const splits = Math.min(MOST_SPLITS, Math.floor(SPLIT_FLOATS / Math.max(result, 1)))
  return splits < 2 ? 0 : splits * result
}

/** Bytes of `Frame.workspace`: an upper bound over every path the kernel can choose at run time. */
export function contractWorkspace(sizes: Sizes, computed: ComputedOperands): Dim {
  const { m, n, k } = sizes
  // Copies of the right operand's panels, the right operand itself when it is computed, and the left one turned.
  const columns = addDims(addDims(multiplyDims(n, computed.rhs ? 2 : 1), computed.lhs ? 0 : m), EDGE)
  const copies = isLongSum(k) ? 0 : multiplyDims(columns, addDims(k, 31))
  return addDims(multiplyDims(addDims(copies, splitRoom(sizes)), 4), 64)
}
