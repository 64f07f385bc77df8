/**
 * After fusion: which values kernels leave to each other. A value that is computed element by element may instead be computed
 * again by every kernel that reads it, from what it is made of; that is done wherever it costs less (`ir/cost.ts`): bytes
 * written and read against bytes of operands that a kernel does not read already, and operations done twice. A kernel of
 * which nothing is left is gone.
 *
 *   map     d = sub(x, mean), q = mul(d, d) → d, q      (gone)
 *   reduce  sum(q)                                  →   reduce  d = sub(x, mean), q = mul(d, d), sum(q)
 *   map     y = mul(d, s)                               map     d = sub(x, mean), y = mul(d, s)
 *
 * Two kinds of moves are tried until none pays: one value is no longer stored; or one is, from which several others in its
 * kernel are made, and those no longer are. Sums, products, functions that
 * are costly by their record and what is read elsewhere than at its own place are never computed again. Results stay the same
 * to the last bit.
 */
import { atReference, bytesOf, type Rates } from '../ir/cost.js'
import { equalShapes, sizeOf } from '../ir/dim.js'
import { rootsOf, topological, type Graph, type Node } from '../ir/graph.js'
import { keptShape, type Role } from '../ir/kernel-graph.js'
import { isUnit, storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, maxReads, readsInPlace, type Formed, type Group } from './kernel-groups.js'

export function chooseStores(graph: Graph, formed: Formed, rates: Rates): Formed {
  return new StoreChooser(graph, formed, rates).run()
}

type Roles = ReadonlyMap<Node, Role>
/** Kernels with other members than they have, and what is then stored besides. */
type Trial = { readonly roles: ReadonlyMap<Group, Roles>; readonly stored: Node | null }

class StoreChooser {
  private readonly order: readonly Node[]
  private readonly fixed: ReadonlySet<Node>
  private readonly updated: ReadonlySet<string>
  private readonly groups: Set<Group>
  private readonly groupOf: Map<Node, Group>
  private readonly accesses = new Map<Node, readonly Access[]>()
  private readonly reads = new Map<Group, ReadonlySet<Node>>()
  private readonly readers = new Map<Node, Set<Group>>()

  constructor(graph: Graph, formed: Formed, private readonly rates: Rates) {
    this.order = topological(rootsOf(graph)).filter((node) => formed.groupOf.has(node))
    this.fixed = new Set(rootsOf(graph).map(storageRoot))
    this.updated = new Set(graph.updates.map((update) => update.variable))
    this.groups = new Set(formed.groups)
    this.groupOf = new Map(formed.groupOf)
    for (const group of this.groups) this.setReads(group, this.readsOf(group.roles))
  }

  run(): Formed {
    for (let changed = true; changed;) {
      changed = false
      for (const node of [...this.order].reverse()) if (this.tryWithout(node) || this.tryWith(node)) changed = true
    }
    for (const group of this.groups) this.linkNeeds(group)
    return { groups: [...this.groups], groupOf: this.groupOf }
  }

  private accessesOf(node: Node): readonly Access[] {
    const known = this.accesses.get(node) ?? accessesOf(node)
    this.accesses.set(node, known)
    return known
  }

  private linkNeeds(group: Group): void {
    group.needs.clear()
    for (const read of this.reads.get(group)!) {
      const maker = this.groupOf.get(read)
      if (maker && maker !== group) group.needs.add(maker)
    }
  }

  /** What a kernel of these members reads from memory. */
  private readsOf(roles: Roles): Set<Node> {
    const reads = new Set<Node>()
    for (const node of roles.keys()) for (const { source } of this.accessesOf(node)) if (!roles.has(source) && this.isInMemory(source)) reads.add(storageRoot(source))
    return reads
  }

  private isInMemory(source: Node): boolean {
    const root = storageRoot(source)
    return this.groupOf.has(root) || opOf(root).lowering.kind !== 'generate'
  }

  private setReads(group: Group, reads: ReadonlySet<Node> | null): void {
    for (const read of this.reads.get(group) ?? []) this.readers.get(read)!.delete(group)
    if (reads === null) return void this.reads.delete(group)
    this.reads.set(group, reads)
    for (const read of reads) this.readers.set(read, (this.readers.get(read) ?? new Set()).add(group))
  }

  private isStored(node: Node): boolean {
    return this.groupOf.has(node) && (this.fixed.has(node) || (this.readers.get(node)?.size ?? 0) > 0)
  }

  private mayGo(node: Node): boolean {
    return !this.fixed.has(node) && this.isStored(node) && isRepeatable(node)
  }

  /** Stores `node` no longer, if that pays. */
  private tryWithout(node: Node): boolean {
    return this.mayGo(node) && this.attempt(this.groupOf.get(node)!, [node], null)
  }

  /** Stores `node`, which is not stored, instead of what is made from it in the same kernel. */
  private tryWith(node: Node): boolean {
    const group = this.groupOf.get(node)
    if (!group || this.isStored(node) || group.roles.get(node) === 'prologue') return false
    const made = this.madeFrom(node, group).filter((other) => this.mayGo(other))
    return made.length > 1 && this.attempt(group, made, node)
  }

  private madeFrom(node: Node, group: Group): Node[] {
    const found = new Set([node])
    for (const member of this.order) {
      if (group.roles.has(member) && isRepeatable(member) && this.accessesOf(member).some(({ source }) => found.has(source))) found.add(member)
    }
    found.delete(node)
    return [...found]
  }

  private attempt(maker: Group, gone: readonly Node[], stored: Node | null): boolean {
    const roles = this.withCopies(new Set(gone), stored)
    if (roles === null) return false
    roles.set(maker, this.pruned(maker, new Set(gone), { roles, stored }))
    const trial = { roles, stored }
    if (this.timeOf(trial) >= this.timeOf({ roles: new Map([...roles.keys()].map((group) => [group, group.roles])), stored: null }) - 1e-9) return false
    this.accept(trial)
    return true
  }

  /** The readers of `gone`, each computing what it read; null when one can not. */
  private withCopies(gone: ReadonlySet<Node>, stored: Node | null): Map<Group, Roles> | null {
    const trial = new Map<Group, Roles>()
    for (const node of gone) {
      for (const reader of this.readers.get(node)!) {
        const roles = this.withCopy(reader, trial.get(reader) ?? reader.roles, node, gone, stored)
        if (roles === null) return null
        trial.set(reader, roles)
      }
    }
    return trial
  }

  private withCopy(reader: Group, before: Roles, node: Node, gone: ReadonlySet<Node>, stored: Node | null): Roles | null {
    const role = roleOf(reader, node)
    if (role === null) return null
    const roles = new Map(before), added = [node]
    if (!roles.has(node)) roles.set(node, role)
    for (const member of added) {
      for (const { source } of this.accessesOf(member)) {
        if (roles.has(source) || !this.isInMemory(source) || this.isReadable(source, reader, gone, stored)) continue
        const inner = isRepeatable(source) ? roleOf(reader, source) : null
        if (inner === null) return null
        roles.set(source, inner)
        added.push(source)
      }
    }
    const fits = added.every((copy) => this.isInPlace(reader, roles, copy)) && this.readsOf(roles).size <= maxReads
    return fits ? roles : null
  }

  /** In memory after the move, and unchanged until the reader runs. */
  private isReadable(source: Node, reader: Group, gone: ReadonlySet<Node>, stored: Node | null): boolean {
    const root = storageRoot(source), { lowering } = opOf(root)
    if (lowering.kind === 'leaf') return lowering.holds === 'input' || !this.updated.has(String(root.attrs['name'])) || this.reads.get(reader)!.has(root)
    return !gone.has(root) && (root === stored || this.isStored(root))
  }

  /** Whether all members read `copy` where they compute it, and it reads others so. */
  private isInPlace(group: Group, roles: Roles, copy: Node): boolean {
    const trial: Group = { ...group, roles: new Map(roles) }
    for (const [member, role] of roles) {
      const { kind } = opOf(member).lowering
      for (const access of this.accessesOf(member)) {
        const isConcerned = access.source === copy || (member === copy && roles.has(access.source))
        if (!isConcerned) { if (storageRoot(access.source) === copy) return false; continue }
        if (kind !== 'pointwise' && kind !== 'reduce' && kind !== 'argmax') return false
        const [reading, shape] = kind === 'pointwise' ? [role, member.type.shape] as const : ['full', group.domain] as const
        if (!readsInPlace(trial, reading, shape, access)) return false
      }
    }
    return true
  }

  /** The members of a kernel that are still of use. */
  private pruned(maker: Group, gone: ReadonlySet<Node>, trial: Trial): Roles {
    const roles = trial.roles.get(maker) ?? maker.roles
    const isRead = (node: Node): boolean => !gone.has(node) && [...(this.readers.get(node) ?? [])].some((reader) => reader !== maker)
    const needed = [...roles.keys()].filter((node) => this.groupOf.get(node) === maker && (this.fixed.has(node) || node === trial.stored || isRead(node)))
    const kept = new Set(needed)
    for (const node of needed) for (const { source } of this.accessesOf(node)) if (roles.has(source) && !kept.has(source)) { kept.add(source); needed.push(source) }
    return new Map([...roles].filter(([node]) => kept.has(node)))
  }

  /** Of the kernels of a trial together. */
  private timeOf({ roles, stored }: Trial): number {
    let time = 0
    for (const [group, members] of roles) {
      const isWritten = (node: Node): boolean => this.groupOf.get(node) === group && (node === stored || (this.isStored(node) && !this.isGoneIn(node, roles)))
      const moved = [...this.readsOf(members), ...[...members.keys()].filter(isWritten)]
      time += moved.reduce((sum, node) => sum + atReference(bytesOf(node.type)), 0) / this.rates.bytesPerNs
      time += [...members.keys()].reduce((sum, node) => sum + operationsOf(node), 0) / this.rates.operationsPerNs
    }
    return time
  }

  /** Not stored once the kernels have these members: everyone who read it computes it. */
  private isGoneIn(node: Node, roles: ReadonlyMap<Group, Roles>): boolean {
    if (this.fixed.has(node)) return false
    const readers = [...this.readers.get(node)!]
    return readers.every((reader) => (roles.get(reader) ?? reader.roles).has(node) || (roles.has(reader) && !this.readsOf(roles.get(reader)!).has(node)))
  }

  private accept({ roles }: Trial): void {
    for (const [group, members] of roles) {
      for (const node of group.roles.keys()) if (!members.has(node) && this.groupOf.get(node) === group) this.groupOf.delete(node)
      group.roles.clear()
      for (const [node, role] of members) group.roles.set(node, role)
    }
    for (const group of roles.keys()) {
      if (group.roles.size > 0) { this.setReads(group, this.readsOf(group.roles)); continue }
      this.setReads(group, null)
      this.groups.delete(group)
    }
  }
}

const withoutUnits = (node: Node) => node.type.shape.filter((dim) => !isUnit(dim))

/** Where a copy of the value would stand in the kernel, which stores no copies. */
function roleOf({ kind, domain, reduced }: Group, node: Node): Role | null {
  if (kind === 'tiles') return null
  if (equalShapes(node.type.shape, domain)) return 'full'
  return reduced.length > 0 && equalShapes(withoutUnits(node), keptShape(domain, reduced).filter((dim) => !isUnit(dim))) ? 'row' : null
}

/** Computed element by element, by an op whose record does not ask to be computed once. */
export const isRepeatable = (node: Node): boolean => opOf(node).lowering.kind === 'pointwise' && opOf(node).cost !== 'costly'

/** What is never repeated costs the same wherever it is. */
const operationsOf = (node: Node): number => (isRepeatable(node) ? atReference(sizeOf(node.type.shape)) : 0)
