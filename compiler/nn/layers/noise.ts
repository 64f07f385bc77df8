/** Noise in training, the identity elsewhere: GaussianNoise, GaussianDropout, AlphaDropout. */
import type { Node } from '../../ir/graph.js'
import { add, broadcastTo, cast, greaterEqual, mul, randomUniform, sub } from '../../ops/build.js'
import { randomNormal } from '../../ops/compositions.js'
import { defineLayer } from '../define-layer.js'
import { number, optionalInteger, optionalShape, unlisted } from '../option.js'
import type { KShape } from '../shape.js'

const sameShape = (_: unknown, [shape]: readonly KShape[]): KShape => shape!
const isShare = (rate: number): boolean => rate > 0 && rate < 1

/** `GaussianNoise(stddev)`: in training normal numbers are added. */
export const GaussianNoise = defineLayer({
  className: 'GaussianNoise',
  doc: 'In training, x plus normal numbers of mean 0. Elsewhere the identity.',
  positional: ['stddev'],
  options: { stddev: number('standard deviation of the noise') },
  acceptsInputDim: false,
  inputSpec: null,
  build: null,
  call: (layer, [x], scope) =>
    scope.training ? add(x!, mul(randomNormal(x!.type.shape, scope.nextStream(null)), layer.stddev)) : x!,
  outputShape: sameShape,
})

/** `GaussianDropout(rate)`: in training multiplied by normal numbers of mean 1 and the variance that `Dropout(rate)` has. */
export const GaussianDropout = defineLayer({
  className: 'GaussianDropout',
  doc: 'In training, x times normal numbers of mean 1 and variance rate / (1 - rate). Elsewhere the identity.',
  positional: ['rate'],
  options: { rate: number('share of elements that a Dropout of the same variance would drop') },
  acceptsInputDim: false,
  inputSpec: null,
  build: null,
  call: (layer, [x], scope) => {
    if (!scope.training || !isShare(layer.rate)) return x!
    const noise = mul(randomNormal(x!.type.shape, scope.nextStream(null)), Math.sqrt(layer.rate / (1 - layer.rate)))
    return mul(x!, add(noise, 1))
  },
  outputShape: sameShape,
})

/** What selu tends to for very negative x. */
const SELU_LIMIT = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946

/** A random share of the elements becomes selu's limit; then all are scaled and shifted so that mean 0 and variance 1 stay. */
function alphaDropped(x: Node, rate: number, noiseShape: KShape | null, stream: number): Node {
  const shape = x.type.shape.map((d, i) => noiseShape?.[i] ?? d)
  const kept = broadcastTo(cast(greaterEqual(randomUniform(shape, stream), rate), x.type.dtype), x.type.shape)
  const scale = ((1 - rate) * (1 + rate * SELU_LIMIT ** 2)) ** -0.5
  const mixed = add(mul(x, kept), mul(sub(1, kept), SELU_LIMIT))
  return add(mul(mixed, scale), -scale * SELU_LIMIT * rate)
}

/** `AlphaDropout(rate)`: a Dropout for self-normalising networks, which keeps mean and variance. */
export const AlphaDropout = defineLayer({
  className: 'AlphaDropout',
  doc: 'In training, a random share of the elements becomes the limit of selu, and all are adjusted to keep mean 0 and variance 1. Elsewhere the identity.',
  positional: ['rate'],
  options: {
    rate: number('share of elements that are dropped'),
    noiseShape: unlisted(optionalShape('shape of the mask, broadcast over the input; null for the size of the input'), null),
    seed: unlisted(optionalInteger('chooses the random stream'), null),
  },
  acceptsInputDim: false,
  inputSpec: null,
  build: null,
  call: (layer, [x], scope) =>
    scope.training && isShare(layer.rate) ? alphaDropped(x!, layer.rate, layer.noiseShape, scope.nextStream(layer.seed)) : x!,
  outputShape: sameShape,
})
