/**
 * After fusion: kernels over the same elements that read the same values become one, so that what they share is read once.
 * Neither may wait for the other, unless what follows a reduction in one reads what the other reduced. Reductions over the
 * same axes are then found in one pass: the sums of a gradient and of its products with an activation, for instance.
 */
import { atReference, bytesOf } from '../ir/cost.js'
import { shapeText } from '../ir/dim.js'
import { topological, type Node } from '../ir/graph.js'
import { storageRoot } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, maxReads, reaches, readsInPlace, type Formed, type Group } from './kernel-groups.js'

/** The share of what the smaller kernel reads that both must read. */
const leastShare = 0.25

export function joinSiblings({ groups, groupOf }: Formed): Formed {
  const owners = new Map(groupOf), left = new Set(groups)
  for (const family of families(groups)) {
    for (let joined = true; joined;) {
      const pair = closestPair(family.filter((group) => left.has(group)))
      joined = pair !== null
      if (pair) { join(...pair, owners, left); left.delete(pair[1]) }
    }
  }
  return { groups: [...left], groupOf: owners }
}

/** Kernels whose loops are the same. */
function families(groups: readonly Group[]): Group[][] {
  const found = new Map<string, Group[]>()
  for (const group of groups) {
    if (group.kind !== 'map' && group.kind !== 'reduce') continue
    const key = `${group.kind} ${shapeText(group.domain)} ${group.reduced.join()}`
    found.set(key, [...(found.get(key) ?? []), group])
  }
  return [...found.values()].filter((family) => family.length > 1)
}

/** The two that share most, or null. */
function closestPair(family: readonly Group[]): [Group, Group] | null {
  const reads = new Map(family.map((group) => [group, readsOf(group)]))
  const pairs = family.flatMap((a, i) => family.slice(i + 1).map((b) => ({ a, b, shared: sharedBytes(reads.get(a)!, reads.get(b)!) })))
  for (const { a, b, shared } of pairs.filter((p) => p.shared > 0).sort((p, q) => q.shared - p.shared)) {
    const [first, second] = [reads.get(a)!, reads.get(b)!]
    const isMuch = shared >= leastShare * Math.min(bytesIn(first), bytesIn(second))
    if (isMuch && new Set([...first, ...second]).size <= maxReads && mayJoin(a, b)) return [a, b]
  }
  return null
}

/** No kernel between them, and none reads what the other makes but at its rows, after its own reductions. */
const mayJoin = (a: Group, b: Group): boolean => [[a, b], [b, a]].every(([from, to]) => !reaches(from!, to!) || followsRows(from!, to!))

function followsRows(reader: Group, maker: Group): boolean {
  const throughOthers = [...reader.needs].some((needed) => needed !== maker && reaches(needed, maker))
  if (throughOthers) return false
  const joined: Group = { ...maker, roles: new Map([...maker.roles, ...reader.roles]) }, late = new Set<Node>()
  for (const node of topological([...reader.roles.keys()]).filter((member) => reader.roles.has(member))) {
    const made = accessesOf(node).filter(({ source }) => late.has(source) || (!reader.roles.has(source) && maker.roles.has(storageRoot(source))))
    if (made.length === 0) continue
    const isRow = reader.roles.get(node) === 'row' && opOf(node).lowering.kind === 'pointwise'
    if (!isRow || !made.every((access) => late.has(access.source) || (maker.roles.get(access.source) === 'row' && readsInPlace(joined, 'row', node.type.shape, access)))) return false
    late.add(node)
  }
  return true
}

function readsOf({ roles }: Group): Set<Node> {
  const sources = [...roles.keys()].flatMap((node) => accessesOf(node).map((access) => access.source))
  return new Set(sources.filter((source) => !roles.has(source) && opOf(source).lowering.kind !== 'generate').map(storageRoot))
}

const bytesIn = (values: ReadonlySet<Node>): number => [...values].reduce((sum, node) => sum + atReference(bytesOf(node.type)), 0)
const sharedBytes = (a: ReadonlySet<Node>, b: ReadonlySet<Node>): number => bytesIn(new Set([...a].filter((node) => b.has(node))))

/** `other` becomes a part of `group`. */
function join(group: Group, other: Group, owners: Map<Node, Group>, groups: ReadonlySet<Group>): void {
  for (const [node, role] of other.roles) group.roles.set(node, role)
  for (const [node, owner] of owners) if (owner === other) owners.set(node, group)
  for (const needed of other.needs) if (needed !== group) group.needs.add(needed)
  for (const each of groups) if (each.needs.delete(other) && each !== group) each.needs.add(group)
}
