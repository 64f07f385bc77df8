/** Constructors of ops whose positions are computed: rows of a table by number, and the sum back into one. */
import { sizeOf, type Dim } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { refuse } from '../type-rules.js'
import { normalizeAxis, reshape } from './movement.js'
import { makeNode } from './node.js'

/**
 * The slices of `table` along `axis` at the int32 `indices`, of any shape, which takes the place of that axis; zeros for an
 * index outside the axis.
 */
export const gather = (table: Node, indices: Node, axis = 0): Node =>
  makeNode('gather', [table, indices], { axis: normalizeAxis(axis, table.type.shape.length, 'gather') })

/**
 * Zeros with `size` places along `axis`, to which the slices of `updates` along that axis are added at the int32 `indices`.
 * The axes of `indices` are those of `updates` from `axis` on. Slices for an index outside the result are left out.
 */
export function scatterAdd(indices: Node, updates: Node, size: Dim, axis = 0): Node {
  const rank = indices.type.shape.length, { shape } = updates.type
  if (shape.length < rank) refuse(`scatterAdd: expected updates of rank ${rank} at least, found ${shape.length}.`)
  const at = rank === 0 ? normalizeAxis(axis, shape.length + 1, 'scatterAdd') : normalizeAxis(axis, shape.length, 'scatterAdd')
  const inLine = [...shape.slice(0, at), sizeOf(indices.type.shape), ...shape.slice(at + rank)]
  return makeNode('scatterAdd', [reshape(indices, [sizeOf(indices.type.shape)]), reshape(updates, inLine)], { axis: at, size })
}
