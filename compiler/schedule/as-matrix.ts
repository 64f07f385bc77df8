/** Operands and results of contractions as matrices in memory. */
import type { Dim } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import type { Axis, Expr } from '../ir/loop.js'
import { joinAxes } from './join-axes.js'
import { indicesOf, mapExprIndices, strideOf, type Load } from './walk.js'

/** An operand over rows and columns of its own: axes that it runs through as one are joined, whatever others do. */
export type Site = { readonly value: Expr; readonly rows: readonly Axis[]; readonly columns: readonly Axis[] }

export function siteOf(value: Expr, rows: readonly Axis[], columns: readonly Axis[]): Site {
  const uses = indicesOf(value)
  const [row, column] = [joinAxes(rows, uses), joinAxes(columns, uses)]
  return { value: mapExprIndices(value, (index) => column.without(row.without(index))), rows: row.axes, columns: column.axes }
}

/** The same of what an operand is rounded from, where it is. */
export const roundedFrom = (site: Site): Site | null => (site.value.kind === 'cast' && site.value.dtype !== 'float32' && site.value.arg.dtype === 'float32' ? { ...site, value: site.value.arg } : null)

export type Matrix = { readonly load: Load; readonly rowStride: Dim; readonly columnStride: Dim }

/** What is loaded as a matrix by rows or by columns, by the strides of its index; null where it is none. */
export function matrixOf({ value, rows, columns }: Site): Matrix | null {
  const [row, column] = [rows[0]!, columns[0]!]
  if (rows.length > 1 || columns.length > 1 || value.kind !== 'load') return null
  const [rowStride, columnStride] = [row, column].map((axis) => strideOf(value.index, axis.name)) as [Dim | null, Dim | null]
  const fixed = axesOfIndex(value.index).every((axis) => axis === row.name || axis === column.name)
  return fixed && rowStride !== null && columnStride !== null && (rowStride === 1 || columnStride === 1) ? { load: value, rowStride, columnStride } : null
}
