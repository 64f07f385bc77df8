/** How much scratch memory a contraction needs; asked by the planner before anything is printed. */
import type { Dim } from '../ir/dim.js'
import { addDims, dimText, isStatic, multiplyDims } from '../ir/dim.js'
import { productsOfSquare, type Squares } from '../ir/loop.js'

/** Floats of filling per step of the sum: a ragged edge is rounded up to a vector, and its panel to at most 64 columns. */
const EDGE = 80

/** From this length on a sum is made part by part, with both operands copied in parts (`gemm-blocks.h`). */
const LONG = 2048
/** A sum over a symbol is expected to be long when the symbol counts at least this often. */
const LONG_TIMES = 16

/** Parts of long sums that are added in a fixed order, and the floats their results may take. */
const MOST_SPLITS = 16, SPLIT_FLOATS = 1 << 20

/** `totals`: whether the columns of the right operand are summed too, which is one more row. */
export type Sizes = { readonly m: Dim; readonly n: Dim; readonly k: Dim; readonly totals: boolean; readonly squares: Squares | null }

/** Which operands are prologue holes. */
export type ComputedOperands = { readonly lhs: boolean; readonly rhs: boolean }

export const isLongSum = (k: Dim): boolean =>
  isStatic(k) ? k >= LONG : k.terms.some((t) => t.coefficient >= LONG_TIMES || t.factors.length > 1)

/** Floats for the results of the parts of a long sum, 0 when it is not to be split. */
export function splitRoom({ m, n, k, totals, squares }: Sizes): number {
  if (squares?.along === 'rows') return gradientRoom(squares, n)
  if (!isLongSum(k) || !isStatic(m) || !isStatic(n)) return 0
  const result = (m + (totals ? 1 : 0)) * (Math.ceil(n / 16) * 16)
  const splits = Math.min(MOST_SPLITS, Math.floor(SPLIT_FLOATS / Math.max(result, 1)))
  return splits < 2 ? 0 : splits * result
}

/** Floats of transformed filters, for columns that are filled up to whole vectors. */
const filterRoom = ({ n, squares }: Sizes): Dim => (squares?.along === 'columns' ? multiplyDims(addDims(n, 15), productsOfSquare(squares) * squares.channels) : 0)

/** Floats of their gradients, and sums of the columns, in as many ranges as may be; one at least. */
function gradientRoom(squares: Squares, n: Dim): number {
  if (!isStatic(n)) throw new RangeError(`squares have a known number of columns, found ${dimText(n)}`)
  const result = (productsOfSquare(squares) * squares.channels + 1) * (Math.ceil(n / 16) * 16)
  return Math.max(1, Math.min(MOST_SPLITS, Math.floor(SPLIT_FLOATS / result))) * result
}

/** Bytes of `Frame.workspace`: an upper bound over every path the kernel can choose at run time. */
export function contractWorkspace(sizes: Sizes, computed: ComputedOperands): Dim {
  const { m, n, k } = sizes
  // Copies of the right operand's panels, the right operand itself when it is computed, and the left one turned.
  const columns = addDims(addDims(multiplyDims(n, computed.rhs ? 2 : 1), computed.lhs ? 0 : m), EDGE)
  const copies = isLongSum(k) ? 0 : multiplyDims(columns, addDims(k, 31))
  return addDims(multiplyDims(addDims(addDims(copies, splitRoom(sizes)), filterRoom(sizes)), 4), 64)
}
