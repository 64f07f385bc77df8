/**
 * Marks divisions whose denominator is a square root plus a positive constant, as in the update of RMSprop and Adam: the
 * denominator is then far from zero and infinity, so that a target may use a reciprocal and one correction (0.6 ulp)
 * where that is faster than its division. The root itself is marked when it goes nowhere else: below 2^-120 it may
 * have only 13 good bits, which the constant swallows.
 *
 *   let s = sqrt(v)                     let s = sqrtBounded(v)
 *   let d = add(s, 1e-7)           →    let d = add(s, 1e-7)
 *   let q = div(g, d)                   let q = divBounded(g, d)
 */
import type { Expr, KernelProgram, Stmt } from '../ir/loop.js'
import { mapExpressions, localsIn } from './walk.js'

/** 2^-40: the error of a root below 2^-60 is then under a millionth of the sum's last place. */
const smallestConstant = 2 ** -40

export function boundQuotients(kernel: KernelProgram): KernelProgram {
  const facts = new Facts(kernel.body)
  return { ...kernel, body: mapExpressions(kernel.body, (expr) => facts.mark(expr)) }
}

class Facts {
  private readonly values = new Map<string, Expr>()
  private readonly uses = new Map<string, number>()
  private readonly roots = new Set<Expr>()

  constructor(body: readonly Stmt[]) {
    this.collect(body)
    for (const name of localsIn(body)) this.uses.set(name, (this.uses.get(name) ?? 0) + 1)
    for (const value of this.values.values()) this.findRoot(value)
  }

  /** The expression with its quotient or root marked; its arguments were marked before. */
  mark(expr: Expr): Expr {
    if (expr.kind !== 'call') return expr
    if (expr.fn === 'div' && this.rootUnder(expr) !== null) return { ...expr, fn: 'divBounded' }
    return expr.fn === 'sqrt' && this.roots.has(expr) ? { ...expr, fn: 'sqrtBounded' } : expr
  }

  private collect(body: readonly Stmt[]): void {
    for (const s of body) {
      if (s.kind === 'let') this.values.set(s.name, s.value)
      else if (s.kind === 'contract') this.collect(s.epilogue)
      else if (s.kind !== 'store') this.collect(s.body)
    }
  }

  private findRoot(value: Expr): void {
    if (value.kind !== 'call') return
    const root = this.rootUnder(value)
    if (root !== null && root.usedOnce) this.roots.add(root.value)
    value.args.forEach((arg) => this.findRoot(arg))
  }

  private valueOf(expr: Expr): { readonly value: Expr; readonly usedOnce: boolean } {
    const value = expr.kind === 'local' ? this.values.get(expr.name) : undefined
    return value ? { value, usedOnce: this.uses.get((expr as Expr & { kind: 'local' }).name) === 1 } : { value: expr, usedOnce: true }
  }

  /** The square root under a quotient's denominator `sqrt(x) + c`, or null. */
  private rootUnder(quotient: Expr): { readonly value: Expr; readonly usedOnce: boolean } | null {
    if (quotient.kind !== 'call' || quotient.fn !== 'div' || quotient.dtype !== 'float32') return null
    const sum = this.valueOf(quotient.args[1]!)
    if (sum.value.kind !== 'call' || sum.value.fn !== 'add') return null
    const terms = sum.value.args.map((arg) => this.valueOf(arg))
    const root = terms.find((t) => t.value.kind === 'call' && (t.value.fn === 'sqrt' || t.value.fn === 'sqrtBounded'))
    const bounded = terms.some((t) => t.value.kind === 'const' && t.value.value >= smallestConstant)
    return root && bounded ? { value: root.value, usedOnce: root.usedOnce && sum.usedOnce } : null
  }
}
