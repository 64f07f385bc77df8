/** Weights as the arrays `getWeights` returns. */
import type { DType, TypedArray } from '../../runtime/contract/dtype.js'
import type { ArrayResult } from '../../runtime/contract/fit-types.js'
import type { Weight } from './weight.js'

/** A copy: changing it does not change the weight. */
export function weightResult(weight: Weight): ArrayResult {
  const data = weight.read().slice()
  return arrayResult(data, weight.shape, weight.dtype)
}

export const arrayResult = (data: TypedArray, shape: readonly number[], dtype: DType): ArrayResult => ({
  data, shape, dtype, toNested: () => nested(data, shape, 0),
})

function nested(data: TypedArray, shape: readonly number[], offset: number): unknown {
  const [size, ...rest] = shape
  if (size === undefined) return data[offset]
  const stride = rest.reduce((a, b) => a * b, 1)
  return Array.from({ length: size }, (_, i) => nested(data, rest, offset + i * stride))
}
