/**
 * Groups under construction: the bookkeeping behind `form-kernels`. A group is a kernel-to-be with its domain; this file
 * answers whether a node may be computed in a group, by legality alone.
 */
import { equalShapes, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { keptShape, reducesRows, type KernelKind } from '../ir/kernel-graph.js'
import { identityIndex, isIdentity, resolve, storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'

export type Role = 'full' | 'row' | 'prologue'

export type Group = {
  readonly id: number
  kind: KernelKind
  readonly domain: Shape
  reduced: readonly number[]
  readonly roles: Map<Node, Role>
  /** Groups whose stored values this one reads. */
  readonly needs: Set<Group>
}

/** The nodes a node reads, with the position read for an element at the identity position of its own input. */
export const accessesOf = (node: Node): Access[] =>
  opOf(node).lowering.kind === 'leaf' ? [] : node.inputs.map((input) => resolve(input, identityIndex(input.type.shape.length)))

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

/** Axis names of a value in a group, by its role. */
export function axesOf(group: Group, role: Role): string[] {
  const names = group.domain.map((_, i) => `d${i}`)
  return role === 'row' ? names.filter((_, i) => !group.reduced.includes(i)) : names
}

/** The role a pointwise node of this shape would have in the group, or null. */
export function roleIn(group: Group, node: Node): Role | null {
  if (group.kind === 'reduce') {
    if (equalShapes(node.type.shape, keptShape(group.domain, group.reduced))) return 'row'
    return equalShapes(node.type.shape, group.domain) && reducesRows(group.domain, group.reduced) ? 'full' : null
  }
  if (group.kind === 'tiles') return null
  return equalShapes(node.type.shape, group.domain) ? 'full' : null
}

/**
 * May a pointwise node with this role read `access` inside the group? A value of the same role is read at the same
 * position; a value over the domain may read a row's value at its row.
 */
export function readsInPlace(group: Group, role: Role, access: Access): boolean {
  const sourceRole = group.roles.get(access.source)
  if (sourceRole === undefined || sourceRole === 'prologue') return false
  if (role === sourceRole) return isIdentity(access.index, identityNames(access.index.length))
  return role === 'full' && sourceRole === 'row' && isIdentity(access.index, axesOf(group, 'row'))
}

const identityNames = (rank: number): string[] => Array.from({ length: rank }, (_, i) => `d${i}`)

/** The group whose stored bytes an access outside a group reads, if any. */
export function storingGroup(access: Access, groupOf: ReadonlyMap<Node, Group>): Group | undefined {
  return groupOf.get(storageRoot(access.source))
}
