/** Weights as the arrays `getWeights` returns. */
import type { DType, TypedArray } from '../../runtime/contract/dtype.js'
import type { ArrayResult } from '../../runtime/contract/fit-types.js'
import { ValueError } from '../../runtime/contract/errors.js'
import { captureLocation } from '../support/capture.js'
import { tupleText } from './python-text.js'
import { toWeightValue, type Weight, type WeightInput } from './weight.js'

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

/** The data of `values`, one per weight. @throws ValueError in Keras' words for the first of another shape. */
export function checkWeightShapes(weights: readonly Weight[], values: readonly WeightInput[]): TypedArray[] {
  return weights.map((w, i) => {
    const { data, shape } = toWeightValue(values[i]!)
    if (tupleText(shape) !== tupleText(w.shape)) {
      throw new ValueError(`Layer weight shape ${tupleText(w.shape)} not compatible with provided weight shape ${tupleText(shape)}`, captureLocation())
    }
    return data
  })
}
