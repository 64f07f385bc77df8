/** Building of loop expressions and affine indices. Indices are kept with one term per axis, in order of first use. */
import type { DType } from '../../runtime/contract/dtype.js'
import { addDims, equalDims, multiplyDims, sizeOf, type Dim, type Shape } from './dim.js'
import type { Expr, Index, Intrinsic } from './loop.js'

type IndexTerm = Index['terms'][number]

/** The same position at every iteration. */
export const constIndex = (offset: Dim): Index => ({ terms: [], offset })

/** The value of the loop variable `axis`. */
export const axisIndex = (axis: string): Index => ({ terms: [{ axis, stride: 1 }], offset: 0 })

function addTerm(terms: readonly IndexTerm[], term: IndexTerm): readonly IndexTerm[] {
  const at = terms.findIndex((t) => t.axis === term.axis)
  if (at < 0) return [...terms, term]
  return terms.map((t, i) => (i === at ? { axis: t.axis, stride: addDims(t.stride, term.stride) } : t))
}

export const addIndex = (a: Index, b: Index): Index => ({
  terms: b.terms.reduce(addTerm, a.terms).filter((t) => t.stride !== 0),
  offset: addDims(a.offset, b.offset),
})

export const shiftIndex = (index: Index, by: Dim): Index => ({ terms: index.terms, offset: addDims(index.offset, by) })

export const scaleIndex = (index: Index, by: Dim): Index => ({
  terms: by === 0 ? [] : index.terms.map((t) => ({ axis: t.axis, stride: multiplyDims(t.stride, by) })),
  offset: multiplyDims(index.offset, by),
})

/** Row-major position in a tensor of `shape`, in elements. */
export function linearIndex(index: readonly Index[], shape: Shape): Index {
  return index.reduce((sum, ix, i) => addIndex(sum, scaleIndex(ix, sizeOf(shape.slice(i + 1)))), constIndex(0))
}

/** `index` with each axis replaced by what `of` gives for it; axes without a replacement stay. */
export function substituteIndex(index: Index, of: (axis: string) => Index | undefined): Index {
  return index.terms.reduce((sum, t) => addIndex(sum, scaleIndex(of(t.axis) ?? axisIndex(t.axis), t.stride)), constIndex(index.offset))
}

/** The same terms, in whatever order. */
export const equalIndex = (a: Index, b: Index): boolean =>
  equalDims(a.offset, b.offset) && a.terms.length === b.terms.length &&
  a.terms.every((t) => b.terms.some((u) => u.axis === t.axis && equalDims(u.stride, t.stride)))

export const constExpr = (dtype: DType, value: number): Expr => ({ kind: 'const', dtype, value })
export const loadExpr = (dtype: DType, buffer: string, index: Index): Expr => ({ kind: 'load', dtype, buffer, index })
export const localExpr = (dtype: DType, name: string): Expr => ({ kind: 'local', dtype, name })
export const indexExpr = (dtype: DType, index: Index): Expr => ({ kind: 'index', dtype, index })
export const castExpr = (dtype: DType, arg: Expr): Expr => (arg.dtype === dtype ? arg : { kind: 'cast', dtype, arg })

const predicates: readonly Intrinsic[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not']

/** A scalar function; the dtype of the result is bool for predicates, else that of the last argument. */
export function callExpr(fn: Intrinsic, ...args: readonly Expr[]): Expr {
  const last = args.at(-1)
  if (last === undefined) throw new RangeError(`${fn}: expected arguments, found none`)
  return { kind: 'call', dtype: predicates.includes(fn) ? 'bool' : last.dtype, fn, args }
}
