/** Making one axis longer, shorter, or part of another. */
import { greatestValue } from '../ir/dim-bounds.js'
import { isStatic, multiplyDims, subtractDims, type Dim } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'

export function padAxis(x: Node, axis: number, before: Dim, after: Dim, value = 0): Node {
  const along = (size: Dim): Dim[] => x.type.shape.map((_, i) => (i === axis ? size : 0))
  return b.pad(x, along(before), along(after), value)
}

/** What an axis of `found` elements lacks to `wanted`, or more where that depends on sizes that are not known; nothing when it is longer. */
export function lacking(wanted: Dim, found: Dim): Dim {
  const rest = subtractDims(wanted, found)
  const most = isStatic(rest) ? rest : greatestValue(rest)
  return most === null ? rest : Math.max(0, most)
}

/** With zeros after, or without the last elements, so that the axis has `length` of them. */
export function fitAxis(x: Node, axis: number, length: Dim): Node {
  const whole = padAxis(x, axis, 0, lacking(length, x.type.shape[axis]!))
  return b.slice(whole, x.type.shape.map(() => 0), whole.type.shape.map((d, i) => (i === axis ? length : d)))
}

/** Axis `axis + 1` becomes part of `axis`. */
export function mergeAxes(x: Node, axis: number): Node {
  const { shape } = x.type
  return b.reshape(x, [...shape.slice(0, axis), multiplyDims(shape[axis]!, shape[axis + 1]!), ...shape.slice(axis + 2)])
}
