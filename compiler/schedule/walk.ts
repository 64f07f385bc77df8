/** Walks over loop statements and expressions, shared by the schedules. */
import type { Dim } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import { accumulatorsOf, type Bound, type Expr, type Index, type Stmt, type Totals } from '../ir/loop.js'

export type Load = Expr & { readonly kind: 'load' }
export type Lookup = Expr & { readonly kind: 'lookup' }
export type Accesses = { readonly loads: Load[]; readonly lookups: Lookup[]; readonly stores: Index[]; readonly others: Index[]; /** How many random numbers are drawn. */ draws: number }

const nothing = (): Accesses => ({ loads: [], lookups: [], stores: [], others: [], draws: 0 })

/** Every index in the statements: of loads and lookups, of stores, and those used as numbers or rows. */
export function accessesIn(statements: readonly Stmt[]): Accesses {
  const found = nothing()
  for (const statement of statements) visitStatement(statement, found)
  return found
}

function visitStatement(statement: Stmt, found: Accesses): void {
  switch (statement.kind) {
    case 'for': return statement.body.forEach((s) => visitStatement(s, found))
    case 'let': return visitExpr(statement.value, found)
    case 'store': found.stores.push(statement.index); return visitExpr(statement.value, found)
    case 'reduce': statement.body.forEach((s) => visitStatement(s, found)); return statement.results.forEach((r) => visitExpr(r.value, found))
    case 'argmax': statement.body.forEach((s) => visitStatement(s, found)); return visitExpr(statement.value, found)
    case 'follow': found.others.push(statement.row); statement.body.forEach((s) => visitStatement(s, found)); return visitExpr(statement.value, found)
    case 'contract': [statement.lhs, statement.rhs].forEach((e) => visitExpr(e, found)); return [...statement.epilogue, ...(statement.totals?.epilogue ?? [])].forEach((s) => visitStatement(s, found))
  }
}

function visitExpr(expr: Expr, found: Accesses): void {
  switch (expr.kind) {
    case 'load': found.loads.push(expr); return
    case 'lookup': found.lookups.push(expr); return visitExpr(expr.at, found)
    case 'guard': found.others.push(...expr.bounds.map((bound) => bound.index)); return visitExpr(expr.value, found)
    case 'random': found.draws++; found.others.push(expr.index); return
    case 'index': found.others.push(expr.index); return
    case 'call': return expr.args.forEach((a) => visitExpr(a, found))
    case 'cast': return visitExpr(expr.arg, found)
    case 'const': case 'scalar': case 'dim': case 'local': return
  }
}

export const loadsIn = (statements: readonly Stmt[]): readonly Load[] => accessesIn(statements).loads

export function loadsOf(expr: Expr): readonly Load[] {
  const found = nothing()
  visitExpr(expr, found)
  return found.loads
}

/** Every index in the statements, whatever it is for. */
export function everyIndex(statements: readonly Stmt[]): Index[] {
  const { loads, lookups, stores, others } = accessesIn(statements)
  return [...[...loads, ...lookups].map((load) => load.index), ...stores, ...others]
}

/** Every index in an expression. */
export function indicesOf(expr: Expr): Index[] {
  const found = nothing()
  visitExpr(expr, found)
  return [...[...found.loads, ...found.lookups].map((load) => load.index), ...found.others]
}

/** The statements with every index replaced. */
export const mapIndices = (statements: readonly Stmt[], map: (index: Index) => Index): Stmt[] => statements.map((s) => mapStatement(s, map))

function mapStatement(s: Stmt, map: (index: Index) => Index): Stmt {
  switch (s.kind) {
    case 'for': return { ...s, body: mapIndices(s.body, map) }
    case 'let': return { ...s, value: mapExprIndices(s.value, map) }
    case 'store': return { ...s, index: map(s.index), value: mapExprIndices(s.value, map) }
    case 'reduce': return { ...s, body: mapIndices(s.body, map), results: s.results.map((r) => ({ ...r, value: mapExprIndices(r.value, map) })) }
    case 'argmax': return { ...s, body: mapIndices(s.body, map), value: mapExprIndices(s.value, map) }
    case 'follow': return { ...s, row: map(s.row), body: mapIndices(s.body, map), value: mapExprIndices(s.value, map) }
    case 'contract': return { ...s, lhs: mapExprIndices(s.lhs, map), rhs: mapExprIndices(s.rhs, map), epilogue: mapIndices(s.epilogue, map), totals: mapTotals(s.totals, (body) => mapIndices(body, map)) }
  }
}

const mapTotals = (totals: Totals | null, map: (body: readonly Stmt[]) => Stmt[]): Totals | null => totals && { ...totals, epilogue: map(totals.epilogue) }

/** The expression with every index replaced. */
export function mapExprIndices(expr: Expr, map: (index: Index) => Index): Expr {
  switch (expr.kind) {
    case 'load':
    case 'index':
    case 'random': return { ...expr, index: map(expr.index) }
    case 'lookup': return { ...expr, index: map(expr.index), at: mapExprIndices(expr.at, map) }
    case 'guard': return { ...expr, bounds: expr.bounds.map((bound) => ({ ...bound, index: map(bound.index) })), value: mapExprIndices(expr.value, map) }
    case 'call': return { ...expr, args: expr.args.map((a) => mapExprIndices(a, map)) }
    case 'cast': return { ...expr, arg: mapExprIndices(expr.arg, map) }
    case 'const': case 'scalar': case 'dim': case 'local': return expr
  }
}

/** Elements one step of `axis` moves an index by; null where steps differ, inside a quotient. */
export const strideOf = (index: Index, axis: string): Dim | null =>
  index.quotients.some((q) => axesOfIndex(q.dividend).includes(axis)) ? null : index.terms.find((t) => t.axis === axis)?.stride ?? 0

/** The statements with every expression replaced, arguments before the calls they are in. */
export const mapExpressions = (statements: readonly Stmt[], map: (expr: Expr) => Expr): Stmt[] =>
  statements.map((s) => mapStatementExpressions(s, (expr) => mapInside(expr, map)))

function mapInside(expr: Expr, map: (expr: Expr) => Expr): Expr {
  if (expr.kind === 'call') return mapCall(expr, map)
  if (expr.kind === 'lookup') return map({ ...expr, at: mapInside(expr.at, map) })
  if (expr.kind === 'guard') return map({ ...expr, value: mapInside(expr.value, map) })
  return map(expr.kind === 'cast' ? { ...expr, arg: mapInside(expr.arg, map) } : expr)
}

/** A call whose arguments did not change is passed on as the same object. */
function mapCall(expr: Expr & { readonly kind: 'call' }, map: (expr: Expr) => Expr): Expr {
  const args = expr.args.map((arg) => mapInside(arg, map))
  return map(args.every((arg, i) => arg === expr.args[i]) ? expr : { ...expr, args })
}

function mapStatementExpressions(s: Stmt, map: (expr: Expr) => Expr): Stmt {
  const body = (inner: readonly Stmt[]): Stmt[] => inner.map((i) => mapStatementExpressions(i, map))
  switch (s.kind) {
    case 'for': return { ...s, body: body(s.body) }
    case 'let':
    case 'store': return { ...s, value: map(s.value) }
    case 'reduce': return { ...s, body: body(s.body), results: s.results.map((r) => ({ ...r, value: map(r.value) })) }
    case 'argmax':
    case 'follow': return { ...s, body: body(s.body), value: map(s.value) }
    case 'contract': return { ...s, lhs: map(s.lhs), rhs: map(s.rhs), epilogue: body(s.epilogue), totals: mapTotals(s.totals, body) }
  }
}

/** Every name the statements bind. */
export function boundNames(body: readonly Stmt[]): string[] {
  return body.flatMap((s): string[] => {
    switch (s.kind) {
      case 'for': return boundNames(s.body)
      case 'let': return [s.name]
      case 'store': return []
      case 'reduce': return [...boundNames(s.body), ...s.results.map((r) => r.name)]
      case 'argmax': case 'follow': return [...boundNames(s.body), s.name]
      case 'contract': return [...boundNames(s.epilogue), ...accumulatorsOf(s), ...(s.totals ? [s.totals.accumulator, ...boundNames(s.totals.epilogue)] : [])]
    }
  })
}

/** Every name an expression uses. */
export function namesIn(expr: Expr): string[] {
  switch (expr.kind) {
    case 'local': return [expr.name]
    case 'call': return expr.args.flatMap(namesIn)
    case 'cast': return namesIn(expr.arg)
    case 'guard': return namesIn(expr.value)
    case 'lookup': return namesIn(expr.at)
    case 'load': case 'index': case 'random': case 'const': case 'scalar': case 'dim': return []
  }
}

/** Every guard in the statements and what they combine. */
export function guardsIn(statements: readonly Stmt[]): Bound[] {
  const found: Bound[] = []
  mapExpressions(statements, (expr) => {
    if (expr.kind === 'guard') found.push(...expr.bounds)
    return expr
  })
  return found
}
