/** Seeded values for tests, and their comparison. */
import type { DType } from '../../runtime/contract/dtype.js'
import { evaluateShape, type DimEnv } from '../../compiler/ir/dim.js'
import { dataType } from '../../compiler/ir/element-type.js'
import type { TensorType } from '../../compiler/ir/graph.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { elementCount } from '../../compiler/ops/strides.js'

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Distance that floats keep from whole numbers, where elementwise ops have their kinks. */
const kinkDistance = 0.01

function drawFloat(random: () => number, low: number, high: number): number {
  for (;;) {
    const x = Math.fround(low + (high - low) * random())
    if (Math.abs(x - Math.round(x)) >= kinkDistance) return x
  }
}

function draw(dtype: DType, random: () => number, [low, high]: readonly [number, number]): number {
  switch (dtype) {
    case 'float32': case 'float64': return drawFloat(random, low, high)
    case 'int32': return Math.floor(low + (high - low) * random())
    case 'uint8': return Math.floor(Math.max(low, 0) + (high - Math.max(low, 0)) * random())
    case 'bool': return Number(random() < 0.5)
  }
}

/** A tensor of values that float32 holds exactly, away from kinks. */
export function randomTensor(type: TensorType, random: () => number, range: readonly [number, number] = [-2, 2], dims: DimEnv = {}): Tensor {
  const shape = evaluateShape(type.shape, dims)
  return { shape, data: Float64Array.from({ length: elementCount(shape) }, () => draw(dataType(type.dtype), random, range)) }
}

/**
 * The largest difference in units of the last float32 place, measured at the size of the largest expected element (at least
 * 1), because sums cancel. NaN matches NaN, an infinity itself; Infinity when a finite value should be another kind.
 */
export function errorInUlp(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let scale = 1, worst = 0
  for (let i = 0; i < expected.length; i++) if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]!))
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue
    const difference = Math.abs(actual[i]! - expected[i]!)
    worst = Math.max(worst, Number.isFinite(difference) ? difference / (scale * 2 ** -23) : Infinity)
  }
  return worst
}
