/** Kernels to loops: each kind of kernel has one shape of nest; what happens inside comes from the ops' records. */
import { addIndex, axisIndex, combined, constIndex, linearIndex, localExpr, placesIn, scaleIndex, shiftIndex } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import type { Kernel, KernelGraph, Placement } from '../ir/kernel-graph.js'
import { accumulatorsOf, type Axis, type Chain, type Combination, type Expr, type Index, type KernelProgram, type StaticAxis, type Stmt, type Totals } from '../ir/loop.js'
import type { Shape } from '../ir/dim.js'
import { identityIndex, isUnit, storageRoot } from '../ops/access.js'
import type { ContractAxes } from '../ops/define-op.js'
import { opOf } from '../ops/registry.js'
import { Bindings, type Binding } from './bindings.js'
import { levelsOf } from './levels.js'
import { Scope } from './scope.js'
import { Values } from './values.js'

export type LoweredKernel = { readonly kernel: Kernel; readonly program: KernelProgram; readonly bindings: readonly Binding[] }

export const lowerKernels = (graph: KernelGraph): LoweredKernel[] => graph.kernels.map((kernel) => lowerKernel(graph, kernel))

export function lowerKernel(graph: KernelGraph, kernel: Kernel): LoweredKernel {
  const lowering = new KernelLowering(graph, kernel)
  const body = lowering.body()
  const bindings = lowering.bindings.list()
  const program: KernelProgram = {
    name: kernel.name, chains: lowering.chains, body, scratch: [], splits: [], launches: [], isAtOnce: false, from: kernel.from,
    buffers: bindings.map((b) => b.buffer),
    reads: bindings.filter((b) => b.read).map((b) => b.buffer.name),
    writes: bindings.filter((b) => b.written).map((b) => b.buffer.name),
  }
  return { kernel, program, bindings }
}

/** One of the rows that are finished together. */
type Place = { readonly scope: Scope; readonly index: readonly Index[] }

type OperandAxes = ContractAxes['lhs']

class KernelLowering {
  readonly bindings: Bindings
  readonly chains: Chain[] = []
  private readonly values: Values

  constructor(private readonly graph: KernelGraph, private readonly kernel: Kernel) {
    this.bindings = new Bindings(graph)
    this.values = new Values(kernel, this.bindings)
  }

  body(): Stmt[] {
    switch (this.kernel.kind) {
      case 'map': return this.map()
      case 'reduce': return this.reduction()
      case 'contract': return this.contraction()
      case 'collect': return this.collection()
      case 'tiles': return this.tiles()
    }
  }

  private map(): Stmt[] {
    const scope = Scope.outermost()
    this.storeAll(this.kernel.stored, scope)
    return nest(axesOf(this.kernel.domain), scope.statements)
  }

  /**
   * Per kept position: combinations and row values in order, then whatever is stored over the domain. Combinations that do not
   * wait for each other are found in one loop, in which values over the domain are stored that are known there.
   */
  private reduction(): Stmt[] {
    const { domain, reduced, nodes } = this.kernel, levels = levelsOf(this.kernel)
    const rows = Scope.outermost(), axes = axesOf(domain).filter((_, i) => reduced.includes(i))
    const last = Math.max(...levels.values())
    let wide = this.kernel.stored.filter((node) => !this.isRow(node))
    for (let level = 0; level <= last; level++) {
      const found = nodes.filter((node) => levels.get(node) === level && this.isRow(node))
      const together = found.filter((node) => opOf(node).lowering.kind === 'reduce')
      const stored = together.length === 0 ? [] : wide.filter((node) => levels.get(node)! < level && this.isFresh(node))
      wide = wide.filter((node) => !stored.includes(node))
      if (together.length > 0) this.bindReductions(together, stored, axes, rows)
      for (const node of found) if (!together.includes(node)) this.bindRow(node, rows)
    }
    this.storeAll(this.kernel.stored.filter((node) => this.isRow(node)), rows)
    if (wide.length > 0) {
      const inner = rows.inner()
      this.storeAll(wide, inner)
      rows.statements.push(...nest(axes, inner.statements))
    }
    return nest(axesOf(domain).filter((_, i) => !reduced.includes(i)), rows.statements)
  }

  private isRow(node: Node): boolean {
    return this.kernel.roles.get(node) === 'row'
  }

  /** Stored where nothing is read that the kernel still needs. */
  private isFresh(node: Node): boolean {
    return this.graph.homes.get(node)!.every((home) => home.kind === 'arena' || home.kind === 'output')
  }

  private bindRow(node: Node, rows: Scope): void {
    if (opOf(node).lowering.kind === 'argmax') return this.bindArgmax(node, rows)
    this.values.at(node, this.rowIndex(node), rows)
  }

  private bindReductions(nodes: readonly Node[], stored: readonly Node[], axes: readonly Axis[], rows: Scope): void {
    const inner = rows.inner(), place = identityIndex(this.kernel.domain.length)
    const results = nodes.map((node): Combination => {
      const { lowering } = opOf(node)
      if (lowering.kind !== 'reduce') throw new Error(`${node.op} is no reduction`)
      return { name: rows.freshName(), op: lowering.op, dtype: node.type.dtype, value: this.values.at(node.inputs[0]!, place, inner) }
    })
    this.storeAll(stored, inner)
    rows.statements.push({ kind: 'reduce', results, axes, modes: axes.map(() => 'serial'), body: inner.statements, from: nodes[0]!.from })
    nodes.forEach((node, i) => rows.define(node, { kind: 'local', dtype: node.type.dtype, name: results[i]!.name }))
  }

  private bindArgmax(node: Node, rows: Scope): void {
    const inner = rows.inner()
    const value = this.values.at(node.inputs[0]!, identityIndex(this.kernel.domain.length), inner)
    const name = rows.freshName()
    const axis = axesOf(this.kernel.domain)[this.kernel.reduced[0]!]!
    rows.statements.push({ kind: 'argmax', name, axis, mode: 'serial', body: inner.statements, value, from: node.from })
    rows.define(node, { kind: 'local', dtype: 'int32', name })
  }

  /** The kept axes as a position in `node`; axes of size one stand at 0. */
  private rowIndex(node: Node): Index[] {
    const { domain, reduced } = this.kernel
    const kept = identityIndex(domain.length).filter((_, i) => !reduced.includes(i) && !isUnit(domain[i]!))
    let next = 0
    return node.type.shape.map((dim) => (isUnit(dim) ? constIndex(0) : kept[next++]!))
  }

  private contraction(): Stmt[] {
    const node = this.kernel.nodes.find((n) => opOf(n).lowering.kind === 'contract')!
    const { lowering } = opOf(node)
    if (lowering.kind !== 'contract') throw new Error(`${node.op} is not a contraction`)
    const axes = lowering.axes(node)
    const [lhs, rhs] = node.inputs as [Node, Node]
    const result = axesOf(this.kernel.domain), rows = axes.lhs.outer.length
    const m = result.slice(0, rows), n = result.slice(rows)
    const k = axes.lhs.inner.map((axis, i): Axis => ({ name: `k${i}`, extent: lhs.type.shape[axis]! }))
    const at = (operand: Node, { outer, inner }: OperandAxes, outside: readonly Axis[]): Expr => {
      const index = operand.type.shape.map((_, axis) => axisIndex((outside[outer.indexOf(axis)] ?? k[inner.indexOf(axis)])!.name))
      return this.values.at(operand, index, Scope.outermost())
    }
    const epilogue = Scope.outermost(), accumulator = 'accumulator'
    const operands = { lhs: at(lhs, axes.lhs, m), rhs: at(rhs, axes.rhs, n) }
    const together = m.slice(rows - this.kernel.reduced.length) as StaticAxis[]
    if (this.kernel.reduced.length > 0) this.finishTogether(node, accumulatorsOf({ accumulator, together }), together, epilogue)
    else {
      epilogue.define(node, { kind: 'local', dtype: node.type.dtype, name: accumulator })
      this.storeAll(this.kernel.stored.filter((each) => !this.isColumn(each)), epilogue)
    }
    return [{ kind: 'contract', m, n, k, ...operands, accumulator, totals: this.totals(n), squares: null, together: this.kernel.reduced.length > 0 ? together : [], epilogue: epilogue.statements, from: node.from }]
  }

  /** Sums of the right operand for each column, with what is made of them. */
  private totals(n: readonly Axis[]): Totals | null {
    const sums = this.kernel.nodes.filter((node) => this.isColumn(node) && opOf(node).lowering.kind === 'reduce')
    if (sums.length === 0) return null
    const scope = Scope.outermost('t'), accumulator = 'total'
    for (const sum of sums) scope.define(sum, localExpr(sum.type.dtype, accumulator))
    const index = n.map((axis) => axisIndex(axis.name)), stored = this.kernel.stored.filter((node) => this.isColumn(node))
    const found = stored.map((node) => ({ node, value: scope.bind(node, this.values.at(node, index, scope)) }))
    for (const { node, value } of found) scope.statements.push(...this.stores(node, index, value))
    return { accumulator, epilogue: scope.statements }
  }

  private isColumn(node: Node): boolean {
    return this.kernel.roles.get(node) === 'column'
  }

  /** Combinations over the rows that are finished together, level by level as in a reduction, each row written out. */
  private finishTogether(product: Node, sums: readonly string[], together: readonly StaticAxis[], scope: Scope): void {
    const { domain, nodes, stored } = this.kernel, levels = levelsOf(this.kernel)
    const places = placesIn(together).map((at, i): Place => {
      const fixed = new Map(at), own = scope.beside()
      own.define(product, localExpr(product.type.dtype, sums[i]!))
      return { scope: own, index: domain.map((_, axis) => fixed.get(`d${axis}`) ?? axisIndex(`d${axis}`)) }
    })
    for (let level = 0; level <= Math.max(...levels.values()); level++) {
      const found = nodes.filter((node) => levels.get(node) === level && this.isRow(node))
      for (const node of found) if (opOf(node).lowering.kind === 'reduce') scope.define(node, this.combinedPlaces(node, places, scope))
      for (const node of found) this.values.at(node, this.rowIndex(node), scope)
    }
    const wide = stored.filter((node) => !this.isRow(node) && !this.isColumn(node)).flatMap((node) => places.map((at) => ({ node, index: at.index, value: at.scope.bind(node, this.values.at(node, at.index, at.scope)) })))
    const rows = stored.filter((node) => this.isRow(node)).map((node) => ({ node, index: this.rowIndex(node), value: this.values.at(node, this.rowIndex(node), scope) }))
    for (const { node, index, value } of [...wide, ...rows]) scope.statements.push(...this.stores(node, index, value))
  }

  private combinedPlaces(node: Node, places: readonly Place[], scope: Scope): Expr {
    const { lowering } = opOf(node), { dtype } = node.type
    if (lowering.kind !== 'reduce') throw new Error(`${node.op} is no reduction`)
    const values = places.map((at) => this.values.at(node.inputs[0]!, at.index, at.scope))
    return scope.bind(node, values.reduce((all, value) => combined({ op: lowering.op, dtype }, all, value)))
  }

  /** Per element the sum along its place's list; then whatever is stored. */
  private collection(): Stmt[] {
    const node = this.kernel.nodes.find((n) => opOf(n).lowering.kind === 'collect')!
    const { lowering } = opOf(node)
    if (lowering.kind !== 'collect') throw new Error(`${node.op} does not collect`)
    const [rows, updates] = node.inputs as [Node, Node]
    const axis = lowering.axis(node), place = identityIndex(this.kernel.domain.length)
    const position: Axis = { name: 'p', extent: rows.type.shape[0]! }
    const at = this.values.at(rows, [axisIndex(position.name)], Scope.outermost())
    this.chains.push({ name: 'rows', axis: position, at, extent: node.type.shape[axis]!, from: node.from })
    const value = this.values.at(updates, place.map((ix, i) => (i === axis ? axisIndex(position.name) : ix)), Scope.outermost())
    const scope = Scope.outermost(), name = scope.freshName()
    scope.statements.push({ kind: 'follow', name, op: 'sum', dtype: node.type.dtype, chain: 'rows', row: place[axis]!, position: position.name, body: [], value, from: node.from })
    scope.define(node, { kind: 'local', dtype: node.type.dtype, name })
    this.storeAll(this.kernel.stored, scope)
    return nest(axesOf(this.kernel.domain), scope.statements)
  }

  private tiles(): Stmt[] {
    const node = this.kernel.nodes[0]!
    const { lowering } = opOf(node)
    if (lowering.kind !== 'tiles') throw new Error(`${node.op} is not made of tiles`)
    const offsets = lowering.offsets(node)
    return node.inputs.flatMap((input, i) => {
      if (this.graph.placements.has(storageRoot(input))) return []
      const scope = Scope.outermost()
      const index = identityIndex(input.type.shape.length)
      const value = this.values.at(input, index, scope)
      const target = index.map((ix, d) => shiftIndex(ix, offsets[i]![d]!))
      scope.statements.push(...this.stores(node, target, value))
      return nest(axesOf(input.type.shape), scope.statements)
    })
  }

  /** All values first: a store may replace what another value reads. */
  private storeAll(nodes: readonly Node[], scope: Scope): void {
    const found = nodes.map((node) => {
      const index = this.isRow(node) ? this.rowIndex(node) : identityIndex(this.kernel.domain.length)
      const value = this.values.at(node, index, scope)
      return { node, index, value: nodes.length > 1 ? scope.bind(node, value) : value }
    })
    for (const { node, index, value } of found) {
      scope.statements.push(...this.stores(node, index, value))
    }
  }

  /** The element at `index` in every home of `node`, or of what it is a part of. */
  private stores(node: Node, index: readonly Index[], value: Expr): Stmt[] {
    const place = this.graph.placements.get(node)
    const at = place ? placedIndex(index, place) : linearIndex(index, node.type.shape)
    return this.targets(node).map((home) => ({ kind: 'store', buffer: this.bindings.write(place?.root ?? node, home).name, index: at, value, from: node.from }))
  }

  /** A leaf is already in its first home: a kernel over it copies it to the others. */
  private targets(node: Node) {
    const homes = this.graph.homes.get(node)!
    return opOf(node).lowering.kind === 'leaf' ? homes.slice(1) : homes
  }
}

const placedIndex = (index: readonly Index[], { strides, offset }: Placement): Index =>
  index.reduce((sum, ix, i) => addIndex(sum, scaleIndex(ix, strides[i]!)), constIndex(offset))

const axesOf = (shape: Shape): Axis[] => shape.map((extent, i) => ({ name: `d${i}`, extent }))

/** Loops over the axes, outermost first, around `body`. */
const nest = (axes: readonly Axis[], body: readonly Stmt[]): Stmt[] =>
  axes.reduceRight<readonly Stmt[]>((inner, axis) => [{ kind: 'for', axis, mode: 'serial', body: inner }], body) as Stmt[]

