/** Conversions between element types. No copy is made when the array already has the type asked for. */
import type { DType, TypedArray } from './contract/dtype.js'
import { allocate } from './contract/dtype.js'
import { ValueError } from './contract/errors.js'
import type { AnyTypedArray } from './contract/fit-types.js'

/** The element type that stands for a typed array as it is; 64-bit and other integers count as int32. */
export function naturalDtype(data: AnyTypedArray): DType {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray ? 'uint8' : 'int32'
}

const holds: { readonly [K in DType]: (data: AnyTypedArray) => data is TypedArray } = {
  float32: (data): data is Float32Array => data instanceof Float32Array,
  float64: (data): data is Float64Array => data instanceof Float64Array,
  int32: (data): data is Int32Array => data instanceof Int32Array,
  uint8: (data): data is Uint8Array => data instanceof Uint8Array,
  bool: (data): data is Uint8Array => data instanceof Uint8Array && !data.some((v) => v > 1),
}

/** Smallest and largest value of the types that do not hold every number; null for floats. */
const integerRange: { readonly [K in DType]: readonly [number, number] | null } = {
  float32: null, float64: null, int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255], bool: null,
}

/**
 * The elements as `dtype`; the array itself when it has that type. Numbers become bool by comparison with 0.
 * @param context start of the message, such as "Error when checking input: ".
 * @throws ValueError when an integer type is asked for and an element is not an integer in its range.
 */
export function convert(data: AnyTypedArray, dtype: DType, context: string): TypedArray {
  if (holds[dtype](data)) return data
  const result = allocate(dtype, data.length)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) for (let i = 0; i < data.length; i++) result[i] = Number(data[i])
  else if (dtype === 'bool') for (let i = 0; i < data.length; i++) result[i] = data[i] === 0 ? 0 : 1
  else result.set(data)
  const range = integerRange[dtype]
  if (range !== null) checkRange(data, dtype, range, context)
  return result
}

function checkRange(data: AnyTypedArray, dtype: DType, [low, high]: readonly [number, number], context: string): void {
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i])
    if (!(Number.isInteger(value) && value >= low && value <= high)) {
      throw new ValueError(`${context}expected integers of dtype ${dtype}, but got ${value} at element ${i}`)
    }
  }
}
