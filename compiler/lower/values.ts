/** Elements of graph values as loop expressions: computed here, generated, or loaded from where they are stored. */
import { linearIndex } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import type { Kernel } from '../ir/kernel-graph.js'
import type { Expr, Index } from '../ir/loop.js'
import { readsAt, resolve, storageRoot, type Access } from '../ops/access.js'
import { lookedUp } from '../ops/define-op.js'
import { opOf } from '../ops/registry.js'
import type { Bindings } from './bindings.js'
import type { Scope } from './scope.js'

export class Values {
  private readonly here: ReadonlySet<Node>

  constructor(private readonly kernel: Kernel, readonly bindings: Bindings) {
    this.here = new Set(kernel.nodes)
  }

  /** The element of `node` at `index`, with what must be computed for it bound in `scope`. */
  at(node: Node, index: readonly Index[], scope: Scope): Expr {
    const access = resolve(node, index)
    return access.guards.reduceRight<Expr>((value, guard) => ({ kind: 'guard', dtype: node.type.dtype, ...guard, value }), this.resolved(access, scope))
  }

  private resolved(access: Access, scope: Scope): Expr {
    const { source } = access
    const { lowering } = opOf(source)
    if (lowering.kind === 'generate') return this.generated(source, lowering.expr(access.index, source), scope)
    if (!this.here.has(source) || lowering.kind === 'leaf') return this.load(source, access.index)
    if (lowering.kind === 'pointwise') return this.pointwise(source, access.index, scope)
    if (lowering.kind === 'lookup') return this.lookup(source, access.index, scope)
    const known = scope.lookup(source)
    if (!known) throw new Error(`${source.op} is used before it is computed in kernel ${this.kernel.name}`)
    return known
  }

  private generated(source: Node, value: Expr, scope: Scope): Expr {
    if (!this.here.has(source)) return value
    return scope.lookup(source) ?? scope.bind(source, value)
  }

  private pointwise(source: Node, index: readonly Index[], scope: Scope): Expr {
    const { lowering } = opOf(source)
    if (lowering.kind !== 'pointwise') throw new Error(`${source.op} is not pointwise`)
    const known = scope.lookup(source)
    if (known) return known
    return this.bound(source, lowering.expr(source.inputs.map((input) => this.at(input, index, scope)), source), scope)
  }

  /** A prologue is evaluated at positions of the operand, so that its values have no one name. */
  private bound(source: Node, value: Expr, scope: Scope): Expr {
    return this.kernel.roles.get(source) === 'prologue' ? value : scope.bind(source, value)
  }

  private lookup(source: Node, index: readonly Index[], scope: Scope): Expr {
    const { lowering } = opOf(source)
    if (lowering.kind !== 'lookup') throw new Error(`${source.op} looks nothing up`)
    const known = scope.lookup(source)
    if (known) return known
    const [table, at] = source.inputs as [Node, Node]
    const found = readsAt(source, index)[0]!
    const { terms, ...fixed } = linearIndex(found.index, found.source.type.shape)
    return this.bound(source, {
      kind: 'lookup', dtype: source.type.dtype, buffer: this.bindings.read(storageRoot(found.source)).name,
      index: { ...fixed, terms: terms.filter((t) => t.axis !== lookedUp) },
      at: this.at(at, lowering.at(index, source), scope),
      stride: terms.find((t) => t.axis === lookedUp)?.stride ?? 0, extent: table.type.shape[lowering.axis(source)]!,
    }, scope)
  }

  private load(source: Node, index: readonly Index[]): Expr {
    const buffer = this.bindings.read(storageRoot(source))
    return { kind: 'load', dtype: source.type.dtype, buffer: buffer.name, index: linearIndex(index, source.type.shape) }
  }
}
