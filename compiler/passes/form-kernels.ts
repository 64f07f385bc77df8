/**
 * Fusion: cuts a function into kernels.
 *
 * Before: a simplified graph. After: every computed node is in exactly one kernel; only values that another kernel,
 * an output or an update reads are stored.
 *
 * Nodes are visited inputs first and each joins the kernel of its latest producer when that is legal: same domain, read
 * at the same position (or at its row), and no cycle between kernels. So work moves to where its inputs are made: bias,
 * activation, dropout and masks go into the epilogue of a product, an optimizer's update into the product that made the
 * gradient, a softmax with its loss and gradient into one kernel over rows. Nothing is computed twice except free
 * index arithmetic; a reduction is never recomputed. Values that depend on no kernel (a random mask) wait for their
 * first reader. Pointwise operands of a product that nothing else reads become its prologue.
 *
 *   %0 = matmul(%x, %w)              kernel dense_1_matmul contract [B,64] {
 *   %1 = add(%0, broadcast(%b))  →     matmul, add, relu → store relu
 *   %2 = relu(%1)                    }
 */
import type { Graph, Node } from '../ir/graph.js'
import { rootsOf, topological } from '../ir/graph.js'
import type { KernelGraph, Role } from '../ir/kernel-graph.js'
import { equalShapes, type Shape } from '../ir/dim.js'
import { storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, reaches, readsInPlace, roleIn, storingGroup, type Group } from './kernel-groups.js'
import { orderKernels } from './order-kernels.js'

export type FusionOptions = {
  /** false: one kernel per op, for comparison. */
  readonly fuse: boolean
}

/** More buffers than this in one kernel cost registers and cache ways. */
const maxReads = 24

export function formKernels(graph: Graph, options: FusionOptions = { fuse: true }): KernelGraph {
  const former = new KernelFormer(graph, options)
  return orderKernels(graph, former.form())
}

class KernelFormer {
  private readonly groups: Group[] = []
  private readonly groupOf = new Map<Node, Group>()
  private readonly users = new Map<Node, Set<Node>>()
  private readonly forced: ReadonlySet<Node>
  private readonly order: readonly Node[]

  constructor(private readonly graph: Graph, private readonly options: FusionOptions) {
    this.order = topological(rootsOf(graph))
    for (const node of this.order) for (const { source } of accessesOf(node)) this.addUser(source, node)
    this.forced = new Set(this.storageDemands().filter((node) => !isComputed(node) && !isPlainLeaf(node)))
  }

  form(): { groups: readonly Group[]; groupOf: ReadonlyMap<Node, Group> } {
    for (const node of this.order) this.visit(node)
    for (const root of rootsOf(this.graph)) this.settle(storageRoot(root))
    for (const node of this.forced) this.settle(node)
    return { groups: this.groups, groupOf: this.groupOf }
  }

  private addUser(source: Node, user: Node): void {
    const users = this.users.get(source) ?? new Set<Node>()
    this.users.set(source, users.add(user))
  }

  /** Nodes whose bytes must exist: roots, and what a reshaping view shows. */
  private storageDemands(): Node[] {
    const viewed = this.order.flatMap((node) => accessesOf(node)).filter(({ source }) => opOf(source).lowering.kind === 'view')
    return [...rootsOf(this.graph), ...viewed.map((a) => a.source)].map(storageRoot)
  }

  private visit(node: Node): void {
    const { lowering } = opOf(node)
    switch (lowering.kind) {
      case 'pointwise': return this.isFloating(node) ? undefined : this.placePointwise(node)
      case 'reduce': return this.placeReduction(node, lowering.axes(node))
      case 'argmax': return this.placeReduction(node, [lowering.axis(node)])
      case 'contract': return this.placeContraction(node)
      case 'tiles': return this.placeTiles(node)
      case 'indexMap': return this.forced.has(node) ? this.placeForced(node) : undefined
      case 'generate':
      case 'view':
      case 'leaf': return undefined
    }
  }

  /** A node that depends on no kernel yet waits for its first reader. */
  private isFloating(node: Node): boolean {
    return this.options.fuse && accessesOf(node).every((access) => this.isFree(access.source))
  }

  private isFree(node: Node): boolean {
    const root = storageRoot(node)
    if (this.groupOf.has(root) || this.forced.has(root)) return false
    const { kind } = opOf(root).lowering
    return kind === 'leaf' || kind === 'generate' || (kind === 'pointwise' && this.isFloating(root))
  }

  private placePointwise(node: Node): void {
    const candidates = new Set(accessesOf(node).flatMap((a) => this.groupOf.get(a.source) ?? []))
    const latestFirst = [...candidates].sort((a, b) => b.id - a.id)
    const home = this.options.fuse ? latestFirst.find((group) => this.canJoin(group, node)) : undefined
    if (home) this.join(home, node, roleIn(home, node)!)
    else this.open('map', node, node.type.shape)
  }

  private canJoin(group: Group, node: Node): boolean {
    const role = roleIn(group, node)
    if (role === null || this.readsOf(group).size >= maxReads) return false
    return accessesOf(node).every((access) => {
      if (this.groupOf.get(access.source) === group) return readsInPlace(group, role, node.type.shape, access)
      const other = storingGroup(access, this.groupOf)
      return other === undefined || (other !== group && !reaches(other, group))
    })
  }

  private readsOf(group: Group): Set<Node> {
    const sources = [...group.roles.keys()].flatMap((node) => accessesOf(node).map((a) => a.source))
    return new Set(sources.filter((s) => !group.roles.has(s) && !isGenerated(s)))
  }

  private join(group: Group, node: Node, role: Role): void {
    if (this.groupOf.has(node)) return
    for (const access of accessesOf(node)) this.admit(group, role, node.type.shape, access)
    group.roles.set(node, role)
    this.groupOf.set(node, group)
  }

  /** Brings what `node` reads into reach: a waiting value joins the group or gets a kernel; others become needs. */
  private admit(group: Group, role: Role, reader: Shape, access: Access): void {
    const { source } = access
    if (this.groupOf.get(source) === group) return
    if (this.isWaiting(source)) {
      if (!this.options.fuse && opOf(source).lowering.kind !== 'generate') return this.settle(source)
      const inner = role === 'prologue' ? (this.users.get(source)!.size === 1 ? 'prologue' : null) : this.roleFor(group, role, reader, access)
      if (inner) return this.join(group, source, inner)
      this.settle(source)
    }
    const root = storageRoot(source)
    if ((root !== source && this.isWaiting(root)) || this.forced.has(root)) this.settle(root)
    const other = this.groupOf.get(root)
    if (other && other !== group) group.needs.add(other)
  }

  private roleFor(group: Group, role: Role, reader: Shape, access: Access): Role | null {
    const { source } = access
    const inner = roleIn(group, source)
    if (inner === null || this.forced.has(source)) return null
    group.roles.set(source, inner)
    const legal = readsInPlace(group, role, reader, access)
    group.roles.delete(source)
    return legal ? inner : null
  }

  private isWaiting(node: Node): boolean {
    return !this.groupOf.has(node) && isComputed(node)
  }

  /** Gives a value that must be stored a kernel of its own, unless it has one. */
  private settle(node: Node): void {
    if (this.groupOf.has(node) || (isPlainLeaf(node) && !this.isOutput(node))) return
    const scalars = node.type.shape.length === 0 ? this.groups.find((g) => g.kind === 'map' && g.domain.length === 0 && this.canJoin(g, node)) : undefined
    if (scalars && this.options.fuse && isComputed(node)) return this.join(scalars, node, 'full')
    this.open('map', node, node.type.shape)
  }

  private isOutput(node: Node): boolean {
    return this.graph.outputs.some((output) => storageRoot(output.node) === node)
  }

  private isRoot(node: Node): boolean {
    return rootsOf(this.graph).some((root) => storageRoot(root) === node)
  }

  private open(kind: Group['kind'], node: Node, domain: Group['domain'], reduced: readonly number[] = []): Group {
    const group: Group = { id: this.groups.length, kind, domain, reduced, roles: new Map(), needs: new Set() }
    this.groups.push(group)
    this.join(group, node, reduced.length > 0 || kind === 'reduce' ? 'row' : 'full')
    return group
  }

  private placeForced(node: Node): void {
    if (!this.groupOf.has(node)) this.open('map', node, node.type.shape)
  }

  /** A reduction joins a kernel over the same domain, or turns the map that makes its input into one. */
  private placeReduction(node: Node, axes: readonly number[]): void {
    const domain = node.inputs[0]!.type.shape
    const [access] = accessesOf(node)
    const candidates = this.groups.filter((g) => this.options.fuse && this.canReduceIn(g, domain, axes, node)).sort((a, b) => b.id - a.id)
    const home = candidates.find((g) => g === this.groupOf.get(access!.source)) ?? candidates.find((g) => this.sharesReads(g, node))
    if (!home) return void this.openReduction(node, domain, axes)
    home.kind = 'reduce'
    home.reduced = axes
    this.joinReduction(home, node)
  }

  private openReduction(node: Node, domain: Group['domain'], axes: readonly number[]): void {
    const group: Group = { id: this.groups.length, kind: 'reduce', domain, reduced: axes, roles: new Map(), needs: new Set() }
    this.groups.push(group)
    this.joinReduction(group, node)
  }

  private joinReduction(group: Group, node: Node): void {
    const [access] = accessesOf(node)
    this.admitReduced(group, access!)
    group.roles.set(node, 'row')
    this.groupOf.set(node, group)
  }

  /** The reduced value is over the domain whatever the axes: waiting values may be computed inside the loop. */
  private admitReduced(group: Group, access: Access): void {
    const { source } = access
    const inside = this.isWaiting(source) && !this.forced.has(source) && this.users.get(source)!.size === 1 && equalShapes(source.type.shape, group.domain)
    if (inside) return this.join(group, source, 'full')
    this.admit(group, 'full', group.domain, access)
  }

  private canReduceIn(group: Group, domain: Group['domain'], axes: readonly number[], node: Node): boolean {
    if (!equalShapes(group.domain, domain)) return false
    const asReduce = group.kind === 'reduce' && group.reduced.length === axes.length && group.reduced.every((a, i) => a === axes[i])
    const asMap = group.kind === 'map' && this.canBecomeReduction(group, axes, node)
    if (!asReduce && !asMap) return false
    const [access] = accessesOf(node)
    if (this.groupOf.get(access!.source) === group) return readsInPlace({ ...group, kind: 'reduce', reduced: axes }, 'full', domain, access!)
    const other = storingGroup(access!, this.groupOf)
    return other === undefined || (other !== group && !reaches(other, group))
  }

  /** Over other than the last axes, stored values would be written in the inner loop: then the map stays a map. */
  private canBecomeReduction(group: Group, axes: readonly number[], node: Node): boolean {
    const domain = group.domain
    if (axes.every((axis) => axis >= domain.length - axes.length)) return true
    return [...group.roles.keys()].every((inner) => [...(this.users.get(inner) ?? [])].every((user) => user === node || group.roles.has(user)) && !this.isRoot(inner))
  }

  /** Reads some stored value that the group reads already, directly or through values that still wait. */
  private sharesReads(group: Group, node: Node): boolean {
    const reads = this.readsOf(group)
    return this.readsThroughWaiting(node).some((source) => reads.has(source) || group.roles.has(source))
  }

  private readsThroughWaiting(node: Node): Node[] {
    return accessesOf(node).flatMap(({ source }) => (this.isWaiting(source) ? this.readsThroughWaiting(source) : isGenerated(source) ? [] : [source]))
  }

  private placeContraction(node: Node): void {
    const group: Group = { id: this.groups.length, kind: 'contract', domain: node.type.shape, reduced: [], roles: new Map(), needs: new Set() }
    this.groups.push(group)
    for (const access of accessesOf(node)) this.admitOperand(group, node, access)
    group.roles.set(node, 'full')
    this.groupOf.set(node, group)
  }

  /** An operand computed by a pointwise kernel that nothing else reads moves into the prologue. */
  private admitOperand(group: Group, node: Node, access: Access): void {
    const { source } = access
    const maker = this.groupOf.get(source)
    if (maker?.kind === 'map' && this.onlyFeeds(maker, node)) this.absorb(group, maker)
    else if (this.isWaiting(source) && !this.forced.has(source) && this.users.get(source)!.size === 1) this.join(group, source, 'prologue')
    else this.admit(group, 'prologue', source.type.shape, access)
  }

  private onlyFeeds(maker: Group, node: Node): boolean {
    return this.options.fuse && [...maker.roles.keys()].every((inner) =>
      opOf(inner).cost !== 'costly' && opOf(inner).lowering.kind === 'pointwise' && !this.forced.has(inner) && !this.isRoot(inner) &&
      [...(this.users.get(inner) ?? [])].every((user) => user === node || maker.roles.has(user)))
  }

  private absorb(group: Group, maker: Group): void {
    for (const inner of maker.roles.keys()) { group.roles.set(inner, 'prologue'); this.groupOf.set(inner, group) }
    for (const needed of maker.needs) group.needs.add(needed)
    for (const other of this.groups) if (other.needs.delete(maker) && other !== group) other.needs.add(group)
    this.groups.splice(this.groups.indexOf(maker), 1)
  }

  private placeTiles(node: Node): void {
    this.open('tiles', node, node.type.shape)
  }
}

const isComputed = (node: Node): boolean => {
  const { lowering, cost } = opOf(node)
  switch (lowering.kind) {
    case 'pointwise': case 'reduce': case 'argmax': case 'contract': case 'tiles': return true
    case 'generate': return cost === 'costly'
    case 'indexMap': case 'view': case 'leaf': return false
  }
}

/** A leaf whose bytes exist outside: an input or a variable. */
const isPlainLeaf = (node: Node): boolean => opOf(node).lowering.kind === 'leaf'
const isGenerated = (node: Node): boolean => opOf(node).lowering.kind === 'generate'
