/**
 * Adding up products of windows where the windows lie, which is the gradient of a convolution by its input and a
 * transposed convolution, without holding the windows: position s * q + r is a sum over the places k of a window that
 * reach it, so for each remainder r it is a convolution of the windows' factors with those places, read backwards.
 */
import { addDims, isStatic, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { fitAxis, lacking, mergeAxes, padAxis } from './pad-axis.js'
import { isOp } from './patterns.js'
import { windowReach } from './type-rules.js'

/**
 * The places of a window that reach the positions of one remainder: `first`, `first + step`, …, `count` of them. Place
 * number j adds the window that starts `shift + j * shiftStep` steps of the stride before.
 */
type Places = { readonly first: number; readonly step: number; readonly count: number; readonly shift: number; readonly shiftStep: number }

/**
 * What `addWindows(g, shape, spec)` gives when `g` is a product [B, ...windows, F] · [...sizes, C, F]ᵀ and windows
 * overlap; null in any other case.
 */
export function turnedConvolution(g: Node, shape: Shape, spec: WindowSpec): Node | null {
  const [factors, kernel] = g.inputs
  const rank = spec.axes.length
  const isProduct = isOp(g, 'matmul') && g.attrs['transposeB'] === true && g.attrs['transposeA'] !== true && g.attrs['inner'] === undefined
  if (!isProduct || !factors || !kernel || factors.type.shape.length !== rank + 2 || kernel.type.shape.length !== rank + 2) return null
  const overlap = spec.sizes.some((size, i) => windowReach(size, spec.dilations[i]!) > spec.strides[i]!)
  const known = spec.strides.every((stride, i) => stride === 1 || isStatic(shape[i + 1]!))
  if (!overlap || !known || spec.axes.some((axis, i) => axis !== i + 1)) return null
  return remainders(factors, kernel, shape, spec, [])
}

/** One convolution for each choice of remainders, and the results side by side. */
function remainders(factors: Node, kernel: Node, shape: Shape, spec: WindowSpec, chosen: readonly Places[]): Node {
  const i = chosen.length
  if (i === spec.axes.length) return single(factors, kernel, counts(shape, spec), chosen)
  const stride = spec.strides[i]!, axis = spec.axes[i]!
  const parts = Array.from({ length: stride }, (_, r) => remainders(factors, kernel, shape, spec, [...chosen, placesOf(r, spec.sizes[i]!, stride, spec.dilations[i]!)]))
  if (stride === 1) return parts[0]!
  const stacked = b.concat(parts.map((part) => b.expandDims(part, axis + 1)), axis + 1)
  return fitAxis(mergeAxes(stacked, axis), axis, shape[axis]!)
}

/** Positions of each remainder along the windowed axes: the length over the stride, rounded up. */
const counts = (shape: Shape, { axes, strides }: WindowSpec): Dim[] => axes.map((axis, i) => {
  const length = shape[axis]!
  return isStatic(length) ? Math.ceil(length / strides[i]!) : length
})

function placesOf(remainder: number, size: number, stride: number, dilation: number): Places {
  const places = Array.from({ length: size }, (_, k) => k).filter((k) => (k * dilation) % stride === remainder)
  const [first = 0, second = first + 1] = places
  const shift = (k: number): number => Math.floor((k * dilation) / stride)
  return { first, step: second - first, count: places.length, shift: shift(first), shiftStep: Math.max(shift(second) - shift(first), 1) }
}

/** [B, ...lengths, C] for one remainder along every axis. */
function single(factors: Node, kernel: Node, lengths: readonly Dim[], places: readonly Places[]): Node {
  if (places.some((p) => p.count === 0)) return b.constant(0, { dtype: factors.type.dtype, shape: [factors.type.shape[0]!, ...lengths, kernel.type.shape.at(-2)!] })
  const fitted = places.reduce((at, p, i) => reachAll(at, i + 1, lengths[i]!, p), factors)
  const axes = places.map((_, i) => i + 1)
  const windowed = b.windows(fitted, { axes, sizes: places.map((p) => p.count), strides: places.map(() => 1), dilations: places.map((p) => p.shiftStep) })
  return b.matmul(windowed, turned(kernel, places), { inner: places.length + 1 })
}

/** Zeros before and after `axis`, or less of its end, so that `length` windows over the places fit it exactly. */
export function reachAll(x: Node, axis: number, length: Dim, { count, shift, shiftStep }: Pick<Places, 'count' | 'shift' | 'shiftStep'>): Node {
  const before = shift + (count - 1) * shiftStep, whole = addDims(length, (count - 1) * shiftStep)
  const padded = padAxis(x, axis, before, lacking(whole, addDims(x.type.shape[axis]!, before)))
  return b.slice(padded, padded.type.shape.map(() => 0), padded.type.shape.map((d, i) => (i === axis ? whole : d)))
}

/** Kernel [...sizes, C, F] as [...counts, F, C]: its places of the remainders, last first. */
function turned(kernel: Node, places: readonly Places[]): Node {
  const rank = places.length
  const picked = places.reduce((at, p, i) => everyNth(at, i, p), kernel)
  const backwards = b.reverse(picked, places.map((_, i) => i))
  return b.transpose(backwards, [...places.map((_, i) => i), rank + 1, rank])
}

function everyNth(x: Node, axis: number, { first, step, count }: Places): Node {
  const from = b.slice(x, x.type.shape.map((_, i) => (i === axis ? first : 0)), x.type.shape.map((d, i) => (i === axis ? -1 : d)))
  if (step === 1) return b.slice(from, from.type.shape.map(() => 0), from.type.shape.map((d, i) => (i === axis ? count : d)))
  // A stride past the end of the axis: one window.
  const spread = b.windows(from, { axes: [axis], sizes: [count], strides: [step * count], dilations: [step] })
  return b.reshape(spread, from.type.shape.map((d, i) => (i === axis ? count : d)))
}
