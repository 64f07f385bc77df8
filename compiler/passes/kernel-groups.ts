/**
 * Groups under construction: the bookkeeping behind `form-kernels`. A group is a kernel-to-be with its domain; this file
 * answers whether a node may be computed in a group, by legality alone.
 */
import { equalShapes, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { keptShape, reducesRows, type KernelKind, type Role } from '../ir/kernel-graph.js'
import { identityIndex, isIdentity, isUnit, readsAt, type Access } from '../ops/access.js'

export type Group = {
  readonly id: number
  kind: KernelKind
  readonly domain: Shape
  reduced: readonly number[]
  readonly roles: Map<Node, Role>
  /** Groups whose stored values this one reads. */
  readonly needs: Set<Group>
}

/** All kernels, and which of them makes a value. A value may be computed by others too, which do not store it. */
export type Formed = { readonly groups: readonly Group[]; readonly groupOf: ReadonlyMap<Node, Group> }

/** More buffers than this in one kernel cost registers and cache ways. */
export const maxReads = 24

/** More sums than this of neighbouring rows would not stay in registers at the end of a product. */
export const mostRowsTogether = 16

/** The nodes a node reads, with the position read for an element at the identity position of its own input. */
export const accessesOf = (node: Node): Access[] => readsAt(node, identityIndex(node.type.shape.length))

/** Does `from` need `target`, directly or through others? */
export function reaches(from: Group, target: Group): boolean {
  const seen = new Set<Group>()
  const stack = [from]
  while (stack.length > 0) {
    const group = stack.pop()!
    if (group === target) return true
    if (seen.has(group)) continue
    seen.add(group)
    stack.push(...group.needs)
  }
  return false
}

const withoutUnits = (shape: Shape): Shape => shape.filter((dim) => !isUnit(dim))

/** Names of the axes of a shape, those of size one left out. */
const axisNames = (shape: Shape): string[] => shape.flatMap((dim, i) => (isUnit(dim) ? [] : [`d${i}`]))

/** The role a pointwise node of this shape would have in the group, or null. */
export function roleIn(group: Group, node: Node): Role | null {
  if (group.kind === 'tiles') return null
  if (equalShapes(node.type.shape, group.domain)) return group.kind !== 'reduce' || reducesRows(group.domain, group.reduced) ? 'full' : null
  if (group.reduced.length === 0) return null
  return equalShapes(withoutUnits(node.type.shape), withoutUnits(keptShape(group.domain, group.reduced))) ? 'row' : null
}

/**
 * May `reader`, a pointwise node with this role, read `access` inside the group? A value of the same role is read at the
 * same position; a value over the domain may read a row's value at its row.
 */
export function readsInPlace(group: Group, role: Role, reader: Shape, access: Access): boolean {
  const sourceRole = group.roles.get(access.source)
  if (access.use === 'table' || access.guards.length > 0 || sourceRole === undefined || sourceRole === 'prologue') return false
  const { shape } = access.source.type
  if (role === sourceRole) return isIdentity(access.index, shape, axisNames(reader))
  const rows = axisNames(group.domain).filter((name) => !group.reduced.includes(Number(name.slice(1))))
  return role === 'full' && sourceRole === 'row' && isIdentity(access.index, shape, rows)
}
