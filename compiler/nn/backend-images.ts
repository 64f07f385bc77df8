/** K functions of sequences, images and volumes: padding, resizing, convolutions, pooling. */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import * as b from '../ops/build.js'
import * as conv from '../ops/convolution.js'
import { made } from './backend-call.js'
import type { DataFormat } from './option.js'
import { enlarged, interpolations } from './resizing.js'
import { withChannelsLast } from './sliding.js'
import { channelAxis, normalizeTuple, spatialAxes, type Margin, type SpatialRank } from './spatial.js'
import type { KTensor, TensorLike } from './tensor.js'

type Tuple = number | readonly number[]

/** snake_case and camelCase; null is channels_last. @throws ValueError in Keras' words. */
function formatOf(value: string | null | undefined): DataFormat {
  const wanted = (value ?? 'channels_last').replace(/[A-Z]/, (c) => `_${c.toLowerCase()}`)
  if (wanted === 'channels_last' || wanted === 'channels_first') return wanted
  throw new ValueError(`Unknown data_format: ${String(value)}`)
}

function paddedBy(x: Node, axes: readonly number[], margins: readonly Margin[]): Node {
  const along = (side: 0 | 1): number[] => x.type.shape.map((_, axis) => margins[axes.indexOf(axis)]?.[side] ?? 0)
  return b.pad(x, along(0), along(1))
}

/** Zero steps before and after: [B, steps, …]. */
export const temporalPadding = (x: TensorLike, padding: Margin = [1, 1]): KTensor => made(() => paddedBy(x.node, [1], [padding]))

const spatialPadding = (rank: 2 | 3) => (x: TensorLike, padding: readonly Margin[] = Array.from({ length: rank }, () => [1, 1] as const), dataFormat: string | null = null): KTensor =>
  made(() => paddedBy(x.node, spatialAxes(rank, formatOf(dataFormat)), padding))

/** Zeros around images, before and after along both axes. */
export const spatial2dPadding = spatialPadding(2)
/** Zeros around volumes, before and after along all three axes. */
export const spatial3dPadding = spatialPadding(3)

/** Images with `heightFactor` times the rows and `widthFactor` times the columns, `nearest` or `bilinear`. */
export const resizeImages = (x: TensorLike, heightFactor: number, widthFactor: number, dataFormat: string | null = null, interpolation = 'nearest'): KTensor => made(() => {
  const kind = interpolations.find((i) => i === interpolation)
  if (!kind) throw new ValueError('interpolation should be one of "nearest" or "bilinear".')
  return enlarged(x.node, [heightFactor, widthFactor], formatOf(dataFormat), kind)
})
/** Volumes with every element repeated along the three axes. */
export const resizeVolumes = (x: TensorLike, depthFactor: number, heightFactor: number, widthFactor: number, dataFormat: string | null = null): KTensor =>
  made(() => enlarged(x.node, [depthFactor, heightFactor, widthFactor], formatOf(dataFormat), 'nearest'))

export type ConvolutionOptions = { readonly strides?: Tuple; readonly padding?: 'valid' | 'same' | 'causal'; readonly dataFormat?: string | null; readonly dilationRate?: Tuple }

const slidingOf = (sizes: readonly number[], rank: SpatialRank, { strides = 1, padding = 'valid', dilationRate = 1 }: ConvolutionOptions): conv.Sliding =>
  ({ sizes, strides: normalizeTuple(strides, rank, 'strides', 1), dilations: normalizeTuple(dilationRate, rank, 'dilation_rate', 1), padding })

/** Leading sizes of a kernel, which must be numbers. */
function kernelSizes(kernel: Node, rank: SpatialRank): number[] {
  return kernel.type.shape.slice(0, rank).map((d) => {
    if (typeof d !== 'number') throw new ArgumentTypeError('A convolution takes a kernel whose sizes are known.')
    return d
  })
}

type Kernels = readonly Node[]
const convolved = (rank: SpatialRank, body: (x: Node, kernels: Kernels, sliding: conv.Sliding) => Node) => (x: TensorLike, kernels: Kernels, options: ConvolutionOptions): KTensor =>
  made(() => withChannelsLast(x.node, rank, formatOf(options.dataFormat), (last) => body(last, kernels, slidingOf(kernelSizes(kernels[0]!, rank), rank, options))))

const plain = (rank: SpatialRank) => (x: TensorLike, kernel: TensorLike, options: ConvolutionOptions = {}): KTensor =>
  convolved(rank, (last, [k], sliding) => conv.convolution(last, k!, sliding))(x, [kernel.node], options)
const separable = (rank: SpatialRank) => (x: TensorLike, depthwise: TensorLike, pointwise: TensorLike, options: ConvolutionOptions = {}): KTensor =>
  convolved(rank, (last, [d, p], sliding) => conv.separableConvolution(last, d!, p!, sliding))(x, [depthwise.node, pointwise.node], options)

/** Convolution of sequences with a kernel [size, channels, filters]. */
export const conv1d = plain(1)
/** Convolution of images with a kernel [rows, columns, channels, filters]. */
export const conv2d = plain(2)
/** Convolution of volumes with a kernel [depth, rows, columns, channels, filters]. */
export const conv3d = plain(3)
/** Depthwise, then pointwise convolution of sequences. */
export const separableConv1d = separable(1)
/** Depthwise, then pointwise convolution of images. */
export const separableConv2d = separable(2)
/** Each channel convolved by itself with a kernel [rows, columns, channels, multiplier]. */
export const depthwiseConv2d = (x: TensorLike, kernel: TensorLike, options: ConvolutionOptions = {}): KTensor =>
  convolved(2, (last, [k], sliding) => conv.depthwiseConvolution(last, k!, sliding))(x, [kernel.node], options)

const local = (rank: 1 | 2) => (x: TensorLike, kernel: TensorLike, kernelSize: Tuple, strides: Tuple, dataFormat: string | null = null): KTensor => made(() => {
  const format = formatOf(dataFormat), sliding = slidingOf(normalizeTuple(kernelSize, rank, 'kernel_size', 1), rank, { strides })
  return withChannelsLast(x.node, rank, format, (last) => conv.locallyConnected(last, kernel.node, sliding, format === 'channels_first'))
})
/** A kernel of its own for each step: [steps of the result, size · channels, filters]. */
export const localConv1d = local(1)
/** A kernel of its own for each pixel: [pixels of the result, rows · columns · channels, filters]. */
export const localConv2d = local(2)

export type PoolOptions = { readonly strides?: Tuple; readonly padding?: 'valid' | 'same'; readonly dataFormat?: string | null; readonly poolMode?: 'max' | 'avg' }

const pool = (rank: SpatialRank) => (x: TensorLike, poolSize: Tuple, { strides = 1, padding = 'valid', dataFormat = null, poolMode = 'max' }: PoolOptions = {}): KTensor => made(() => {
  const kinds = { max: conv.maxPooling, avg: conv.averagePooling }
  if (!Object.hasOwn(kinds, poolMode)) throw new ValueError(`Invalid pooling mode: ${String(poolMode)}`)
  const sliding = slidingOf(normalizeTuple(poolSize, rank, 'pool_size', 1), rank, { strides, padding })
  return withChannelsLast(x.node, rank, formatOf(dataFormat), (last) => kinds[poolMode](last, sliding))
})
/** The largest or the mean of each window of an image. */
export const pool2d = pool(2)
/** The largest or the mean of each window of a volume. */
export const pool3d = pool(3)

/** x plus a bias for each channel, or of all axes but the batch. */
export const biasAdd = (x: TensorLike, bias: TensorLike, dataFormat: string | null = null): KTensor => made(() => {
  const { shape } = x.node.type, own = bias.node.type.shape, format = formatOf(dataFormat)
  if (own.length !== 1 && own.length !== shape.length - 1) throw new ValueError(`Unexpected bias dimensions ${own.length}, expect to be 1 or ${shape.length - 1} dimensions`)
  if (own.length > 1) return b.add(x.node, b.expandDims(format === 'channels_last' ? bias.node : b.transpose(bias.node, [own.length - 1, ...own.slice(1).map((_, i) => i)]), 0))
  return b.add(x.node, b.reshape(bias.node, shape.map((_, i) => (i === channelAxis(shape.length, format) ? own[0]! : 1))))
})
