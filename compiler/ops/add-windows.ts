/**
 * What `overlapAdd` is made of once derivatives have been taken: padding, slices and sums, one axis after the other, which
 * are fused like any others; of a product, convolutions.
 */
import { multiplyDims, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { gatheredWindows } from './gathered-windows.js'
import { turnedConvolution } from './turned-convolution.js'
import { fitAxis, lacking, mergeAxes, padAxis } from './pad-axis.js'
import { windowReach } from './type-rules.js'

/** One windowed axis: `axis` counts windows, `inside` is the axis within them. */
type Window = { readonly axis: number; readonly inside: number; readonly size: number; readonly stride: number; readonly dilation: number }

/** The sum over all windows in `g`, whose shape is that of `windows` over a tensor of `shape`, back in that shape. */
export function addWindows(g: Node, shape: Shape, spec: WindowSpec): Node {
  return turnedConvolution(g, shape, spec) ?? gatheredWindows(g, shape, spec) ?? addEach(g, shape, spec)
}

function addEach(g: Node, shape: Shape, { axes, sizes, strides, dilations }: WindowSpec): Node {
  const inside = (axes.at(-1) ?? -1) + 1
  const windows = axes.map((axis, i): Window => ({ axis, inside: inside + i, size: sizes[i]!, stride: strides[i]!, dilation: dilations[i]! }))
  if (windows.every(isApart)) return sideBySide(g, shape, windows)
  return windows.reduceRight<Node>((sum, window) => alongAxis(sum, shape, window), g)
}

/** Windows that do not overlap. */
const isApart = ({ size, stride, dilation }: Window): boolean => windowReach(size, dilation) <= stride && dilation === 1

const alongAxis = (g: Node, shape: Shape, window: Window): Node => (isApart(window) ? sideBySide(g, shape, [window]) : overlapping(g, shape[window.axis]!, window))

/** Windows that do not overlap follow each other, with zeros for what lies between them. */
function sideBySide(g: Node, shape: Shape, windows: readonly Window[]): Node {
  const filled = windows.reduce((at, { inside, size, stride }) => padAxis(at, inside, 0, stride - size), g)
  const insides = windows.map((w) => w.inside)
  const insideOf = (axis: number): number[] => windows.filter((w) => w.axis === axis).map((w) => w.inside)
  const others = filled.type.shape.map((_, axis) => axis).filter((axis) => !insides.includes(axis))
  const beside = b.transpose(filled, others.flatMap((axis) => [axis, ...insideOf(axis)]))
  // Each axis of windows with the one inside them is an axis of elements.
  const merged = b.reshape(beside, others.map((axis) => [axis, ...insideOf(axis)].map((a) => filled.type.shape[a]!).reduce<Dim>(multiplyDims, 1)))
  return windows.reduce((at, { axis }) => fitAxis(at, axis, shape[axis]!), merged)
}

/** Position h takes place k of the window that starts k * dilation before it. */
function overlapping(g: Node, length: Dim, { axis, inside, size, stride, dilation }: Window): Node {
  const margin = (size - 1) * dilation
  const spread = stride === 1 ? g : mergeAxes(padAxis(b.expandDims(g, axis + 1), axis + 1, 0, stride - 1), axis)
  const padded = padAxis(spread, axis, margin, lacking(length, spread.type.shape[axis]!))
  const dropInside = (shape: Shape): Shape => shape.filter((_, i) => i !== inside)
  const place = (k: number): Node => {
    const begin = padded.type.shape.map((_, i) => (i === axis ? margin - k * dilation : i === inside ? k : 0))
    const box = padded.type.shape.map((d, i) => (i === axis ? length : i === inside ? 1 : d))
    return b.reshape(b.slice(padded, begin, box), dropInside(box))
  }
  return Array.from({ length: size }, (_, k) => place(k)).reduce((a, c) => b.add(a, c))
}
