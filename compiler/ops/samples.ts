/** Types for the samples and rejects of op records. */
import type { ElementType } from '../ir/element-type.js'
import type { Shape } from '../ir/dim.js'
import type { TensorType } from '../ir/graph.js'
import { boundarySizes, type Reject, type Sample } from './define-op.js'

const ofDType = (dtype: ElementType) => (...shape: Shape): TensorType => ({ dtype, shape })
export const f32 = ofDType('float32')
export const i32 = ofDType('int32')
export const bool = ofDType('bool')
export const u8 = ofDType('uint8')

/** Vectors of all boundary sizes and two matrices, of `count` operands each. */
export function elementwiseSamples(count: number, type: (...shape: Shape) => TensorType, options: Omit<Sample, 'inputs'> = {}): Sample[] {
  const shapes: Shape[] = [[], ...boundarySizes.map((n) => [n]), [3, 17], [2, 0]]
  return shapes.map((shape) => ({ ...options, inputs: Array.from({ length: count }, () => type(...shape)) }))
}

/** What every op on `count` operands of one type refuses. */
export function elementwiseRejects(count: number, good: (...shape: Shape) => TensorType, bad: TensorType): Reject[] {
  const fill = (t: TensorType): TensorType[] => Array.from({ length: count }, () => t)
  const common: Reject[] = [
    { inputs: fill(good(3)).slice(1), message: /expected \d+ inputs?, found/ },
    { inputs: fill(bad), message: /expected dtype .*found/ },
  ]
  if (count === 1) return common
  return [
    ...common,
    { inputs: [good(3), ...fill(good(4)).slice(1)], message: /expected operands of one shape, found .*\[3\] and .*\[4\]/ },
  ]
}
