/** Nested scopes of named values while a kernel is lowered: a value is bound once, where its axes are in scope. */
import type { Node } from '../ir/graph.js'
import type { Expr, Stmt } from '../ir/loop.js'

export class Scope {
  private readonly locals = new Map<Node, Expr>()

  constructor(private readonly parent: Scope | null, private readonly names: { readonly prefix: string; next: number }, readonly statements: Stmt[] = []) {}

  /** Names begin with `prefix`, which keeps those of two scopes of one statement apart. */
  static outermost(prefix = 'v'): Scope {
    return new Scope(null, { prefix, next: 0 })
  }

  inner(): Scope {
    return new Scope(this, this.names)
  }

  /** Names of its own, bound by statements among those of this one. */
  beside(): Scope {
    return new Scope(this, this.names, this.statements)
  }

  freshName(): string {
    return `${this.names.prefix}${this.names.next++}`
  }

  lookup(node: Node): Expr | undefined {
    return this.locals.get(node) ?? this.parent?.lookup(node)
  }

  define(node: Node, value: Expr): void {
    this.locals.set(node, value)
  }

  /** Binds `node` to a name holding `value`; constants and names stay what they are. */
  bind(node: Node, value: Expr): Expr {
    const bound = value.kind === 'const' || value.kind === 'local' ? value : this.name(node, value)
    this.locals.set(node, bound)
    return bound
  }

  private name(node: Node, value: Expr): Expr {
    const name = this.freshName()
    this.statements.push({ kind: 'let', name, value, from: node.from })
    return { kind: 'local', dtype: node.type.dtype, name }
  }
}
