/** UpSampling1D, 2D and 3D: larger sequences, images and volumes by repetition or interpolation. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { multiplyDims, subtractDims } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { add, broadcastTo, div, expandDims, iota, mul, pad, reshape, slice, sub } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { dataFormat, integer, type DataFormat, type Option } from '../option.js'
import { mapSpatial, sizes, spatialAxes, type SpatialRank } from '../spatial.js'
import type { KShape } from '../shape.js'

const interpolations = ['nearest', 'bilinear'] as const
type Interpolation = (typeof interpolations)[number]

const interpolation = (doc: string): Option<string, Interpolation> => ({
  doc, fallback: 'nearest', serialize: (v) => v,
  parse: (v) => {
    const found = interpolations.find((i) => i === v)
    if (!found) throw new ValueError('interpolation should be one of "nearest" or "bilinear".')
    return found
  },
})

/** Merges axis `axis + 1` into `axis`. */
function mergeAxis(x: Node, axis: number): Node {
  const { shape } = x.type
  return reshape(x, [...shape.slice(0, axis), multiplyDims(shape[axis]!, shape[axis + 1]!), ...shape.slice(axis + 2)])
}

/** Every element along `axis` `factor` times in a row. */
function repeated(x: Node, axis: number, factor: number): Node {
  const { shape } = x.type
  return mergeAxis(broadcastTo(expandDims(x, axis + 1), [...shape.slice(0, axis + 1), factor, ...shape.slice(axis + 1)]), axis)
}

/** What the next element along `axis` has more than each; 0 for the last, which is followed by itself. */
function stepsAlong(x: Node, axis: number): Node {
  const { shape } = x.type
  const pairs = shape.map((d, i) => (i === axis ? subtractDims(d, 1) : d))
  const at = (i: number): number[] => shape.map((_, k) => (k === axis ? i : 0))
  return pad(sub(slice(x, at(1), pairs), slice(x, at(0), pairs)), at(0), at(1))
}

/** `factor` steps from each element along `axis` towards the next one: position i of the result is i / factor of the input. */
function interpolated(x: Node, axis: number, factor: number): Node {
  if (factor === 1) return x
  const others = x.type.shape.slice(axis + 1).map(() => 1)
  const share = reshape(div(iota([factor], 0, 'float32'), factor), [factor, ...others])
  return mergeAxis(add(expandDims(x, axis + 1), mul(expandDims(stepsAlong(x, axis), axis + 1), share)), axis)
}

function enlarged(x: Node, factors: readonly number[], format: DataFormat, kind: Interpolation): Node {
  const along = kind === 'nearest' ? repeated : interpolated
  return spatialAxes(factors.length as SpatialRank, format).reduce((at, axis, i) => along(at, axis, factors[i]!), x)
}

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
