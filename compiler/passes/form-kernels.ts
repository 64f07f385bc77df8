/**
 * Fusion: cuts a function into kernels.
 *
 * Before: a simplified graph. After: every value that another kernel, an output or an update reads is stored by one kernel.
 *
 * Nodes are visited inputs first and each joins the kernel of its latest producer when that is legal: same domain, read
 * at the same position (or at its row), and no cycle between kernels. So work moves to where its inputs are made: bias,
 * activation, dropout and masks go into the epilogue of a product, an optimizer's update into the product that made the
 * gradient, a softmax with its loss and gradient into one kernel over rows. Values that depend on no kernel (a random mask)
 * wait for their first reader. Pointwise operands of a product that nothing else reads become its prologue.
 *
 * Then costs decide: cheap values are computed by each of their readers instead of being stored where that moves less memory
 * (`choose-stores.ts`), and kernels that read the same become one (`join-siblings.ts`, `join-totals.ts`).
 *
 *   %0 = matmul(%x, %w)              kernel dense_1_matmul contract [B,64] {
 *   %1 = add(%0, broadcast(%b))  →     matmul, add, relu → store relu
 *   %2 = relu(%1)                    }
 */
import type { Graph, Node } from '../ir/graph.js'
import { rootsOf, topological } from '../ir/graph.js'
import type { KernelGraph, Role } from '../ir/kernel-graph.js'
import { serverRates, type Rates } from '../ir/cost.js'
import { equalShapes, isStatic } from '../ir/dim.js'
import { readsEachOnce, storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { chooseStores } from './choose-stores.js'
import { admissionOf, isLegal, type Admission, type Forming } from './kernel-admission.js'
import { joinSiblings } from './join-siblings.js'
import { joinTotals } from './join-totals.js'
import { accessesOf, maxReads, mostRowsTogether, readsInPlace, reaches, roleIn, type Formed, type Group } from './kernel-groups.js'
import { orderKernels } from './order-kernels.js'

export type FusionOptions = {
  /** false: one kernel per op, for comparison. */
  readonly fuse: boolean
  /** What decides where values are stored; those of a server by default. */
  readonly rates?: Rates
  /** Whether the end of a product may combine what it has made; so by default. */
  readonly combinesInProducts?: boolean
  /** Whether kernels that do not wait for each other start together: then a number made of what several of them give is not computed by the last. By default they run one after another. */
  readonly startsTogether?: boolean
}

export function formKernels(graph: Graph, options: FusionOptions = { fuse: true }): KernelGraph {
  const formed = new KernelFormer(graph, options).form()
  if (!options.fuse) return orderKernels(graph, formed, false)
  const rates = options.rates ?? serverRates
  // Once more: a kernel that has become larger may read already what a value is made of.
  const chosen = chooseStores(graph, joinSiblings(chooseStores(graph, formed, rates)), rates)
  return orderKernels(graph, options.combinesInProducts === false ? chosen : joinTotals(chosen), true)
}

class KernelFormer {
  private readonly groups: Group[] = []
  private readonly groupOf = new Map<Node, Group>()
  private readonly users = new Map<Node, Set<Node>>()
  private readonly reads = new Map<Node, number>()
  private readonly roots: ReadonlySet<Node>
  private readonly forced: ReadonlySet<Node>
  private readonly order: readonly Node[]
  private readonly forming: Forming
  /** What is known of nodes until another gets a kernel: asked along all paths, it would be asked too often. */
  private floating = { size: 0, known: new Map<Node, boolean>() }

  constructor(private readonly graph: Graph, private readonly options: FusionOptions) {
    this.order = topological(rootsOf(graph))
    this.roots = new Set(rootsOf(graph).map(storageRoot))
    for (const node of this.order) for (const { source } of accessesOf(node)) this.addUser(source, node)
    this.forming = {
      groupOf: this.groupOf, isReadOnce: (node) => this.isReadOnce(node), isWaiting: (node) => this.isWaiting(node),
      mayFollow: (node) => !this.forced.has(node) && (options.fuse || opOf(node).lowering.kind === 'generate'),
    }
    this.forced = new Set(this.storageDemands().filter((node) => !isComputed(node) && !isPlainLeaf(node)))
  }

  form(): Formed {
    for (const node of this.order) this.visit(node)
    for (const root of rootsOf(this.graph)) this.settle(storageRoot(root))
    for (const node of this.forced) this.settle(node)
    return { groups: this.groups, groupOf: this.groupOf }
  }

  private addUser(source: Node, user: Node): void {
    const users = this.users.get(source) ?? new Set<Node>()
    this.users.set(source, users.add(user))
    this.reads.set(source, (this.reads.get(source) ?? 0) + 1)
  }

  /** Its one reader may compute it in place: nothing else wants it. */
  private isReadOnce(node: Node): boolean {
    return this.reads.get(node) === 1 && !this.roots.has(node)
  }

  /** Nodes whose bytes must exist: roots, what a reshaping view shows, and tables that something is looked up in. */
  private storageDemands(): Node[] {
    const viewed = this.order.flatMap((node) => accessesOf(node)).filter(({ source, use }) => use === 'table' || opOf(source).lowering.kind === 'view')
    return [...rootsOf(this.graph), ...viewed.map((a) => a.source)].map(storageRoot)
  }

  private visit(node: Node): void {
    const { lowering } = opOf(node)
    switch (lowering.kind) {
      case 'pointwise':
      case 'lookup': return this.isFloating(node) ? undefined : this.placePointwise(node)
      case 'reduce': return this.placeReduction(node, lowering.axes(node))
      case 'argmax': return this.placeReduction(node, [lowering.axis(node)])
      case 'contract':
      case 'collect': return this.placeProduct(lowering.kind, node)
      case 'tiles': return this.placeTiles(node)
      case 'indexMap':
      case 'border': return this.forced.has(node) ? this.placeForced(node) : undefined
      case 'generate':
      case 'view':
      case 'leaf': return undefined
      case 'composed': throw new Error(`${node.op} has not been expanded`)
    }
  }

  /** A node that depends on no kernel yet waits for its first reader. */
  private isFloating(node: Node): boolean {
    if (this.floating.size !== this.groupOf.size) this.floating = { size: this.groupOf.size, known: new Map() }
    const { known } = this.floating, before = known.get(node)
    if (before !== undefined) return before
    const found = this.options.fuse && accessesOf(node).every((access) => this.isFree(access.source))
    known.set(node, found)
    return found
  }

  private isFree(node: Node): boolean {
    const root = storageRoot(node)
    if (this.groupOf.has(root) || this.forced.has(root)) return false
    const { kind } = opOf(root).lowering
    return kind === 'leaf' || kind === 'generate' || ((kind === 'pointwise' || kind === 'lookup') && this.isFloating(root))
  }

  private placePointwise(node: Node): void {
    const candidates = new Set(accessesOf(node).flatMap((a) => this.groupOf.get(a.source) ?? []))
    const latestFirst = [...candidates].sort((a, b) => b.id - a.id)
    const mayWait = (group: Group): boolean => this.options.startsTogether !== true || node.type.shape.length > 0 || group.domain.length === 0 || latestFirst.every((other) => reaches(group, other))
    const home = this.options.fuse ? latestFirst.find((group) => mayWait(group) && this.canJoin(group, node)) : undefined
    if (home) this.join(home, node, roleIn(home, node)!)
    else this.open('map', node)
  }

  private canJoin(group: Group, node: Node): boolean {
    const role = roleIn(group, node)
    if (role === null || this.readsOf(group).size >= maxReads) return false
    return isLegal(admissionOf(node, role, group, this.forming), group, this.forming)
  }

  private readsOf(group: Group): Set<Node> {
    const sources = [...group.roles.keys()].flatMap((node) => accessesOf(node).map((a) => a.source))
    return new Set(sources.filter((s) => !group.roles.has(s) && !isGenerated(s)))
  }

  /** Computes `node` in `group`, whose admission is legal, with the waiting values that follow it. */
  private join(group: Group, node: Node, role: Role, before: readonly Group[] = []): void {
    const { members, outsiders } = admissionOf(node, role, group, this.forming)
    for (const outsider of outsiders) this.settle(outsider, [...before, group])
    this.enter(group, members)
  }

  private enter(group: Group, members: Admission['members']): void {
    for (const [member, role] of members) { group.roles.set(member, role); this.groupOf.set(member, group) }
    for (const member of members.keys()) this.need(group, member)
  }

  private need(group: Group, node: Node): void {
    for (const { source } of accessesOf(node)) {
      const other = this.groupOf.get(source) ?? this.groupOf.get(storageRoot(source))
      if (other && other !== group) group.needs.add(other)
    }
  }

  /** Must be computed or copied, and no kernel does so yet. */
  private isWaiting(node: Node): boolean {
    return !this.groupOf.has(node) && (isComputed(node) || this.forced.has(node))
  }

  /** Gives a value that must be stored a kernel of its own, unless it has one. Kernels of `before` will need it. */
  private settle(node: Node, before: readonly Group[] = []): void {
    if (this.groupOf.has(node) || (isPlainLeaf(node) && !this.isOutput(node))) return
    const shared = this.options.fuse && isComputed(node) && node.type.shape.length === 0
    const scalars = shared ? this.groups.find((g) => g.kind === 'map' && g.domain.length === 0 && before.every((b) => !reaches(g, b)) && this.canJoin(g, node)) : undefined
    if (scalars) this.join(scalars, node, 'full', before)
    else this.open('map', node, before)
  }

  private isOutput(node: Node): boolean {
    return this.graph.outputs.some((output) => storageRoot(output.node) === node)
  }

  private isRoot(node: Node): boolean {
    return this.roots.has(node)
  }

  /**
   * A new kernel for `node`. What cannot follow it is given a kernel first, and so is what is read both at its own
   * position and elsewhere, until the rest can come along.
   */
  private open(kind: Group['kind'], node: Node, before: readonly Group[] = []): void {
    const group = this.newGroup(kind, node.type.shape)
    this.settleApart(() => admissionOf(node, 'full', group, this.forming), before)
    this.add(group, admissionOf(node, 'full', group, this.forming).members)
  }

  private newGroup(kind: Group['kind'], domain: Group['domain'], reduced: readonly number[] = []): Group {
    return { id: this.groups.length, kind, domain, reduced, roles: new Map(), needs: new Set() }
  }

  private add(group: Group, members: Admission['members']): void {
    this.groups.push({ ...group, id: this.groups.length })
    this.enter(this.groups.at(-1)!, members)
  }

  private placeForced(node: Node): void {
    if (!this.groupOf.has(node)) this.open('map', node)
  }

  /** A reduction joins a kernel over the same domain, or turns the map that makes its input into one, or follows a product over few of its rows. */
  private placeReduction(node: Node, axes: readonly number[]): void {
    const domain = node.inputs[0]!.type.shape
    const [access] = accessesOf(node)
    const candidates = this.groups.filter((g) => this.options.fuse && this.canReduceIn(g, domain, axes, node)).sort((a, b) => b.id - a.id)
    const home = candidates.find((g) => g === this.groupOf.get(access!.source)) ?? candidates.find((g) => this.sharesReads(g, node))
    if (!home) return void this.openReduction(node, domain, axes)
    if (home.kind === 'map') home.kind = 'reduce'
    home.reduced = axes
    this.joinReduction(home, node)
  }

  private openReduction(node: Node, domain: Group['domain'], axes: readonly number[]): void {
    const group = this.newGroup('reduce', domain, axes)
    this.settleApart(() => this.reducedAdmission(group, node))
    this.add(group, this.reducedAdmission(group, node).members)
  }

  /** Kernels for all that cannot come along, until nothing is left. */
  private settleApart(admission: () => Admission, before: readonly Group[] = []): void {
    for (;;) {
      const { outsiders, misplaced } = admission()
      if (outsiders.length + misplaced.length === 0) return
      for (const apart of [...outsiders, ...misplaced]) this.settle(apart, before)
    }
  }

  private joinReduction(group: Group, node: Node): void {
    const { members, outsiders } = this.reducedAdmission(group, node)
    for (const outsider of outsiders) this.settle(outsider, [group])
    this.enter(group, members)
  }

  /** The reduced value is over the domain whatever the axes: a waiting value may be computed inside the loop. */
  private reducedAdmission(group: Group, node: Node): Admission {
    const [access] = accessesOf(node), { source } = access!
    const alone = this.isWaiting(source) && this.forming.mayFollow(source) && this.users.get(source)!.size === 1
    const trial: Group = { ...group, roles: new Map([[source, 'full']]) }
    if (!alone || !equalShapes(source.type.shape, group.domain) || !readsInPlace(trial, 'full', group.domain, access!)) return admissionOf(node, 'row', group, this.forming)
    const own = admissionOf(source, 'full', group, this.forming)
    return { ...own, members: new Map<Node, Role>([...own.members, [node, 'row']]) }
  }

  private canReduceIn(group: Group, domain: Group['domain'], axes: readonly number[], node: Node): boolean {
    if (!equalShapes(group.domain, domain)) return false
    const asReduce = group.kind === 'reduce' && group.reduced.length === axes.length && group.reduced.every((a, i) => a === axes[i])
    const asMap = group.kind === 'map' && this.canBecomeReduction(group, axes, node)
    const [access] = accessesOf(node), asProduct = this.options.combinesInProducts !== false && this.groupOf.get(access!.source) === group && finishesTogether(group, axes)
    if (!asReduce && !asMap && !asProduct) return false
    const trial: Group = { ...group, kind: asProduct ? 'contract' : 'reduce', reduced: axes }
    if (this.groupOf.get(access!.source) === group) return readsInPlace(trial, 'full', domain, access!)
    return isLegal(this.reducedAdmission(trial, node), group, this.forming)
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

  private readsThroughWaiting(node: Node, seen = new Set<Node>()): Node[] {
    return accessesOf(node).flatMap(({ source }) => {
      if (seen.has(source) || isGenerated(source)) return []
      seen.add(source)
      return this.isWaiting(source) ? this.readsThroughWaiting(source, seen) : [source]
    })
  }

  /** A kernel for values that are combined from operands of other shapes. */
  private placeProduct(kind: 'contract' | 'collect', node: Node): void {
    const group = this.newGroup(kind, node.type.shape)
    this.groups.push(group)
    for (const access of accessesOf(node)) this.admitOperand(group, node, access)
    group.roles.set(node, 'full')
    this.groupOf.set(node, group)
    this.need(group, node)
  }

  /** An operand computed by a pointwise kernel that nothing else reads moves into the prologue, unless windows of it overlap. */
  private admitOperand(group: Group, node: Node, access: Access): void {
    const { source } = access, maker = this.groupOf.get(source), once = readsEachOnce(access)
    if (once && maker?.kind === 'map' && this.onlyFeeds(maker, node)) return this.absorb(group, maker)
    if (once && this.isWaiting(source) && this.forming.mayFollow(source) && this.isReadOnce(source)) return this.join(group, source, 'prologue')
    for (const waiting of new Set([source, storageRoot(source)])) if (this.isWaiting(waiting)) this.settle(waiting)
  }

  private onlyFeeds(maker: Group, node: Node): boolean {
    return this.options.fuse && [...maker.roles.keys()].every((inner) =>
      opOf(inner).cost !== 'costly' && opOf(inner).lowering.kind === 'pointwise' && !this.forced.has(inner) && this.isReadOnce(inner) &&
      [...(this.users.get(inner) ?? [])].every((user) => user === node || maker.roles.has(user)))
  }

  private absorb(group: Group, maker: Group): void {
    for (const inner of maker.roles.keys()) { group.roles.set(inner, 'prologue'); this.groupOf.set(inner, group) }
    for (const needed of maker.needs) group.needs.add(needed)
    for (const other of this.groups) if (other.needs.delete(maker) && other !== group) other.needs.add(group)
    this.groups.splice(this.groups.indexOf(maker), 1)
  }

  private placeTiles(node: Node): void {
    this.open('tiles', node)
  }
}

const isComputed = (node: Node): boolean => {
  const { lowering, cost } = opOf(node)
  switch (lowering.kind) {
    case 'pointwise': case 'reduce': case 'argmax': case 'contract': case 'tiles': case 'lookup': case 'collect': return true
    case 'generate': return cost === 'costly'
    case 'indexMap': case 'border': case 'view': case 'leaf': case 'composed': return false
  }
}

/** May the end of a product combine over `axes`: the last of its rows, of fixed sizes, which it does already or could? */
function finishesTogether({ kind, domain, reduced, roles }: Group, axes: readonly number[]): boolean {
  const product = [...roles.keys()].find((node) => opOf(node).lowering.kind === 'contract')
  const lowering = product && opOf(product).lowering
  if (kind !== 'contract' || lowering?.kind !== 'contract') return false
  const rows = lowering.axes(product!).lhs.outer.length, sizes = axes.map((axis) => domain[axis]!)
  const areLast = axes.length < rows && axes.every((axis, i) => axis === rows - axes.length + i)
  const areSame = reduced.length === 0 || (reduced.length === axes.length && reduced.every((axis, i) => axis === axes[i]))
  return areLast && areSame && sizes.every(isStatic) && sizes.reduce<number>((count, size) => count * Number(size), 1) <= mostRowsTogether
}

/** A leaf whose bytes exist outside: an input or a variable. */
const isPlainLeaf = (node: Node): boolean => opOf(node).lowering.kind === 'leaf'
const isGenerated = (node: Node): boolean => opOf(node).lowering.kind === 'generate'
