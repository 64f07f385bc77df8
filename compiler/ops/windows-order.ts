/** Elements in the order of windows that take each of them once, and back in the order of the axes. */
import { divideDims, equalShapes, isStatic, multiplyDims, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { integersAttr } from './attrs.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { argumentOf, constantOf, isOp } from './patterns.js'

/** The windows of a node that shows every element of its input in exactly one of them; null for other nodes. */
export function exactWindows(node: Node): WindowSpec | null {
  const [x] = node.inputs
  if (!isOp(node, 'windows') || !x) return null
  const [axes, sizes, strides, dilations] = ['axes', 'sizes', 'strides', 'dilations'].map((name) => integersAttr(node.attrs, name)) as [readonly number[], readonly number[], readonly number[], readonly number[]]
  const apart = sizes.every((size, i) => size === strides[i] && (size === 1 || dilations[i] === 1))
  return apart && axes.every((axis, i) => isWhole(x.type.shape[axis]!, sizes[i]!)) ? { axes, sizes, strides, dilations } : null
}

const isWhole = (length: Dim, size: number): boolean => isStatic(length) && length % size === 0

export const sameWindows = (a: WindowSpec, c: WindowSpec): boolean =>
  (['axes', 'sizes', 'strides'] as const).every((name) => a[name].length === c[name].length && a[name].every((value, i) => value === c[name][i]))

/** `x` in the order of the windows. */
export function intoWindows(x: Node, spec: WindowSpec): Node {
  const value = constantOf(x)
  return value === null ? b.windows(x, spec) : b.constant(value, { dtype: x.type.dtype, shape: windowsShape(x.type.shape, spec) })
}

function windowsShape(shape: Shape, { axes, sizes }: WindowSpec): Shape {
  const counts = shape.map((dim, axis) => (axes.includes(axis) ? divideDims(dim, sizes[axes.indexOf(axis)]!)! : dim)), inside = axes.at(-1)! + 1
  return [...counts.slice(0, inside), ...sizes, ...counts.slice(inside)]
}

/** For each axis the one that counts windows and, beside it, the one inside them. */
function besideEachOther(rank: number, { axes }: WindowSpec): number[] {
  const inside = axes.at(-1)! + 1
  return Array.from({ length: rank }, (_, axis) => axis).flatMap((axis) => {
    const i = axes.indexOf(axis)
    return [axis < inside ? axis : axis + axes.length, ...(i < 0 ? [] : [inside + i])]
  })
}

/** The inverse of `intoWindows`. */
export function outOfWindows(x: Node, spec: WindowSpec): Node {
  const order = besideEachOther(x.type.shape.length - spec.axes.length, spec)
  const beside = order.every((axis, i) => axis === i) ? x : b.transpose(x, order), inside = spec.axes.at(-1)! + 1
  const counted = x.type.shape.filter((_, axis) => axis < inside || axis >= inside + spec.sizes.length)
  return b.reshape(beside, counted.map((dim, axis) => (spec.axes.includes(axis) ? multiplyDims(dim, spec.sizes[spec.axes.indexOf(axis)]!) : dim)))
}

/** What `outOfWindows` made the node from, or null. */
export function windowsBehind(node: Node, spec: WindowSpec): Node | null {
  const beside = argumentOf(node, 'reshape'), order = besideEachOther(node.type.shape.length, spec)
  if (!beside) return null
  const isSame = order.every((axis, i) => axis === i)
  const x = isSame ? beside : isOp(beside, 'transpose') && integersAttr(beside.attrs, 'perm').every((axis, i) => axis === order[i]) ? beside.inputs[0]! : null
  return x && equalShapes(x.type.shape, windowsShape(node.type.shape, spec)) ? x : null
}
