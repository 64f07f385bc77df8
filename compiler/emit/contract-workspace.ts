/** How much scratch memory a contraction needs; asked by the planner before anything is printed. */
import type { Dim } from '../ir/dim.js'
import { addDims, multiplyDims } from '../ir/dim.js'

/** Panels are rounded up to at most this many rows or columns; also covers the alignment between the two areas. */
const PANEL_SLACK = 64

/** Bytes of `Frame.workspace`: both operands in panels, an upper bound for every path the kernel can choose. */
export function contractWorkspace(m: Dim, n: Dim, k: Dim): Dim {
  const rowsAndColumns = addDims(addDims(m, n), 2 * PANEL_SLACK)
  return addDims(multiplyDims(multiplyDims(rowsAndColumns, addDims(k, 1)), 4), 256)
}
