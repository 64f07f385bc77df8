/**
 * Convolutions and pooling of any number of spatial axes, as compositions over sliding windows: [B, ...spatial, C]
 * throughout. Kernels are laid out as in Keras.
 */
import { atLeastZero } from '../ir/dim-bounds.js'
import { addDims, ceilDivideDims, dimText, equalDims, floorDivideDims, isStatic, multiplyDims, subtractDims, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import { padAxis } from './pad-axis.js'
import { windowReach } from './type-rules.js'

export type Padding = 'valid' | 'same' | 'causal'

/** How windows lie along the spatial axes; one entry for each. */
export type Sliding = {
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padding: Padding
}

type Along = { readonly size: number; readonly stride: number; readonly dilation: number }
type Margin = readonly [before: Dim, after: Dim]

const spatialShape = (x: Node, rank: number): Shape => x.type.shape.slice(1, rank + 1)
const alongAxis = ({ sizes, strides, dilations }: Sliding, i: number): Along => ({ size: sizes[i]!, stride: strides[i]!, dilation: dilations[i]! })
const spatial = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i + 1)

/**
 * Elements added before and after an axis of `length`, as TensorFlow does: with `same`, enough for ceil(length / stride)
 * windows, the odd one after; with `causal`, none that lie ahead.
 */
function marginOf(length: Dim, { size, stride, dilation }: Along, padding: Padding): Margin {
  const reach = windowReach(size, dilation)
  switch (padding) {
    case 'valid': return [0, 0]
    case 'causal': return [reach - 1, 0]
    case 'same': return halves(atLeastZero(subtractDims(samePadded(length, stride, reach), length)))
  }
}

const halves = (total: Dim): Margin => {
  const before = floorDivideDims(total, 2)
  return [before, subtractDims(total, before)]
}

/** What ceil(length / stride) windows cover: all elements and what `same` adds, or fewer elements where windows leave gaps. */
const samePadded = (length: Dim, stride: number, reach: number): Dim =>
  addDims(multiplyDims(subtractDims(ceilDivideDims(length, stride), 1), stride), reach)

/** All windows of `x`: [B, ...windows, ...within, C]. What is added around holds `fill`. */
function slide(x: Node, sliding: Sliding, fill: number): Node {
  const { sizes, strides, dilations, padding } = sliding
  const padded = sizes.reduce((at, _, i) => padAlong(at, i + 1, alongAxis(sliding, i), padding, fill), x)
  return b.windows(padded, { axes: spatial(sizes.length), sizes, strides, dilations })
}

/** Of an axis whose size is not known, gaps after the last window are left out, so that windows are counted alike everywhere. */
function padAlong(x: Node, axis: number, along: Along, padding: Padding, fill: number): Node {
  const length = x.type.shape[axis]!
  const padded = padAxis(x, axis, ...marginOf(length, along, padding), fill)
  if (padding !== 'same' || isStatic(length)) return padded
  const covered = samePadded(length, along.stride, windowReach(along.size, along.dilation)), { shape } = padded.type
  return equalDims(shape[axis]!, covered) ? padded : b.slice(padded, shape.map(() => 0), shape.map((d, i) => (i === axis ? covered : d)))
}

/** [B, ...windows] of what `slide` gives. */
const outside = (windowed: Node, rank: number): Shape => windowed.type.shape.slice(0, rank + 1)

/** Convolution with a kernel [...sizes, C, F]: the product of all windows with the kernel, which reads `x` in place. */
export function convolution(x: Node, kernel: Node, sliding: Sliding): Node {
  return b.matmul(slide(x, sliding, 0), kernel, { inner: sliding.sizes.length + 1 })
}

/** Each channel by itself, with `kernel` [...sizes, C, M]: channel c gives channels c * M to c * M + M - 1. */
export function depthwiseConvolution(x: Node, kernel: Node, sliding: Sliding): Node {
  const rank = sliding.sizes.length
  const windowed = slide(x, sliding, 0), positions = outside(windowed, rank)
  const [channels, multiplier] = kernel.type.shape.slice(-2) as [Dim, Dim]
  const result = [...positions, multiplyDims(channels, multiplier)]
  const within = spatial(rank).map((axis) => axis + rank)
  if (multiplier === 1) return b.sum(b.mul(windowed, b.reshape(kernel, kernel.type.shape.slice(0, -1))), within)
  return b.reshape(b.sum(b.mul(b.expandDims(windowed, -1), kernel), within), result)
}

/** Depthwise, then a product over the channels with `pointwise` [...1, C * M, F]. */
export function separableConvolution(x: Node, depthwise: Node, pointwise: Node, sliding: Sliding): Node {
  const ones = sliding.sizes.map(() => 1)
  return convolution(depthwiseConvolution(x, depthwise, sliding), pointwise, { sizes: ones, strides: ones, dilations: ones, padding: 'valid' })
}

/**
 * Transposed convolution with a kernel [...sizes, F, C]: what `convolution` of a result of `lengths` would give back to
 * its input. Each element of `x` adds its window.
 */
export function transposedConvolution(x: Node, kernel: Node, sliding: Sliding, lengths: Shape): Node {
  const { sizes, strides, dilations } = sliding
  const rank = sizes.length
  const filters = kernel.type.shape.at(-2)!
  const windowed = b.matmul(x, kernel, { transposeB: true })
  const boxes = spatialShape(x, rank).map((count, i) => box(count, lengths[i]!, alongAxis(sliding, i), sliding.padding))
  const whole = [x.type.shape[0]!, ...boxes.map((at) => at.whole), filters]
  const added = b.overlapAdd(windowed, whole, { axes: spatial(rank), sizes, strides, dilations })
  return b.slice(added, [0, ...boxes.map((at) => at.begin), 0], [x.type.shape[0]!, ...lengths, filters])
}

/** All places that `count` windows and a result of `length` cover, and where in them the result begins. */
function box(count: Dim, length: Dim, { size, stride, dilation }: Along, padding: Padding): { whole: Dim; begin: number } {
  const covered = addDims(multiplyDims(subtractDims(count, 1), stride), windowReach(size, dilation))
  const surplus = subtractDims(covered, length)
  if (!isStatic(surplus)) throw new RangeError(`a transposed convolution of ${dimText(count)} windows cannot have the size ${dimText(length)}`)
  const begin = padding === 'same' ? Math.floor(Math.max(surplus, 0) / 2) : 0
  return { whole: begin > surplus ? addDims(length, begin) : covered, begin }
}

/** The least float32: what TensorFlow's pooling starts from. */
const least = -3.4028234663852886e38

/**
 * The largest element of each window, channel by channel, as TensorFlow computes it on a CPU: NaNs are passed over, and a
 * window of nothing else gives the least float32. The first of several equal ones, in row-major order, has the gradient;
 * in volumes each of them has all of it.
 */
export function maxPooling(x: Node, sliding: Sliding): Node {
  const rank = sliding.sizes.length
  const windowed = slide(x, sliding, least)
  const numbers = b.select(b.equal(windowed, windowed), windowed, least)
  return b.maxWithTies(numbers, spatial(rank).map((axis) => axis + rank), rank < 3 ? 'first' : 'every')
}

/** The mean of the elements of `x` in each window; what is added around counts for nothing. */
export function averagePooling(x: Node, sliding: Sliding): Node {
  const rank = sliding.sizes.length
  const windowed = slide(x, sliding, 0)
  const sums = b.sum(windowed, spatial(rank).map((axis) => axis + rank))
  return sliding.sizes.reduce((at, _, i) => b.div(at, elementsInside(at, x.type.shape[i + 1]!, i + 1, alongAxis(sliding, i), sliding.padding)), sums)
}

/** How many elements of an axis of `length` each window holds, along `axis` of `result`. */
function elementsInside(result: Node, length: Dim, axis: number, along: Along, padding: Padding): b.Operand {
  const [before] = marginOf(length, along, padding)
  if (padding === 'valid') return along.size
  const count = result.type.shape[axis]!
  const start = b.sub(b.mul(b.iota([count], 0, 'float32'), along.stride), isStatic(before) ? before : b.dimension(before))
  const end = b.minimum(b.add(start, along.size), b.dimension(length))
  const inside = b.sub(end, b.maximum(start, 0))
  return b.reshape(inside, result.type.shape.map((_, i) => (i === axis ? count : 1)))
}

/**
 * A kernel of its own for every position: kernel [positions, values of a window, F]. With `channelsOutermost` the values
 * of a window are ordered [C, ...within], else [...within, C].
 */
export function locallyConnected(x: Node, kernel: Node, sliding: Sliding, channelsOutermost: boolean): Node {
  const rank = sliding.sizes.length
  const windowed = slide(x, sliding, 0), positions = outside(windowed, rank)
  const last = windowed.type.shape.length - 1
  const within = spatial(rank).map((axis) => axis + rank)
  const ordered = channelsOutermost ? b.transpose(windowed, [0, ...spatial(rank), last, ...within]) : windowed
  const [places, inner, filters] = kernel.type.shape as [Dim, Dim, Dim]
  const values = b.reshape(ordered, [positions[0]!, places, inner, 1])
  return b.reshape(b.sum(b.mul(values, kernel), 2), [...positions, filters])
}
