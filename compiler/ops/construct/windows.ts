/** Constructors of sliding windows and their transpose. */
import type { Shape } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { makeNode } from './node.js'

/** Windows over some axes: for each of `axes`, how many elements, how far from window to window, and from element to element. */
export type WindowSpec = {
  /** Rising, from 0 up. */
  readonly axes: readonly number[]
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
}

/**
 * All windows of `x`: each of the axes counts windows instead of elements, and one axis for each window size follows the
 * last of them. @throws ValueError for a window that is larger than its axis.
 */
export const windows = (x: Node, { axes, sizes, strides, dilations }: WindowSpec): Node =>
  makeNode('windows', [x], { axes, sizes, strides, dilations })

/** The sum over all windows in `g`, whose shape is that of `windows` over a tensor of `shape`, back in that shape. */
export const overlapAdd = (g: Node, shape: Shape, { axes, sizes, strides, dilations }: WindowSpec): Node =>
  makeNode('overlapAdd', [g], { shape, axes, sizes, strides, dilations })
