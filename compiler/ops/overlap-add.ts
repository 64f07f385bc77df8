/**
 * The transpose of `windows`: every element of every window is added to the place it was read from. A composition of
 * padding, slices and sums, one axis after the other, so that it is differentiated and fused like any other.
 */
import { greatestValue } from '../ir/dim-bounds.js'
import { isStatic, multiplyDims, subtractDims, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { windowReach } from './type-rules.js'

/** One windowed axis: `axis` counts windows, `inside` is the axis within them. */
type Window = { readonly axis: number; readonly inside: number; readonly size: number; readonly stride: number; readonly dilation: number }

/** The sum over all windows in `g`, whose shape is that of `windows` over a tensor of `shape`, back in that shape. */
export function overlapAdd(g: Node, shape: Shape, { axes, sizes, strides, dilations }: WindowSpec): Node {
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

/** What an axis of `found` elements lacks to `wanted`, or more where that depends on sizes that are not known; nothing when it is longer. */
function lacking(wanted: Dim, found: Dim): Dim {
  const rest = subtractDims(wanted, found)
  const most = isStatic(rest) ? rest : greatestValue(rest)
  return most === null ? rest : Math.max(0, most)
}

/** With zeros after, or without the last elements, so that the axis has `length` of them. */
function fitAxis(x: Node, axis: number, length: Dim): Node {
  const whole = padAxis(x, axis, 0, lacking(length, x.type.shape[axis]!))
  return b.slice(whole, x.type.shape.map(() => 0), whole.type.shape.map((d, i) => (i === axis ? length : d)))
}

export function padAxis(x: Node, axis: number, before: Dim, after: Dim, value = 0): Node {
  const along = (size: Dim): Dim[] => x.type.shape.map((_, i) => (i === axis ? size : 0))
  return b.pad(x, along(before), along(after), value)
}

/** Axis `axis + 1` becomes part of `axis`. */
function mergeAxes(x: Node, axis: number): Node {
  const { shape } = x.type
  return b.reshape(x, [...shape.slice(0, axis), multiplyDims(shape[axis]!, shape[axis + 1]!), ...shape.slice(axis + 2)])
}
