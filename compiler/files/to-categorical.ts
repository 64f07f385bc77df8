/** `keras.utils.to_categorical`. */
import { KccError, ValueError } from '../../runtime/contract/errors.js'
import { allocate } from '../../runtime/contract/dtype.js'
import type { DType } from '../../runtime/contract/dtype.js'
import type { AnyTypedArray, NestedArray, ShapedArray } from '../../runtime/contract/fit-types.js'
import type { FileArray } from './file-array.js'

/** A position outside an array. */
export class IndexError extends KccError {}

export type Labels = AnyTypedArray | NestedArray | ShapedArray

/**
 * One-hot rows of `labels`: shape (…, numClasses). A last dimension of size 1 is dropped first. Negative labels count
 * from the end, as numpy's indices do. `numClasses` defaults to the largest label + 1.
 * @throws IndexError for a label outside the classes
 */
export function toCategorical(labels: Labels, numClasses: number | null = null, dtype: DType = 'float32'): FileArray {
  const { values, shape } = flatten(labels)
  const classes = numClasses ?? values.reduce((most, label) => Math.max(most, label), -1) + 1
  const data = allocate(dtype, values.length * classes)
  values.forEach((label, row) => { data[row * classes + column(label, classes)] = 1 })
  const rows = shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape
  return { dtype, shape: [...rows, classes], data }
}

function column(label: number, classes: number): number {
  const at = label < 0 ? label + classes : label
  if (!(at >= 0 && at < classes)) throw new IndexError(`index ${label} is out of bounds for axis 1 with size ${classes}`)
  return at
}

/** Labels as integers (fractions are cut off, as numpy does) with their shape. */
function flatten(labels: Labels): { values: number[]; shape: readonly number[] } {
  if (ArrayBuffer.isView(labels)) return { values: Array.from(labels as ArrayLike<number | bigint>, truncated), shape: [labels.length] }
  if ('data' in labels) return { values: Array.from(labels.data as ArrayLike<number | bigint>, truncated), shape: labels.shape }
  const shape: number[] = []
  for (let level: unknown = labels; Array.isArray(level); level = level[0]) shape.push(level.length)
  const values = (labels as readonly unknown[]).flat(Infinity).map(truncated)
  if (values.length !== shape.reduce((p, n) => p * n, 1)) throw new ValueError('the nested lists of labels are not of equal length')
  return { values, shape }
}

function truncated(label: unknown): number {
  const value = Math.trunc(Number(label))
  if (Number.isNaN(value)) throw new ValueError(`a label must be a number, found ${String(label)}`)
  return value
}
