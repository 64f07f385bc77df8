/** MaxPooling and AveragePooling 1D, 2D and 3D: one number for each window and channel. */
import type { Node } from '../../ir/graph.js'
import { averagePooling, maxPooling, type Padding, type Sliding } from '../../ops/convolution.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat, type DataFormat } from '../option.js'
import { checkSliding, padding, poolStrides, slidingOf, slidShape, withChannelsLast } from '../sliding.js'
import { sizes, type SpatialRank } from '../spatial.js'

type Pool = (x: Node, sliding: Sliding) => Node
type Pooling = { readonly poolSize: readonly number[]; readonly strides: readonly number[]; readonly padding: Padding; readonly dataFormat: DataFormat }

const poolSlidingOf = (layer: Pooling): Sliding => slidingOf({ kernelSize: layer.poolSize, strides: layer.strides, padding: layer.padding, dataFormat: layer.dataFormat })

/** What all pooling layers have besides their options, which Keras writes in two orders. */
const pooled = (rank: SpatialRank, what: string, pool: Pool) => ({
  doc: `[B, …, channels] or [B, channels, …]: ${what} of each window of ${rank === 1 ? 'steps' : `${rank} spatial axes`}, channel by channel.`,
  positional: [],
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer: Pooling, [shape]: readonly (readonly (number | null)[])[]): void => { checkSliding(shape!, poolSlidingOf(layer), layer.dataFormat) },
  call: (layer: Pooling, [x]: readonly Node[]): Node => withChannelsLast(x!, rank, layer.dataFormat, (last) => pool(last, poolSlidingOf(layer))),
  outputShape: (layer: Pooling, [shape]: readonly (readonly (number | null)[])[]) => slidShape(shape!, poolSlidingOf(layer), layer.dataFormat),
} as const)

const poolSize = (rank: SpatialRank) => sizes('size of the windows', rank, 2)

const overSteps = (className: string, what: string, pool: Pool) => defineLayer({
  className,
  ...pooled(1, what, pool),
  options: { strides: poolStrides(1), poolSize: poolSize(1), padding: padding(), dataFormat: dataFormat() },
})
const overSpace = (className: string, rank: 2 | 3, what: string, pool: Pool) => defineLayer({
  className,
  ...pooled(rank, what, pool),
  options: { poolSize: poolSize(rank), padding: padding(), strides: poolStrides(rank), dataFormat: dataFormat() },
})

/** `MaxPooling1D({ poolSize, strides, padding, dataFormat })`: the largest of each window of steps. */
export const MaxPooling1D = overSteps('MaxPooling1D', 'the largest element', maxPooling)
/** `MaxPooling2D({ poolSize, strides, padding, dataFormat })`: the largest of each window of an image. */
export const MaxPooling2D = overSpace('MaxPooling2D', 2, 'the largest element', maxPooling)
/** `MaxPooling3D({ poolSize, strides, padding, dataFormat })`: the largest of each window of a volume. */
export const MaxPooling3D = overSpace('MaxPooling3D', 3, 'the largest element', maxPooling)
/** `AveragePooling1D({ poolSize, strides, padding, dataFormat })`: the mean of each window of steps. */
export const AveragePooling1D = overSteps('AveragePooling1D', 'the mean', averagePooling)
/** `AveragePooling2D({ poolSize, strides, padding, dataFormat })`: the mean of each window of an image. */
export const AveragePooling2D = overSpace('AveragePooling2D', 2, 'the mean', averagePooling)
/** `AveragePooling3D({ poolSize, strides, padding, dataFormat })`: the mean of each window of a volume. */
export const AveragePooling3D = overSpace('AveragePooling3D', 3, 'the mean', averagePooling)
