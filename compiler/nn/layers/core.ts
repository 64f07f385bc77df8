/** Activation, Dropout, Flatten and Reshape. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { sizeOf } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { broadcastTo, cast, greaterEqual, mul, randomUniform, reshape, transpose } from '../../ops/build.js'
import { applyActivation } from '../activations.js'
import { defineLayer } from '../define-layer.js'
import { activation, dataFormat, integers, optionalInteger, optionalShape, rate } from '../option.js'
import { tupleText } from '../python-text.js'
import { sizeOfKShape, type KShape } from '../shape.js'

/** `Activation('relu')`: an activation function of the input, by name or as a function. */
export const Activation = defineLayer({
  className: 'Activation',
  doc: 'An activation function of the input.',
  positional: ['activation'],
  options: { activation: activation('name or function') },
  acceptsInputDim: false,
  inputSpec: null,
  build: null,
  call: (layer, [x]) => applyActivation(layer.activation, x!),
  outputShape: (_, [shape]) => shape!,
})

/** Zeroes elements where a uniform number is below `share` and scales the others by 1 / (1 - share). `noiseShape` null: all sizes as in `x`. */
export function dropped(x: Node, share: number, noiseShape: KShape | null, stream: number): Node {
  const shape = x.type.shape.map((d, i) => noiseShape?.[i] ?? d)
  const kept = mul(cast(greaterEqual(randomUniform(shape, stream), share), x.type.dtype), 1 / (1 - share))
  return mul(x, broadcastTo(kept, x.type.shape))
}

/** `Dropout(rate)`: in training a random share of the elements becomes 0, the others are scaled up; elsewhere the identity. */
export const Dropout = defineLayer({
  className: 'Dropout',
  doc: 'In training, a random share of the elements becomes 0 and the others are scaled up to keep the mean. Elsewhere the identity.',
  positional: ['rate'],
  options: {
    rate: rate('share of elements that become 0'),
    noiseShape: optionalShape('shape of the mask, broadcast over the input; null for the size of the input'),
    seed: optionalInteger('chooses the random stream'),
  },
  acceptsInputDim: false,
  inputSpec: null,
  build: null,
  call: (layer, [x], scope) =>
    scope.training && layer.rate > 0 && layer.rate < 1 ? dropped(x!, layer.rate, layer.noiseShape, scope.nextStream(layer.seed)) : x!,
  outputShape: (_, [shape]) => shape!,
})

/** @throws ValueError in Keras' words when a size besides the batch is not known. */
function flattenedSize(shape: KShape): number {
  const size = sizeOfKShape(shape.slice(1))
  if (size !== null && size !== 0) return size
  throw new ValueError(`The shape of the input to "Flatten" is not fully defined (got ${tupleText(shape.slice(1))}). Make sure to pass a complete "input_shape" or "batch_input_shape" argument to the first layer in your model.`)
}

/** `Flatten()`: all axes but the batch become one. */
export const Flatten = defineLayer({
  className: 'Flatten',
  doc: '[B, ...] to [B, product of the others]; channels first are moved last before.',
  positional: [],
  options: { dataFormat: dataFormat() },
  acceptsInputDim: false,
  inputSpec: { minNdim: 3 },
  build: (_, [shape]) => { flattenedSize(shape!) },
  call: (layer, [x]) => {
    const { shape } = x!.type
    const spatial = shape.slice(2).map((_, i) => i + 2)
    const ordered = layer.dataFormat === 'channels_first' ? transpose(x!, [0, ...spatial, 1]) : x!
    return reshape(ordered, [shape[0]!, sizeOf(shape.slice(1))])
  },
  outputShape: (_, [shape]) => [shape![0] ?? null, flattenedSize(shape!)],
})

/** `target` with its -1 replaced. @throws ValueError in Keras' words when the sizes do not fit. */
function resolvedTarget(input: KShape, target: readonly number[]): KShape {
  const size = sizeOfKShape(input)
  const known = target.filter((d) => d >= 0).reduce((a, b) => a * b, 1)
  const open = target.filter((d) => d < 0).length
  if (open > 1) throw new ValueError('Can only specify one unknown dimension.')
  if (size === null) return target.map((d) => (d < 0 ? null : d))
  if (open === 1 ? known === 0 || size % known !== 0 : size !== known) {
    const wanted = open === 1 ? `a multiple of ${known} elements` : `${known} elements`
    throw new ValueError('total size of new array must be unchanged', null,
      `expected: ${wanted}, to fill the target shape ${tupleText(target)}\nfound:    ${size} elements, of the shape ${tupleText(input)}`)
  }
  return target.map((d) => (d < 0 ? size / known : d))
}

/** `Reshape([3, 4])`: the same elements under another shape, given without the batch; one size may be -1. */
export const Reshape = defineLayer({
  className: 'Reshape',
  doc: '[B, ...] to [B, targetShape] with the same elements; one size may be -1.',
  positional: ['targetShape'],
  options: { targetShape: integers('sizes without the batch') },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, [shape]) => { resolvedTarget(shape!.slice(1), layer.targetShape) },
  call: (layer, [x]) => {
    const [batch] = x!.type.shape
    return reshape(x!, [batch!, ...layer.targetShape.map((d) => Math.max(d, -1))])
  },
  outputShape: (layer, [shape]) => [shape![0] ?? null, ...resolvedTarget(shape!.slice(1), layer.targetShape)],
})
