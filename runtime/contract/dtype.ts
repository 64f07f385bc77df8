/** Element types a compiled model can hold. `bool` is one byte per element, 0 or 1. */
export type DType = 'float32' | 'int32' | 'bool' | 'uint8' | 'float64'

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

/** Bytes of one element. */
export const itemSize: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, float64: 8 }

/** A zeroed array of `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32': return new Float32Array(length)
    case 'float64': return new Float64Array(length)
    case 'int32': return new Int32Array(length)
    case 'bool':
    case 'uint8': return new Uint8Array(length)
  }
}
