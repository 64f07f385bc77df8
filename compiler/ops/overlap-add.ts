/**
 * The transpose of `windows`: every element of every window is added to the place it was read from. A composition of
 * padding, slices and sums, one axis after the other, so that it is differentiated and fused like any other.
 */
import type { Dim, Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { turnedConvolution } from './turned-convolution.js'
import { fitAxis, lacking, mergeAxes, padAxis } from './pad-axis.js'
import { windowReach } from './type-rules.js'

/** One windowed axis: `axis` counts windows, `inside` is the axis within them. */
type Window = { readonly axis: number; readonly inside: number; readonly size: number; readonly stride: number; readonly dilation: number }

/** The sum over all windows in `g`, whose shape is that of `windows` over a tensor of `shape`, back in that shape. */
export function overlapAdd(g: Node, shape: Shape, spec: WindowSpec): Node {
  return turnedConvolution(g, shape, spec) ?? addWindows(g, shape, spec)
}

function addWindows(g: Node, shape: Shape, { axes, sizes, strides, dilations }: WindowSpec): Node {
  const inside = (axes.at(-1) ?? -1) + 1
  return axes.reduceRight<Node>((sum, axis, i) =>
    alongAxis(sum, shape[axis]!, { axis, inside: inside + i, size: sizes[i]!, stride: strides[i]!, dilation: dilations[i]! }), g)
}

function alongAxis(g: Node, length: Dim, window: Window): Node {
  const { size, stride, dilation } = window
  return windowReach(size, dilation) <= stride && dilation === 1 ? sideBySide(g, length, window) : overlapping(g, length, window)
}

/** Windows that do not overlap follow each other, with zeros for what lies between them. */
function sideBySide(g: Node, length: Dim, { axis, inside, size, stride }: Window): Node {
  const filled = padAxis(g, inside, 0, stride - size)
  const others = filled.type.shape.map((_, i) => i).filter((i) => i !== inside)
  const next = others.indexOf(axis) + 1
  const beside = next === inside ? filled : b.transpose(filled, [...others.slice(0, next), inside, ...others.slice(next)])
  return fitAxis(mergeAxes(beside, axis), axis, length)
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
