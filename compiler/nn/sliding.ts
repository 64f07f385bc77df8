/** What layers with sliding windows share: their options, output sizes and checks, in Keras' words. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import { add, transpose } from '../ops/build.js'
import type { Padding, Sliding } from '../ops/convolution.js'
import { windowReach } from '../ops/type-rules.js'
import { applyActivation, type Activation } from './activations.js'
import type { DefinedWeights } from './define-layer.js'
import type { DataFormat, Option } from './option.js'
import { reprText, tupleText } from './python-text.js'
import type { KShape } from './shape.js'
import { channelAxis, mapSpatial, normalizeTuple, spatialAxes, type SpatialRank } from './spatial.js'

/** Options as they were written. */
type Given = Readonly<Record<string, unknown>>
type Dependent<In, Out> = Omit<Option<In, Out>, 'parse'> & { readonly parse: (value: In, name: string, given?: Given) => Out }
type TupleInput = number | readonly number[]

/** A whole number for each spatial axis, or one for all; required. */
export const windowSizes = (doc: string, rank: SpatialRank): Option<TupleInput, readonly number[]> => ({
  doc, serialize: (v) => v, parse: (v, name) => normalizeTuple(v, rank, name, 1),
})

/** Strides of pooling windows: null for windows side by side. */
export const poolStrides = (rank: SpatialRank): Dependent<TupleInput | null, readonly number[]> => ({
  doc: 'how far from window to window; null for the size of the windows', fallback: null, serialize: (v) => v,
  parse: (v, name, given = {}) => normalizeTuple(v ?? given['poolSize'] ?? 2, rank, name, 1),
})

/** Extra elements after each axis, or null. */
export const outputPadding = (rank: SpatialRank): Dependent<TupleInput | null, readonly number[] | null> => ({
  doc: 'elements added to each axis of the result; null for the usual size', fallback: null, serialize: (v) => v,
  parse: (v, name, given = {}) => {
    if (v === null) return null
    const extra = normalizeTuple(v, rank, name, 0), strides = normalizeTuple(given['strides'] ?? 1, rank, 'strides', 1)
    if (extra.some((n, i) => n >= strides[i]!)) throw new ValueError(`Stride ${tupleText(strides)} must be greater than output padding ${tupleText(extra)}`)
    return extra
  },
})

const paddings: readonly Padding[] = ['valid', 'same', 'causal']

function paddingNamed(value: unknown): Padding {
  const found = paddings.find((p) => typeof value === 'string' && p === value.toLowerCase())
  if (!found) throw new ValueError(`The \`padding\` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: ${typeof value === 'string' ? value : reprText(value)}`)
  return found
}

/** `valid` or `same`. */
export const padding = (): Option<string, Padding> => ({
  doc: 'valid: windows inside the input only; same: zeros around it, so that the strides alone decide the size of the result', fallback: 'valid', serialize: (v) => v,
  parse: (v) => {
    const found = paddingNamed(v)
    if (found === 'causal') throw new ValueError('Causal padding is currently only supported for `Conv1D`.')
    return found
  },
})

/** `valid`, `same` or `causal`, for sequences with channels last. */
export const causalPadding = (): Dependent<string, Padding> => ({
  ...padding(), doc: `${padding().doc}; causal: zeros before it, so that no step depends on later ones`,
  parse: (v, _, given = {}) => {
    const found = paddingNamed(v), format = given['dataFormat']
    if (found === 'causal' && (format === 'channels_first' || format === 'channelsFirst')) throw new ValueError('When using causal padding in `Conv1D`, `data_format` must be "channels_last" (temporal data).')
    return found
  },
})

/** What the layers here have as properties. */
export type Convolutional = {
  readonly kernelSize: readonly number[]
  readonly strides: readonly number[]
  readonly dilationRate?: readonly number[]
  readonly padding: Padding
  readonly dataFormat: DataFormat
}

export const slidingOf = ({ kernelSize, strides, dilationRate, padding: kind }: Convolutional): Sliding =>
  ({ sizes: kernelSize, strides, dilations: dilationRate ?? kernelSize.map(() => 1), padding: kind })

/** Number of windows along an axis of `length`. @throws ValueError when a window is larger than the axis. */
function windowsAlong(length: number, i: number, { sizes, strides, dilations, padding: kind }: Sliding): number {
  const reach = windowReach(sizes[i]!, dilations[i]!), inside = kind === 'valid' ? length - reach + 1 : length
  if (inside <= 0) {
    throw new ValueError(`Negative dimension size caused by subtracting ${reach} from ${length}`, null,
      `expected: windows of at most ${length}, the size of spatial axis ${i + 1}\nfound:    windows that reach over ${reach}`)
  }
  return Math.ceil(inside / strides[i]!)
}

/** `shape` with the number of windows along each spatial axis, and other channels if given. */
export function slidShape(shape: KShape, sliding: Sliding, format: DataFormat, channels?: number): KShape {
  const slid = mapSpatial(shape, sliding.sizes.length as SpatialRank, format, (size, i) => windowsAlong(size, i, sliding))
  const at = channelAxis(shape.length, format)
  return channels === undefined ? slid : slid.map((d, axis) => (axis === at ? channels : d))
}

/** Number of channels of the input. @throws ValueError when it is not known. */
export function knownChannels(shape: KShape, format: DataFormat, of = 'the inputs'): number {
  const channels = shape[channelAxis(shape.length, format)] ?? null
  if (channels === null) throw new ValueError(`The channel dimension of ${of} should be defined. Found \`None\`.`)
  return channels
}

/** The demand on inputs once the number of channels is known. */
export const channelSpec = (shape: KShape, format: DataFormat) =>
  ({ ndim: shape.length, axes: { [format === 'channels_last' ? -1 : 1]: knownChannels(shape, format) } })

/** @throws ValueError for what TensorFlow refuses: strides and dilation together, and windows larger than the input. */
export function checkSliding(shape: KShape, sliding: Sliding, format: DataFormat): void {
  checkDilation(sliding)
  slidShape(shape, sliding, format)
}

/** @throws ValueError for strides and dilation together. */
export function checkDilation({ strides, dilations }: Sliding): void {
  if (strides.some((s) => s > 1) && dilations.some((d) => d > 1)) {
    throw new ValueError(`\`strides > 1\` not supported in conjunction with \`dilation_rate > 1\`. Received: strides=[${strides.join(' ')}] and dilation_rate=[${dilations.join(' ')}]`)
  }
}

/** `body` of `x` with its channels last, and the result in the format of the input. */
export function withChannelsLast(x: Node, rank: SpatialRank, format: DataFormat, body: (x: Node) => Node): Node {
  if (format === 'channels_last') return body(x)
  const spatial = spatialAxes(rank, 'channels_last')
  return transpose(body(transpose(x, [0, ...spatial.map((axis) => axis + 1), 1])), [0, rank + 1, ...spatial])
}

/** A layer's result: with its bias, and its activation, which like Keras' sees the channels where the data format has them. */
export function finished(layer: DefinedWeights & Convolutional & { readonly activation: Activation }, x: Node, body: (x: Node) => Node): Node {
  const bias = layer.weightNamed('bias')
  const linear = withChannelsLast(x, layer.kernelSize.length as SpatialRank, layer.dataFormat, (last) => (bias ? add(body(last), bias.node) : body(last)))
  return applyActivation(layer.activation, linear)
}
