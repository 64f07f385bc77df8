/** Constructors of ops that move elements without changing them. Axes may be negative, counted from the last. */
import { divideDims, equalDims, equalShapes, shapeText, sizeOf, subtractDims, type Dim, type Shape } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { refuse } from '../type-rules.js'
import { makeNode } from './node.js'

/** An axis from 0 up. @throws ValueError outside the rank. */
export function normalizeAxis(axis: number, rank: number, op: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) refuse(`${op}: expected an axis from ${-rank} to ${rank - 1}, found ${axis}.`)
  return axis < 0 ? axis + rank : axis
}

/** Rising axes from 0 up; all of them when none are given. */
export function normalizeAxes(axes: number | readonly number[] | null | undefined, rank: number, op: string): readonly number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, i) => i)
  const list = typeof axes === 'number' ? [axes] : axes
  return [...new Set(list.map((a) => normalizeAxis(a, rank, op)))].sort((a, b) => a - b)
}

/** `shape` with its one -1, if any, replaced by what is left of `size`. */
export function resolveShape(shape: Shape, size: Dim): Shape {
  const open = shape.indexOf(-1)
  if (open < 0) return shape
  const known = sizeOf(shape.filter((_, i) => i !== open))
  const rest = shape.indexOf(-1, open + 1) >= 0 || known === 0 ? null : divideDims(size, known)
  if (rest === null) refuse(`reshape: expected one -1 at most, and a total size that ${shapeText(shape)} divides; found ${shapeText([size])} elements.`)
  return shape.map((d, i) => (i === open ? rest : d))
}

/** The same elements in row-major order under another shape; at most one size is -1. */
export function reshape(x: Node, shape: Shape): Node {
  const resolved = resolveShape(shape, sizeOf(x.type.shape))
  return equalShapes(resolved, x.type.shape) ? x : makeNode('reshape', [x], { shape: resolved })
}

/** numpy broadcasting to `shape`. */
export const broadcastTo = (x: Node, shape: Shape): Node =>
  equalShapes(shape, x.type.shape) ? x : makeNode('broadcastTo', [x], { shape })

/** The shape numpy gives an operation on `a` and `b`. @throws ValueError */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const at = (s: Shape, i: number): Dim => s[i - (rank - s.length)] ?? 1
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [at(a, i), at(b, i)]
    if (x === 1) return y
    if (y === 1 || equalDims(x, y)) return x
    return refuse(`operands could not be broadcast together with shapes ${shapeText(a)} ${shapeText(b)}`)
  })
}

/** Axis i of the result is axis `perm[i]` of `x`; without `perm` all axes are reversed. */
export function transpose(x: Node, perm?: readonly number[]): Node {
  const rank = x.type.shape.length
  const axes = perm?.map((p) => normalizeAxis(p, rank, 'transpose')) ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
  return makeNode('transpose', [x], { perm: axes })
}

/** The order of the elements along `axes` reversed. */
export function reverse(x: Node, axes: readonly number[]): Node {
  const rank = x.type.shape.length
  return makeNode('reverse', [x], { axes: axes.map((axis) => normalizeAxis(axis, rank, 'reverse')).sort((a, c) => a - c) })
}

/** The box of `size` that starts at `begin`; a size of -1 reaches to the end. */
export function slice(x: Node, begin: Shape, size: Shape): Node {
  const sizes = size.map((s, i) => (s === -1 ? subtractDims(x.type.shape[i] ?? 0, begin[i] ?? 0) : s))
  return makeNode('slice', [x], { begin, size: sizes })
}

/** The inputs one after the other along `axis`. */
export function concat(xs: readonly Node[], axis: number): Node {
  return makeNode('concat', xs, { axis: xs[0] ? normalizeAxis(axis, xs[0].type.shape.length, 'concat') : axis })
}

/** `x` with `before[i]` and `after[i]` elements of `value` around it along each axis i. */
export function pad(x: Node, before: Shape, after: Shape, value = 0): Node {
  const rank = x.type.shape.length
  if (before.length !== rank || after.length !== rank) refuse(`pad: expected ${rank} sizes before and after, found ${before.length} and ${after.length}.`)
  return [...before, ...after].every((d) => d === 0) ? x : makeNode('pad', [x], { before, after, value })
}

/** A new axis of size 1 at position `axis` of the result. */
export function expandDims(x: Node, axis: number): Node {
  const at = normalizeAxis(axis, x.type.shape.length + 1, 'expandDims')
  return reshape(x, [...x.type.shape.slice(0, at), 1, ...x.type.shape.slice(at)])
}

/** Without the given axes of size 1, or without all of them. @throws ValueError for an axis of another size. */
export function squeeze(x: Node, axes?: number | readonly number[]): Node {
  const { shape } = x.type
  const dropped = axes === undefined ? shape.flatMap((d, i) => (d === 1 ? [i] : [])) : normalizeAxes(axes, shape.length, 'squeeze')
  for (const a of dropped) if (shape[a] !== 1) refuse(`squeeze: expected size 1 at axis ${a}, found ${shapeText(shape)}.`)
  return reshape(x, shape.filter((_, i) => !dropped.includes(i)))
}

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Node): Node => makeNode('stopGradient', [x])
