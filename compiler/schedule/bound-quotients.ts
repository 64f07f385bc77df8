/**
 * Marks divisions whose denominator is a square root plus a positive constant, as in the update of RMSprop and Adam: it
 * is then far from zero and infinity, so that a target may use a reciprocal and one correction (0.6 ulp) instead of its
 * division. With 512-bit vectors, where roots and quotients wait for the same unit, that takes a third off the update.
 *
 *   let d = add(sqrt(v), 1e-7)          let d = add(sqrt(v), 1e-7)
 *   let q = div(g, d)              →    let q = divBounded(g, d)
 */
import type { Expr, KernelProgram, Stmt } from '../ir/loop.js'
import { mapExpressions } from './walk.js'

/** Anything well above the smallest normal number will do. */
const smallestConstant = 2 ** -40

export function boundQuotients(kernel: KernelProgram): KernelProgram {
  const values = new Map<string, Expr>()
  collectLets(kernel.body, values)
  const valueOf = (expr: Expr): Expr => (expr.kind === 'local' ? values.get(expr.name) ?? expr : expr)
  return { ...kernel, body: mapExpressions(kernel.body, (expr) => (isBounded(expr, valueOf) ? { ...expr, fn: 'divBounded' } : expr)) }
}

function collectLets(body: readonly Stmt[], values: Map<string, Expr>): void {
  for (const s of body) {
    if (s.kind === 'let') values.set(s.name, s.value)
    else if (s.kind === 'contract') collectLets([...s.epilogue, ...(s.totals?.epilogue ?? [])], values)
    else if (s.kind !== 'store') collectLets(s.body, values)
  }
}

type Call = Expr & { readonly kind: 'call' }

/** A quotient by `sqrt(x) + c`. */
function isBounded(expr: Expr, valueOf: (expr: Expr) => Expr): expr is Call {
  if (expr.kind !== 'call' || expr.fn !== 'div' || expr.dtype !== 'float32') return false
  const sum = valueOf(expr.args[1]!)
  if (sum.kind !== 'call' || sum.fn !== 'add') return false
  const terms = sum.args.map(valueOf)
  return terms.some((t) => t.kind === 'call' && t.fn === 'sqrt') && terms.some((t) => t.kind === 'const' && t.value >= smallestConstant)
}
