/** Walking over concrete tensors in plain evaluations. */

/** Distance, in elements, between neighbours along each axis of a row-major tensor. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!
  return strides
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1)

/** For each element of a tensor of `shape` in row-major order: `offset` plus its index weighted by `strides`. */
export function positions(shape: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  let found = Int32Array.of(offset)
  for (const [axis, size] of shape.entries()) {
    const next = new Int32Array(found.length * size)
    for (let i = 0; i < found.length; i++) for (let k = 0; k < size; k++) next[i * size + k] = found[i]! + k * strides[axis]!
    found = next
  }
  return found
}

/** The elements of `data` at `at`. */
export function gather(data: Float64Array, at: Int32Array): Float64Array {
  const out = new Float64Array(at.length)
  for (let i = 0; i < at.length; i++) out[i] = data[at[i]!]!
  return out
}
