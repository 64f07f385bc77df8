/**
 * Writing loop bodies out: statements for chosen values of some axes, one after the other, in which each element that is
 * read has a name, so that what several of them read is read once.
 */
import { substituteIndex } from '../ir/expr.js'
import type { Provenance } from '../ir/graph.js'
import type { Expr, Index, KernelProgram, Stmt, Store } from '../ir/loop.js'
import { exprText } from '../ir/loop-text.js'
import { decided, type Ranges } from './ranges.js'
import { boundNames, mapExprIndices } from './walk.js'

/** Names that a kernel does not use yet. */
export class Names {
  private readonly taken: Set<string>
  private next = 0

  constructor(kernel: KernelProgram) {
    this.taken = new Set(boundNames(kernel.body))
  }

  fresh(): string {
    let name = `t${this.next++}`
    while (this.taken.has(name)) name = `t${this.next++}`
    return name
  }
}

/** One copy of a body: where its axes stand, and what its locals have become. */
export type Copy = { readonly axes: ReadonlyMap<string, Index>; readonly locals: Map<string, Expr> }

export const copyAt = (axes: readonly (readonly [string, Index])[], outer?: Copy): Copy => ({ axes: new Map([...(outer?.axes ?? []), ...axes]), locals: new Map(outer?.locals) })

export class StraightLine {
  readonly statements: Stmt[] = []
  private readonly known: Map<string, Expr>

  constructor(private readonly names: Names, private readonly ranges: Ranges, outer?: StraightLine) {
    this.known = new Map(outer?.known)
  }

  /** What is written out inside a loop in this line may use its names. */
  inner(ranges: Ranges): StraightLine {
    return new StraightLine(this.names, ranges, this)
  }

  freshName(): string {
    return this.names.fresh()
  }

  lets(body: readonly Stmt[], copy: Copy): void {
    for (const s of body) {
      if (s.kind !== 'let') throw new Error(`a ${s.kind} cannot be written out`)
      copy.locals.set(s.name, this.name(this.value(s.value, copy), s.from))
    }
  }

  /** The expression in `copy`, made of names, constants and calls. */
  value(expr: Expr, copy: Copy): Expr {
    switch (expr.kind) {
      case 'local': return copy.locals.get(expr.name) ?? expr
      case 'load': return this.name(this.placed(expr, copy))
      case 'guard': return this.guarded(expr, copy)
      case 'call': return { ...expr, args: expr.args.map((arg) => this.value(arg, copy)) }
      case 'cast': return { ...expr, arg: this.value(expr.arg, copy) }
      case 'lookup': return { ...expr, index: indexIn(copy, expr.index), at: this.value(expr.at, copy) }
      case 'index': case 'random': case 'const': case 'scalar': case 'dim': return this.placed(expr, copy)
    }
  }

  /** A name for the value; the same one for the same value. */
  name(value: Expr, from: Provenance = nothing): Expr {
    if (value.kind === 'local' || value.kind === 'const') return value
    const key = exprText(value), known = this.known.get(key)
    if (known) return known
    const name = this.names.fresh(), local: Expr = { kind: 'local', dtype: value.dtype, name }
    this.statements.push({ kind: 'let', name, value, from })
    this.known.set(key, local)
    return local
  }

  store(s: Store, copy: Copy): void {
    this.statements.push({ ...s, index: indexIn(copy, s.index), value: this.value(s.value, copy) })
  }

  /** Bounds that always hold are left out; where one never does, nothing is read. */
  private guarded(expr: Expr & { kind: 'guard' }, copy: Copy): Expr {
    const bounds = expr.bounds.map((bound) => ({ ...bound, index: indexIn(copy, bound.index) }))
    const verdicts = bounds.map((bound) => decided(bound, this.ranges))
    if (verdicts.includes('never')) return { kind: 'const', dtype: expr.dtype, value: expr.otherwise }
    const open = bounds.filter((_, i) => verdicts[i] === 'depends')
    return open.length === 0 ? this.value(expr.value, copy) : this.name({ ...expr, bounds: open, value: this.placed(expr.value, copy) })
  }

  /** The expression in `copy` without names: what is guarded is read under its guard alone. */
  private placed(expr: Expr, copy: Copy): Expr {
    return withLocals(mapExprIndices(expr, (index) => indexIn(copy, index)), copy)
  }
}

const nothing: Provenance = { location: null, path: '' }

const indexIn = ({ axes }: Copy, index: Index): Index => substituteIndex(index, (axis) => axes.get(axis))

function withLocals(expr: Expr, copy: Copy): Expr {
  switch (expr.kind) {
    case 'local': return copy.locals.get(expr.name) ?? expr
    case 'call': return { ...expr, args: expr.args.map((arg) => withLocals(arg, copy)) }
    case 'cast': return { ...expr, arg: withLocals(expr.arg, copy) }
    case 'guard': return { ...expr, value: withLocals(expr.value, copy) }
    case 'lookup': return { ...expr, at: withLocals(expr.at, copy) }
    case 'load': case 'index': case 'random': case 'const': case 'scalar': case 'dim': return expr
  }
}
