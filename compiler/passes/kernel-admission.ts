/**
 * What happens when a value is to be computed in a kernel: values that wait for their first reader come along, others
 * must be made by kernels before. This is found out here without changing anything, so that `form-kernels` can refuse.
 */
import type { Node } from '../ir/graph.js'
import { equalShapes, type Shape } from '../ir/dim.js'
import type { Role } from '../ir/kernel-graph.js'
import { storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, readsInPlace, reaches, roleIn, type Group } from './kernel-groups.js'

/** The state of forming that admissions depend on. */
export type Forming = {
  readonly groupOf: ReadonlyMap<Node, Group>
  /** Has one reader, and is no result: may be computed as an operand is packed. */
  readonly isReadOnce: (node: Node) => boolean
  /** Must be computed, and no kernel does so yet. */
  readonly isWaiting: (node: Node) => boolean
  /** May be computed in the kernel of its reader. */
  readonly mayFollow: (node: Node) => boolean
}

export type Admission = {
  /** Waiting values that join, with the node itself. */
  readonly members: ReadonlyMap<Node, Role>
  /** Waiting values that need a kernel before this one. */
  readonly outsiders: readonly Node[]
  /** Values of the kernel that one of the members reads at another position than its own. */
  readonly misplaced: readonly Node[]
}

export function admissionOf(node: Node, role: Role, group: Group, forming: Forming): Admission {
  const trial: Group = { ...group, roles: new Map(group.roles).set(node, role) }
  const members = new Map([[node, role]]), outsiders = new Set<Node>(), misplaced = new Set<Node>()
  // A map grows while it is walked: later members are visited too.
  for (const [member, own] of members) {
    const [reading, reader] = isCombination(member) ? (['full', group.domain] as const) : ([own, member.type.shape] as const)
    for (const access of accessesOf(member)) {
      const { source } = access
      if (trial.roles.has(source)) {
        if (!isReadable(trial, own, reading, reader, access)) misplaced.add(source)
        continue
      }
      const inner = forming.isWaiting(source) ? followingRole(trial, reading, reader, access, forming) : null
      if (inner) { members.set(source, inner); trial.roles.set(source, inner) }
      else for (const waiting of new Set([source, storageRoot(source)])) if (forming.isWaiting(waiting)) outsiders.add(waiting)
    }
  }
  return { members, outsiders: [...outsiders], misplaced: [...misplaced] }
}

/** May a member read a value of the kernel? A prologue is evaluated anywhere: only other prologues can be too. */
function isReadable(trial: Group, own: Role, reading: Role, reader: Shape, access: Access): boolean {
  return own === 'prologue' ? access.use !== 'table' && trial.roles.get(access.source) === 'prologue' : readsInPlace(trial, reading, reader, access)
}

/** A reduction reads over the whole domain, whatever it keeps. */
const isCombination = (node: Node): boolean => ['reduce', 'argmax'].includes(opOf(node).lowering.kind)

/** The role a waiting value would have in its reader's kernel, or null. */
function followingRole(group: Group, role: Role, reader: Shape, access: Access, forming: Forming): Role | null {
  const { source } = access
  if (access.use === 'table' || !forming.mayFollow(source)) return null
  if (role === 'prologue') return forming.isReadOnce(source) ? 'prologue' : null
  const inner = roleIn(group, source) ?? insideRole(group, role, source, forming)
  const trial: Group = { ...group, roles: inner === null ? new Map() : new Map([[source, inner]]) }
  if (readsInPlace(trial, role, reader, access)) return inner
  return access.use === 'position' && opOf(source).cost !== 'costly' && forming.isReadOnce(source) ? 'prologue' : null
}

/**
 * A reduction over other than the last axes stores nothing in its inner loop; there it can compute what only the reduction,
 * or what is computed for it, reads.
 */
function insideRole(group: Group, role: Role, source: Node, forming: Forming): Role | null {
  const fits = group.kind === 'reduce' && role === 'full' && equalShapes(source.type.shape, group.domain)
  return fits && forming.isReadOnce(source) ? 'full' : null
}

/** May `group` take the members: does everything else they read stand before it? */
export function isLegal({ members, outsiders, misplaced }: Admission, group: Group, forming: Forming): boolean {
  if (misplaced.length > 0) return false
  const seen = new Set<Node>(members.keys())
  const stored = [...members.keys()].flatMap((member) => accessesOf(member).map((a) => a.source)).filter((s) => !members.has(s) && forming.groupOf.get(s) !== group)
  return outsiders.every((node) => standsBefore(node, members, group, forming, seen)) && stored.every((node) => standsBefore(node, members, group, forming, seen))
}

/** Neither the kernel of `node` nor what a kernel for it would read needs `group` or one of its future members. */
function standsBefore(node: Node, members: ReadonlyMap<Node, Role>, group: Group, forming: Forming, seen: Set<Node>): boolean {
  if (members.has(node)) return false
  if (seen.has(node)) return true
  seen.add(node)
  const root = storageRoot(node), maker = forming.groupOf.get(root)
  if (maker) return maker !== group && !reaches(maker, group)
  if (root !== node) return standsBefore(root, members, group, forming, seen)
  return accessesOf(node).every((access) => standsBefore(access.source, members, group, forming, seen))
}
