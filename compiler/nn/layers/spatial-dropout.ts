/** SpatialDropout1D, 2D and 3D: a Dropout of whole feature maps. */
import { defineLayer, type CallScope } from '../define-layer.js'
import { dataFormat, optionalInteger, optionalShape, rate, unlisted, type DataFormat } from '../option.js'
import type { Node } from '../../ir/graph.js'
import { channelAxis } from '../spatial.js'
import type { KShape } from '../shape.js'
import { dropped } from './core.js'

const sameShape = (_: unknown, [shape]: readonly KShape[]): KShape => shape!

const options = {
  rate: rate('share of feature maps that become 0'),
  noiseShape: optionalShape('has no effect: the mask is one number for each sample and channel. Configurations of Keras hold it.'),
  seed: optionalInteger('chooses the random stream'),
}

type Given = { readonly rate: number; readonly seed: number | null }

/** One decision for each sample and channel. */
function dropMaps(layer: Given, x: Node, format: DataFormat, scope: CallScope): Node {
  if (!scope.training || layer.rate <= 0 || layer.rate >= 1) return x
  const channels = channelAxis(x.type.shape.length, format)
  const maskShape = x.type.shape.map((_, i) => (i === 0 || i === channels ? null : 1))
  return dropped(x, layer.rate, maskShape, scope.nextStream(layer.seed))
}

/** `SpatialDropout1D(rate)`: in training a random share of the channels is 0 at all steps. */
export const SpatialDropout1D = defineLayer({
  className: 'SpatialDropout1D',
  doc: 'In training, whole channels of [B, steps, channels] become 0 and the others are scaled up to keep the mean. Elsewhere the identity.',
  positional: ['rate'],
  options,
  acceptsInputDim: false,
  inputSpec: { ndim: 3 },
  build: null,
  call: (layer, [x], scope) => dropMaps(layer, x!, 'channels_last', scope),
  outputShape: sameShape,
})

const ofImages = (rank: 2 | 3) => defineLayer({
  className: `SpatialDropout${rank}D`,
  doc: 'In training, whole feature maps become 0 and the others are scaled up to keep the mean. Elsewhere the identity.',
  positional: ['rate'],
  options: { ...options, dataFormat: unlisted(dataFormat(), 'channels_last') },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: null,
  call: (layer, [x], scope) => dropMaps(layer, x!, layer.dataFormat, scope),
  outputShape: sameShape,
})

/** `SpatialDropout2D(rate, { dataFormat })`: in training a random share of the feature maps is 0. */
export const SpatialDropout2D = ofImages(2)
/** `SpatialDropout3D(rate, { dataFormat })`: in training a random share of the feature maps is 0. */
export const SpatialDropout3D = ofImages(3)
