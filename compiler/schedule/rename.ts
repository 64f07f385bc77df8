/** Statements with other names for buffers and locals. */
import type { Expr, Stmt } from '../ir/loop.js'
import { mapExpressions } from './walk.js'

/** Gives the new name of each. */
export type Names = { readonly buffer: (known: string) => string; readonly local: (known: string) => string }

export const renamed = (body: readonly Stmt[], names: Names): Stmt[] =>
  mapExpressions(body, (expr) => renamedExpr(expr, names)).map((s) => renamedTarget(s, names))

function renamedExpr(expr: Expr, { buffer, local }: Names): Expr {
  if (expr.kind === 'load' || expr.kind === 'lookup') return { ...expr, buffer: buffer(expr.buffer) }
  return expr.kind === 'local' ? { ...expr, name: local(expr.name) } : expr
}

function renamedTarget(s: Stmt, names: Names): Stmt {
  const body = (inside: readonly Stmt[]): Stmt[] => inside.map((inner) => renamedTarget(inner, names))
  switch (s.kind) {
    case 'for': return { ...s, body: body(s.body) }
    case 'let': return { ...s, name: names.local(s.name) }
    case 'store': return { ...s, buffer: names.buffer(s.buffer) }
    case 'reduce': return { ...s, body: body(s.body), results: s.results.map((r) => ({ ...r, name: names.local(r.name) })) }
    case 'argmax': return { ...s, name: names.local(s.name), body: body(s.body) }
    case 'follow': case 'contract': throw new Error(`a ${s.kind} is not renamed`)
  }
}
