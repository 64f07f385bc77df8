/** GlobalMaxPooling and GlobalAveragePooling of sequences, images and volumes: one number for each sample and channel. */
import type { Node } from '../../ir/graph.js'
import { max, mean } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat } from '../option.js'
import { channelAxis, spatialAxes, type SpatialRank } from '../spatial.js'

type Reduction = (x: Node, axes: readonly number[]) => Node

const globalPooling = (className: string, what: string, rank: SpatialRank, reduce: Reduction) => defineLayer({
  className,
  doc: `[B, …, channels] or [B, channels, …] to [B, channels]: ${what} over the ${rank === 1 ? 'steps' : `${rank} spatial axes`}.`,
  positional: [],
  options: { dataFormat: dataFormat() },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: null,
  call: (layer, [x]) => reduce(x!, spatialAxes(rank, layer.dataFormat)),
  outputShape: (layer, [shape]) => [shape![0] ?? null, shape![channelAxis(rank + 2, layer.dataFormat)] ?? null],
})

const largest: Reduction = (x, axes) => max(x, axes)
const average: Reduction = (x, axes) => mean(x, axes)

/** `GlobalMaxPooling1D({ dataFormat })`: the largest of all steps. */
export const GlobalMaxPooling1D = globalPooling('GlobalMaxPooling1D', 'the largest', 1, largest)
/** `GlobalMaxPooling2D({ dataFormat })`: the largest of each feature map. */
export const GlobalMaxPooling2D = globalPooling('GlobalMaxPooling2D', 'the largest', 2, largest)
/** `GlobalMaxPooling3D({ dataFormat })`: the largest of each feature volume. */
export const GlobalMaxPooling3D = globalPooling('GlobalMaxPooling3D', 'the largest', 3, largest)
/** `GlobalAveragePooling1D({ dataFormat })`: the mean of all steps. */
export const GlobalAveragePooling1D = globalPooling('GlobalAveragePooling1D', 'the mean', 1, average)
/** `GlobalAveragePooling2D({ dataFormat })`: the mean of each feature map. */
export const GlobalAveragePooling2D = globalPooling('GlobalAveragePooling2D', 'the mean', 2, average)
/** `GlobalAveragePooling3D({ dataFormat })`: the mean of each feature volume. */
export const GlobalAveragePooling3D = globalPooling('GlobalAveragePooling3D', 'the mean', 3, average)
