/** UpSampling1D, 2D and 3D: larger sequences, images and volumes by repetition or interpolation. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat, integer, type DataFormat, type Option } from '../option.js'
import { enlarged, interpolations, repeated, type Interpolation } from '../resizing.js'
import { mapSpatial, sizes, type SpatialRank } from '../spatial.js'
import type { KShape } from '../shape.js'

const interpolation = (doc: string): Option<string, Interpolation> => ({
  doc, fallback: 'nearest', serialize: (v) => v,
  parse: (v) => {
    const found = interpolations.find((i) => i === v)
    if (!found) throw new ValueError('interpolation should be one of "nearest" or "bilinear".')
    return found
  },
})

const enlargedShape = (shape: KShape, factors: readonly number[], format: DataFormat): KShape =>
  mapSpatial(shape, factors.length as SpatialRank, format, (size, i) => size * factors[i]!)

/** `UpSampling1D({ size })`: each step `size` times. */
export const UpSampling1D = defineLayer({
  className: 'UpSampling1D',
  doc: '[B, steps, channels] to [B, steps · size, channels]: each step repeated.',
  positional: [],
  options: { size: integer('how often each step is repeated', 2, 1) },
  acceptsInputDim: false,
  inputSpec: { ndim: 3 },
  build: null,
  call: (layer, [x]) => repeated(x!, 1, layer.size),
  outputShape: (layer, [shape]) => enlargedShape(shape!, [layer.size], 'channels_last'),
})

/** `UpSampling2D({ size, dataFormat, interpolation })`: larger images. */
export const UpSampling2D = defineLayer({
  className: 'UpSampling2D',
  doc: 'Rows and columns repeated, or interpolated between neighbours: pixel i of the result is at i / size of the input, the last pixel goes on.',
  positional: [],
  options: { size: sizes('factor of rows and columns', 2, 2), dataFormat: dataFormat(), interpolation: interpolation('nearest or bilinear') },
  acceptsInputDim: false,
  inputSpec: { ndim: 4 },
  build: null,
  call: (layer, [x]) => enlarged(x!, layer.size, layer.dataFormat, layer.interpolation),
  outputShape: (layer, [shape]) => enlargedShape(shape!, layer.size, layer.dataFormat),
})

/** `UpSampling3D({ size, dataFormat })`: larger volumes. */
export const UpSampling3D = defineLayer({
  className: 'UpSampling3D',
  doc: 'Each element repeated along the three spatial axes.',
  positional: [],
  options: { size: sizes('factors of the three axes', 3, 2), dataFormat: dataFormat() },
  acceptsInputDim: false,
  inputSpec: { ndim: 5 },
  build: null,
  call: (layer, [x]) => enlarged(x!, layer.size, layer.dataFormat, 'nearest'),
  outputShape: (layer, [shape]) => enlargedShape(shape!, layer.size, layer.dataFormat),
})
