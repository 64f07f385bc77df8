/**
 * Arrays as files hold them (numpy and HDF5), brought to the element types a compiled model knows.
 * Integers of other widths become int32 when every value fits; float16 and complex numbers are refused.
 */
import type { DType, TypedArray } from '../../runtime/contract/dtype.js'
import { FileFormatError } from '../../runtime/contract/errors.js'

/** C order, dense. `data.length` is the product of `shape`. */
export type FileArray = { readonly dtype: DType; readonly shape: readonly number[]; readonly data: TypedArray }

/** Element types of files: numpy's letters, without the byte order. */
export type StoredType = 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'u8' | 'b1'

export type StoredValues = TypedArray | Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array

const constructors = {
  f4: Float32Array, f8: Float64Array, i1: Int8Array, i2: Int16Array, i4: Int32Array, i8: BigInt64Array,
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, u8: BigUint64Array, b1: Uint8Array,
} as const

export const isStoredType = (text: string): text is StoredType => Object.hasOwn(constructors, text)

/** Bytes of one element in the file. */
export const storedSize = (type: StoredType): number => constructors[type].BYTES_PER_ELEMENT

/** Number of elements of a shape; the caller has checked that the sizes are whole numbers. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** The elements in little-endian `bytes` (exactly `count` of them), copied, so that alignment does not matter. */
export function decodeElements(type: StoredType, bytes: Uint8Array): StoredValues {
  const copy = bytes.slice()
  return new constructors[type](copy.buffer, 0, copy.byteLength / storedSize(type))
}

/** Single elements as an array of the stored type. */
export function storedValues(type: StoredType, values: readonly (number | bigint)[]): StoredValues {
  if (type === 'i8' || type === 'u8') return new constructors[type](values.map(BigInt))
  return new constructors[type](values.map(Number))
}

/** What the file stores, as the nearest element type of a model. @throws FileFormatError for an integer outside int32. */
export function toModelType(type: StoredType, values: StoredValues, what: string): { dtype: DType; data: TypedArray } {
  switch (type) {
    case 'f4': return { dtype: 'float32', data: values as Float32Array }
    case 'f8': return { dtype: 'float64', data: values as Float64Array }
    case 'i4': return { dtype: 'int32', data: values as Int32Array }
    case 'u1': return { dtype: 'uint8', data: values as Uint8Array }
    case 'b1': return { dtype: 'bool', data: values as Uint8Array }
    case 'i1': case 'i2': case 'u2': case 'u4': case 'i8': case 'u8': return { dtype: 'int32', data: toInt32(values, what) }
  }
}

function toInt32(values: StoredValues, what: string): Int32Array {
  const narrow = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    narrow[i] = Number(value)
    if (narrow[i] !== Number(value)) throw new FileFormatError(`${what}: the integer ${value} at position ${i} does not fit into int32`)
  }
  return narrow
}

/** How a model's element type is written; integers can be asked for as int64, which is what Python writes by default. */
export function storedTypeOf(dtype: DType): StoredType {
  switch (dtype) {
    case 'float32': return 'f4'
    case 'float64': return 'f8'
    case 'int32': return 'i4'
    case 'uint8': return 'u1'
    case 'bool': return 'b1'
  }
}

/** The elements' bytes in C order, little endian (the byte order of every machine kcc runs on). */
export const bytesOf = (data: TypedArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
