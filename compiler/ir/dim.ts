/**
 * Dimensions: a number, or a polynomial with integer coefficients over factors: named symbols ("B", "4*B", "B*T + 1"),
 * rounded-down quotients ("floor_div(H + 1, 2)") and sizes that stop at 0 ("larger(H - 3, 0)"). Kept in canonical form,
 * so that two equal dimensions are structurally equal. Immutable. `dim-bounds.ts` says what is known of their values.
 */
export type Factor = string | FloorQuotient | Clamped
/** The quotient of a dimension and a whole number from 2 up, rounded down. */
export type FloorQuotient = { readonly kind: 'floor_div'; readonly dividend: SymbolicDim; readonly divisor: number }
/** The dimension, or 0 where it is less. */
export type Clamped = { readonly kind: 'larger'; readonly of: SymbolicDim }
export type Term = { readonly coefficient: number; readonly factors: readonly Factor[] }
export type SymbolicDim = { readonly terms: readonly Term[] }
export type Dim = number | SymbolicDim
export type Shape = readonly Dim[]

/** Values of symbols. */
export type DimEnv = Readonly<Record<string, number>>

export const symbol = (name: string): Dim => ({ terms: [{ coefficient: 1, factors: [name] }] })
export const isStatic = (dim: Dim): dim is number => typeof dim === 'number'

export const termsOf = (dim: Dim): readonly Term[] =>
  isStatic(dim) ? (dim === 0 ? [] : [{ coefficient: dim, factors: [] }]) : dim.terms

const keyOf = (factors: readonly Factor[]): string => factors.map((f) => factorText(f)).join('*')
const ofFactor = (factor: Factor): SymbolicDim => ({ terms: [{ coefficient: 1, factors: [factor] }] })

function canonical(terms: readonly Term[]): Dim {
  const sums = new Map<string, Term>()
  for (const { coefficient, factors } of terms) {
    const sorted = factors.length < 2 ? factors : [...factors].sort((a, b) => (factorText(a) < factorText(b) ? -1 : 1))
    const key = keyOf(sorted)
    sums.set(key, { coefficient: coefficient + (sums.get(key)?.coefficient ?? 0), factors: sorted })
  }
  const kept = [...sums.entries()].filter(([, t]) => t.coefficient !== 0).sort(([a], [b]) => byDegree(a, b)).map(([, t]) => t)
  if (kept.length === 0) return 0
  if (kept.length === 1 && kept[0]!.factors.length === 0) return kept[0]!.coefficient
  return { terms: kept }
}

/** Constants last, then by name. */
const byDegree = (a: string, b: string): number => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1)

export const addDims = (a: Dim, b: Dim): Dim => (isStatic(a) && isStatic(b) ? a + b : canonical([...termsOf(a), ...termsOf(b)]))
export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1))

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return a * b
  return canonical(termsOf(a).flatMap((x) => termsOf(b).map((y) => ({ coefficient: x.coefficient * y.coefficient, factors: [...x.factors, ...y.factors] }))))
}

/** Exact quotient, or null when `b` does not divide `a`. `b` must be a number or a single term. */
export function divideDims(a: Dim, b: Dim): Dim | null {
  const divisor = termsOf(b)
  if (divisor.length !== 1) return equalDims(a, b) ? 1 : null
  const quotient: Term[] = []
  for (const term of termsOf(a)) {
    const factors = [...term.factors]
    for (const factor of divisor[0]!.factors) {
      const at = factors.findIndex((f) => factorText(f) === factorText(factor))
      if (at < 0) return null
      factors.splice(at, 1)
    }
    const coefficient = term.coefficient / divisor[0]!.coefficient
    if (!Number.isInteger(coefficient)) return null
    quotient.push({ coefficient, factors })
  }
  return canonical(quotient)
}

/**
 * The quotient of `a` and a whole number, rounded down. What divides evenly stands outside, so that the coefficients
 * left inside are from 0 to divisor - 1: floor_div(2*H + 3, 2) is H + 1. A quotient of a quotient is one quotient.
 */
export function floorDivideDims(a: Dim, divisor: number): Dim {
  if (isStatic(a)) return Math.floor(a / divisor)
  if (divisor === 1) return a
  const whole = canonical(a.terms.map((t) => ({ ...t, coefficient: Math.floor(t.coefficient / divisor) })))
  const rest = subtractDims(a, multiplyDims(whole, divisor))
  return isStatic(rest) ? addDims(whole, Math.floor(rest / divisor)) : addDims(whole, reducedQuotient(rest, divisor))
}

function reducedQuotient(dividend: SymbolicDim, divisor: number): Dim {
  const varying = dividend.terms.filter((t) => t.factors.length > 0), constant = constantOf(dividend)
  const common = varying.reduce((g, t) => greatestCommonDivisor(g, t.coefficient), divisor)
  if (common > 1) return floorDivideDims(canonical([...varying.map((t) => ({ ...t, coefficient: t.coefficient / common })), ...termsOf(Math.floor(constant / common))]), divisor / common)
  const [only] = varying, inner = only?.factors[0]
  if (varying.length === 1 && only!.coefficient === 1 && only!.factors.length === 1 && typeof inner === 'object' && inner.kind === 'floor_div') {
    return floorDivideDims(addDims(inner.dividend, constant * inner.divisor), divisor * inner.divisor)
  }
  return ofFactor({ kind: 'floor_div', dividend, divisor })
}

const constantOf = (dim: SymbolicDim): number => dim.terms.find((t) => t.factors.length === 0)?.coefficient ?? 0
const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/** The quotient rounded up. */
export const ceilDivideDims = (a: Dim, divisor: number): Dim => floorDivideDims(addDims(a, divisor - 1), divisor)

/** `larger(a, 0)` as it is written; `dim-bounds.ts` leaves it out where the sign is known. */
export const clampedDim = (a: Dim): Dim => (isStatic(a) ? Math.max(a, 0) : ofFactor({ kind: 'larger', of: a }))

export const equalDims = (a: Dim, b: Dim): boolean => a === b || dimText(a) === dimText(b)
export const equalShapes = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => equalDims(d, b[i]!))

/** Number of elements. */
export const sizeOf = (shape: Shape): Dim => shape.reduce<Dim>(multiplyDims, 1)

/** The value of a dimension, given its symbols. @throws RangeError for a symbol without a value. */
export function evaluateDim(dim: Dim, env: DimEnv): number {
  return termsOf(dim).reduce((sum, t) => sum + t.factors.reduce<number>((p, factor) => p * valueOf(factor, env), t.coefficient), 0)
}

function valueOf(factor: Factor, env: DimEnv): number {
  if (typeof factor === 'object') return factor.kind === 'floor_div' ? Math.floor(evaluateDim(factor.dividend, env) / factor.divisor) : Math.max(evaluateDim(factor.of, env), 0)
  const value = env[factor]
  if (value === undefined) throw new RangeError(`no value for the dimension ${factor}`)
  return value
}

export const evaluateShape = (shape: Shape, env: DimEnv): number[] => shape.map((d) => evaluateDim(d, env))

/** Symbols of a dimension, each once. */
export const symbolsOf = (dim: Dim): string[] => [...new Set(termsOf(dim).flatMap((t) => t.factors.flatMap(factorSymbols)))]
const factorSymbols = (factor: Factor): string[] => (typeof factor === 'string' ? [factor] : symbolsOf(factor.kind === 'floor_div' ? factor.dividend : factor.of))

/** How the functions of a factor are written. */
type Spelling = (name: 'floor_div' | 'larger') => string
const plainly: Spelling = (name) => name

function factorText(factor: Factor, spell: Spelling = plainly): string {
  if (typeof factor === 'string') return factor
  const [inner, second] = factor.kind === 'floor_div' ? [factor.dividend, factor.divisor] : [factor.of, 0]
  return `${spell(factor.kind)}(${dimText(inner, spell)},${second})`
}

const termText = (t: Term, spell: Spelling): string =>
  t.factors.length === 0 ? String(t.coefficient) : [...(t.coefficient === 1 ? [] : [t.coefficient]), ...t.factors.map((f) => factorText(f, spell))].join('*')

/** "128", "B", "4*B+1", "floor_div(H+1,2)": also an expression of C over int64 variables of those names, given the names of its functions. */
export const dimText = (dim: Dim, spell: Spelling = plainly): string =>
  isStatic(dim) ? String(dim) : dim.terms.map((t) => termText(t, spell)).join('+').replaceAll('+-', '-')

export const shapeText = (shape: Shape): string => `[${shape.map((d) => dimText(d)).join(',')}]`
