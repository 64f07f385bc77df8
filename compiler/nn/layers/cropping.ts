/** Cropping1D, 2D and 3D: sequences, images and volumes without their margins. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { subtractDims } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { slice } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat, type DataFormat } from '../option.js'
import { mapSpatial, margin, margins, spatialAxes, type Margin, type SpatialRank } from '../spatial.js'
import type { KShape } from '../shape.js'

/** @throws ValueError when nothing is left along an axis. */
const croppedShape = (shape: KShape, margins: readonly Margin[], format: DataFormat): KShape =>
  mapSpatial(shape, margins.length as SpatialRank, format, (size, i) => {
    const [before, after] = margins[i]!
    if (before + after >= size) throw new ValueError(`Negative dimension size caused by subtracting ${before + after} from ${size}`, null, `expected: a cropping smaller than the size\nfound:    ${before} + ${after} of ${size}`)
    return size - before - after
  })

function cropped(x: Node, margins: readonly Margin[], format: DataFormat): Node {
  const axes = spatialAxes(margins.length as SpatialRank, format)
  const marginOf = (axis: number): Margin => margins[axes.indexOf(axis)] ?? [0, 0]
  const { shape } = x.type
  return slice(x, shape.map((_, axis) => marginOf(axis)[0]), shape.map((d, axis) => subtractDims(d, marginOf(axis)[0] + marginOf(axis)[1])))
}

/** `Cropping1D({ cropping })`: without the first and last steps. */
export const Cropping1D = defineLayer({
  className: 'Cropping1D',
  doc: '[B, steps, channels] to [B, steps - before - after, channels].',
  positional: [],
  options: { cropping: margin('steps cut before and after, or one number for both', 1) },
  acceptsInputDim: false,
  inputSpec: { ndim: 3 },
  build: (layer, [shape]) => { croppedShape(shape!, [layer.cropping], 'channels_last') },
  call: (layer, [x]) => cropped(x!, [layer.cropping], 'channels_last'),
  outputShape: (layer, [shape]) => croppedShape(shape!, [layer.cropping], 'channels_last'),
})

const ofImages = (rank: 2 | 3, fallback: number) => defineLayer({
  className: `Cropping${rank}D`,
  doc: 'The input without its margins along each spatial axis.',
  positional: [],
  options: { cropping: margins('what is cut before and after along each axis, as [[before, after], …], [both, …] or one number', rank, fallback), dataFormat: dataFormat() },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer, [shape]) => { croppedShape(shape!, layer.cropping, layer.dataFormat) },
  call: (layer, [x]) => cropped(x!, layer.cropping, layer.dataFormat),
  outputShape: (layer, [shape]) => croppedShape(shape!, layer.cropping, layer.dataFormat),
})

/** `Cropping2D({ cropping, dataFormat })`: images without their margins; by default nothing is cut. */
export const Cropping2D = ofImages(2, 0)
/** `Cropping3D({ cropping, dataFormat })`: volumes without their margins. */
export const Cropping3D = ofImages(3, 1)
