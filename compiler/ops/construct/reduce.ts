/** Constructors of reductions. Without axes all are reduced; with `keepDims` reduced axes stay with size 1. */
import { sizeOf } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import type { Ties } from '../attrs.js'
import type { OpName } from '../type-rules.js'
import { dimension } from './leaf.js'
import { normalizeAxes, normalizeAxis, reshape } from './movement.js'
import { makeNode } from './node.js'
import { cast, div } from './pointwise.js'

export type Axes = number | readonly number[] | null

const reduction = (op: OpName) => (x: Node, axes: Axes = null, keepDims = false): Node => {
  const normal = normalizeAxes(axes, x.type.shape.length, op)
  const reduced = normal.length === 0 ? x : makeNode(op, [x], { axes: normal })
  return keepDims ? reshape(reduced, x.type.shape.map((d, i) => (normal.includes(i) ? 1 : d))) : reduced
}

/** The sum; 0 of nothing. */
export const sum = reduction('sum')
/** The product; 1 of nothing. */
export const prod = reduction('prod')
/** The largest element; NaN when one is NaN; -Infinity (the least integer) of nothing. */
export const max = reduction('max')
/** The largest element, whose gradient goes to one or to each of several equal ones instead of being split. */
export const maxWithTies = (x: Node, axes: Axes, ties: Ties): Node => makeNode('max', [x], { axes: normalizeAxes(axes, x.type.shape.length, 'max'), ties })
/** The smallest element; NaN when one is NaN; Infinity (the largest integer) of nothing. */
export const min = reduction('min')

/** How many elements `axes` hold, as a 0-d node of the dtype of `x`. */
export function countOf(x: Node, axes: Axes = null): Node {
  const normal = normalizeAxes(axes, x.type.shape.length, 'mean')
  return cast(dimension(sizeOf(normal.map((a) => x.type.shape[a]!))), x.type.dtype)
}

/** The mean of a float tensor; NaN of nothing. */
export const mean = (x: Node, axes: Axes = null, keepDims = false): Node => div(sum(x, axes, keepDims), countOf(x, axes))

/** int32 position of the first largest element along `axis`; NaNs are passed over. */
export const argmax = (x: Node, axis: number): Node => makeNode('argmax', [x], { axis: normalizeAxis(axis, x.type.shape.length, 'argmax') })
