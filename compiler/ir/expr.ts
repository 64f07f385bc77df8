/** Building of loop expressions and indices. Indices are kept with one term per axis, in order of first use. */
import type { ElementType } from './element-type.js'
import { addDims, divideDims, equalDims, isStatic, multiplyDims, sizeOf, type Dim, type Shape } from './dim.js'
import type { Expr, Index, IndexQuotient, IndexTerm, Intrinsic, ReduceOp, StaticAxis } from './loop.js'

/** The same position at every iteration. */
export const constIndex = (offset: Dim): Index => ({ terms: [], quotients: [], offset })

/** The value of the loop variable `axis`. */
export const axisIndex = (axis: string): Index => ({ terms: [{ axis, stride: 1 }], quotients: [], offset: 0 })

function addTerm(terms: readonly IndexTerm[], term: IndexTerm): readonly IndexTerm[] {
  const at = terms.findIndex((t) => t.axis === term.axis)
  if (at < 0) return [...terms, term]
  return terms.map((t, i) => (i === at ? { axis: t.axis, stride: addDims(t.stride, term.stride) } : t))
}

function addQuotient(quotients: readonly IndexQuotient[], quotient: IndexQuotient): readonly IndexQuotient[] {
  const at = quotients.findIndex((q) => sameQuotient(q, quotient))
  if (at < 0) return [...quotients, quotient]
  return quotients.map((q, i) => (i === at ? { ...q, stride: addDims(q.stride, quotient.stride) } : q))
}

const sameQuotient = (a: IndexQuotient, b: IndexQuotient): boolean => a.divisor === b.divisor && equalIndex(a.dividend, b.dividend)

export const addIndex = (a: Index, b: Index): Index => ({
  terms: b.terms.reduce(addTerm, a.terms).filter((t) => t.stride !== 0),
  quotients: b.quotients.reduce(addQuotient, a.quotients).filter((q) => q.stride !== 0),
  offset: addDims(a.offset, b.offset),
})

export const shiftIndex = (index: Index, by: Dim): Index => ({ ...index, offset: addDims(index.offset, by) })

export const scaleIndex = (index: Index, by: Dim): Index => {
  if (by === 0) return constIndex(0)
  const scaled = <T extends { readonly stride: Dim }>(part: T): T => ({ ...part, stride: multiplyDims(part.stride, by) })
  return { terms: index.terms.map(scaled), quotients: index.quotients.map(scaled), offset: multiplyDims(index.offset, by) }
}

/** floor(index / divisor). What divides evenly stands outside of the quotient, so that a known offset inside is from 0 to divisor - 1. */
export function divideIndex(index: Index, divisor: number): Index {
  if (divisor === 1) return index
  const whole = wholeQuotient(index, divisor)
  const rest = addIndex(index, scaleIndex(whole, -divisor))
  if (rest.terms.length === 0 && rest.quotients.length === 0 && isStatic(rest.offset)) return whole
  return addIndex(whole, { terms: [], quotients: [{ dividend: rest, divisor, stride: 1 }], offset: 0 })
}

/** The parts of an index that are multiples of `divisor`, divided by it, and the offset rounded down. */
function wholeQuotient({ terms, quotients, offset }: Index, divisor: number): Index {
  const divided = <T extends { readonly stride: Dim }>(part: T): T[] => {
    const stride = divideDims(part.stride, divisor)
    return stride === null ? [] : [{ ...part, stride }]
  }
  return { terms: terms.flatMap(divided), quotients: quotients.flatMap(divided), offset: isStatic(offset) ? Math.floor(offset / divisor) : divideDims(offset, divisor) ?? 0 }
}

/** index - divisor * floor(index / divisor), from 0 to below the divisor. */
export const remainderIndex = (index: Index, divisor: number): Index => addIndex(index, scaleIndex(divideIndex(index, divisor), -divisor))

/** Names of the axes an index depends on. */
export const axesOfIndex = ({ terms, quotients }: Index): string[] => [...terms.map((t) => t.axis), ...quotients.flatMap((q) => axesOfIndex(q.dividend))]

/** Row-major position in a tensor of `shape`, in elements. */
export function linearIndex(index: readonly Index[], shape: Shape): Index {
  return index.reduce((sum, ix, i) => addIndex(sum, scaleIndex(ix, sizeOf(shape.slice(i + 1)))), constIndex(0))
}

/** `index` with each axis replaced by what `of` gives for it; axes without a replacement stay. */
export function substituteIndex(index: Index, of: (axis: string) => Index | undefined): Index {
  const terms = index.terms.map((t) => scaleIndex(of(t.axis) ?? axisIndex(t.axis), t.stride))
  const quotients = index.quotients.map((q) => scaleIndex(divideIndex(substituteIndex(q.dividend, of), q.divisor), q.stride))
  return [...terms, ...quotients].reduce(addIndex, constIndex(index.offset))
}

/** The same terms, in whatever order. */
export const equalIndex = (a: Index, b: Index): boolean =>
  equalDims(a.offset, b.offset) && a.terms.length === b.terms.length && a.quotients.length === b.quotients.length &&
  a.terms.every((t) => b.terms.some((u) => u.axis === t.axis && equalDims(u.stride, t.stride))) &&
  a.quotients.every((q) => b.quotients.some((r) => sameQuotient(q, r) && equalDims(q.stride, r.stride)))

export const constExpr = (dtype: ElementType, value: number): Expr => ({ kind: 'const', dtype, value })
export const loadExpr = (dtype: ElementType, buffer: string, index: Index): Expr => ({ kind: 'load', dtype, buffer, index })
export const localExpr = (dtype: ElementType, name: string): Expr => ({ kind: 'local', dtype, name })
export const indexExpr = (dtype: ElementType, index: Index): Expr => ({ kind: 'index', dtype, index })
export const castExpr = (dtype: ElementType, arg: Expr): Expr => (arg.dtype === dtype ? arg : { kind: 'cast', dtype, arg })

const predicates: readonly Intrinsic[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not']

/** A scalar function; the dtype of the result is bool for predicates, else that of the last argument. */
export function callExpr(fn: Intrinsic, ...args: readonly Expr[]): Expr {
  const last = args.at(-1)
  if (last === undefined) throw new RangeError(`${fn}: expected arguments, found none`)
  return { kind: 'call', dtype: predicates.includes(fn) ? 'bool' : last.dtype, fn, args }
}

const combining: Readonly<Record<ReduceOp, Intrinsic>> = { sum: 'add', prod: 'mul', max: 'max', min: 'min' }

/** `a` and `b` put together. */
export const combined = ({ op, dtype }: { readonly op: ReduceOp; readonly dtype: ElementType }, a: Expr, b: Expr): Expr => ({ kind: 'call', dtype, fn: combining[op], args: [a, b] })

/** All places in axes of these extents, the last axis fastest, as positions of them. */
export function placesIn(axes: readonly StaticAxis[]): (readonly [string, Index])[][] {
  return axes.reduce<(readonly [string, Index])[][]>((places, { name, extent }) =>
    places.flatMap((place) => Array.from({ length: extent }, (_, i) => [...place, [name, constIndex(i)] as const])), [[]])
}
