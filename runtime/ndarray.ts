/**
 * A dense row-major array on the heap of JavaScript. `NDArray` never copies what it is given: two arrays may be views
 * of one buffer, as numpy's are.
 */
import type { DType, TypedArray } from './contract/dtype.js'
import { allocate } from './contract/dtype.js'
import { ValueError } from './contract/errors.js'
import type { AnyTypedArray, ArrayLike, ArrayResult, NestedArray, ShapedArray } from './contract/fit-types.js'
import { pythonTuple } from './python-text.js'
import { arrayRepr } from './array-repr.js'
import { convert, naturalDtype } from './convert.js'

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

/** A dense row-major array: `data` with its `shape` and `dtype`. What `predict` gives, and one form of data it takes. */
export class NDArray implements ArrayResult {
  readonly data: TypedArray
  readonly shape: readonly number[]
  readonly dtype: DType

  /** @throws ValueError when `shape` does not hold exactly the elements of `data`. */
  constructor(data: TypedArray, shape: readonly number[], dtype: DType = naturalDtype(data)) {
    if (sizeOf(shape) !== data.length) throw new ValueError(`cannot view an array of size ${data.length} as shape ${pythonTuple(shape)}`)
    this.data = data
    this.shape = shape
    this.dtype = dtype
  }

  static zeros(shape: readonly number[], dtype: DType = 'float32'): NDArray {
    return new NDArray(allocate(dtype, sizeOf(shape)), shape, dtype)
  }

  /** From nested lists, a typed array (of rank 1) or data with a shape. Nested numbers become float32 unless `dtype` says otherwise. */
  static from(value: ArrayLike, dtype?: DType): NDArray {
    if (isTypedArray(value)) return fromTyped(value, [value.length], dtype ?? naturalDtype(value))
    if (isShaped(value)) return fromTyped(value.data, value.shape, dtype ?? value.dtype ?? naturalDtype(value.data))
    if (!Array.isArray(value)) throw new ValueError(`expected an array of numbers, found ${describe(value)}`)
    return fromNested(value, dtype ?? 'float32')
  }

  get rank(): number { return this.shape.length }
  get size(): number { return this.data.length }
  /** Elements of one sample: the product of all dimensions but the first. */
  get rowSize(): number { return sizeOf(this.shape.slice(1)) }

  /** The samples `[begin, end)` as a view. */
  rows(begin: number, end: number): NDArray {
    const width = this.rowSize
    return new NDArray(this.data.subarray(begin * width, end * width), [end - begin, ...this.shape.slice(1)], this.dtype)
  }

  /** The same elements under another shape, as a view. */
  reshape(shape: readonly number[]): NDArray { return new NDArray(this.data, shape, this.dtype) }

  /** The element at a position. @throws ValueError outside the array. */
  at(...index: readonly number[]): number {
    const inside = index.length === this.rank && index.every((i, k) => Number.isInteger(i) && i >= 0 && i < this.shape[k]!)
    if (!inside) throw new ValueError(`index ${pythonTuple(index)} is out of bounds for an array of shape ${pythonTuple(this.shape)}`)
    return this.data[index.reduce((offset, i, k) => offset * this.shape[k]! + i, 0)]!
  }

  /** Nested lists, booleans for dtype bool; a number for rank 0. */
  toNested(): NestedArray | number | boolean {
    const leaf = (i: number): number | boolean => (this.dtype === 'bool' ? this.data[i] !== 0 : this.data[i]!)
    const build = (axis: number, offset: number): NestedArray | number | boolean => {
      if (axis === this.rank) return leaf(offset)
      const step = sizeOf(this.shape.slice(axis + 1))
      return Array.from({ length: this.shape[axis]! }, (_, i) => build(axis + 1, offset + i * step))
    }
    return build(0, 0)
  }

  /** As numpy's `repr` writes it, large arrays shortened. */
  toString(): string { return arrayRepr(this.data, this.shape, this.dtype) }
}

export function isTypedArray(value: unknown): value is AnyTypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

export function isShaped(value: unknown): value is ShapedArray {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { data, shape } = value as { data?: unknown; shape?: unknown }
  return isTypedArray(data) && Array.isArray(shape)
}

/** Whether a value is one array rather than a list or a dict of arrays. */
export const isArrayLike = (value: unknown): value is ArrayLike =>
  isTypedArray(value) || isShaped(value) || (Array.isArray(value) && !value.some((v) => isTypedArray(v) || isShaped(v)))

export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  return typeof value === 'object' ? `an object of class ${value.constructor?.name ?? 'Object'}` : `${typeof value} ${String(value)}`
}

function fromTyped(data: AnyTypedArray, shape: readonly number[], dtype: DType): NDArray {
  if (!shape.every((d) => Number.isInteger(d) && d >= 0)) throw new ValueError(`not a shape: ${pythonTuple(shape)}`)
  return new NDArray(convert(data, dtype, ''), shape, dtype)
}

/** Shape by the first element of each level; every other element must agree. */
export function nestedShape(value: NestedArray): number[] {
  const shape: number[] = []
  let level: unknown = value
  while (Array.isArray(level)) { shape.push(level.length); level = level[0] }
  return shape
}

function fromNested(value: NestedArray, dtype: DType): NDArray {
  const shape = nestedShape(value)
  const flat = new Float64Array(sizeOf(shape))
  let next = 0
  const fill = (level: unknown, axis: number): void => {
    if (axis === shape.length) { flat[next++] = leafNumber(level); return }
    if (!Array.isArray(level) || level.length !== shape[axis]) {
      throw new ValueError(`the nested lists are not of equal length: expected ${shape[axis]} elements at depth ${axis}, found ${Array.isArray(level) ? level.length : describe(level)}`)
    }
    for (const item of level) fill(item, axis + 1)
  }
  fill(value, 0)
  return new NDArray(convert(flat, dtype, ''), shape, dtype)
}

function leafNumber(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return Number(value)
  throw new ValueError(`expected a number, found ${Array.isArray(value) ? 'a list (the nested lists are not of equal depth)' : describe(value)}`)
}
