/** ZeroPadding1D, 2D and 3D: zeros around sequences, images and volumes. */
import type { Node } from '../../ir/graph.js'
import { pad } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat, type DataFormat } from '../option.js'
import { mapSpatial, margin, margins, spatialAxes, type Margin, type SpatialRank } from '../spatial.js'
import type { KShape } from '../shape.js'

function padded(x: Node, margins: readonly Margin[], format: DataFormat): Node {
  const axes = spatialAxes(margins.length as SpatialRank, format)
  const along = (side: 0 | 1): number[] => x.type.shape.map((_, axis) => margins[axes.indexOf(axis)]?.[side] ?? 0)
  return pad(x, along(0), along(1))
}

const paddedShape = (shape: KShape, margins: readonly Margin[], format: DataFormat): KShape =>
  mapSpatial(shape, margins.length as SpatialRank, format, (size, i) => size + margins[i]![0] + margins[i]![1])

/** `ZeroPadding1D({ padding })`: zero steps before and after. */
export const ZeroPadding1D = defineLayer({
  className: 'ZeroPadding1D',
  doc: '[B, steps, channels] to [B, steps + before + after, channels].',
  positional: [],
  options: { padding: margin('steps before and after, or one number for both', 1) },
  acceptsInputDim: false,
  inputSpec: { ndim: 3 },
  build: null,
  call: (layer, [x]) => padded(x!, [layer.padding], 'channels_last'),
  outputShape: (layer, [shape]) => paddedShape(shape!, [layer.padding], 'channels_last'),
})

const ofImages = (rank: 2 | 3) => defineLayer({
  className: `ZeroPadding${rank}D`,
  doc: 'Zeros before and after along each spatial axis.',
  positional: [],
  options: { padding: margins('zeros before and after along each axis, as [[before, after], …], [both, …] or one number', rank, 1), dataFormat: dataFormat() },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: null,
  call: (layer, [x]) => padded(x!, layer.padding, layer.dataFormat),
  outputShape: (layer, [shape]) => paddedShape(shape!, layer.padding, layer.dataFormat),
})

/** `ZeroPadding2D({ padding, dataFormat })`: rows and columns of zeros around images. */
export const ZeroPadding2D = ofImages(2)
/** `ZeroPadding3D({ padding, dataFormat })`: zeros around volumes. */
export const ZeroPadding3D = ofImages(3)
