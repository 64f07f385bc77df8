/**
 * Dimensions: a number, or a polynomial with integer coefficients over named symbols ("B", "4*B", "B*T + 1").
 * Kept in canonical form, so that two equal dimensions are structurally equal. Immutable.
 */
export type Term = { readonly coefficient: number; readonly symbols: readonly string[] }
export type SymbolicDim = { readonly terms: readonly Term[] }
export type Dim = number | SymbolicDim
export type Shape = readonly Dim[]

/** Values of symbols. */
export type DimEnv = Readonly<Record<string, number>>

export const symbol = (name: string): Dim => ({ terms: [{ coefficient: 1, symbols: [name] }] })
export const isStatic = (dim: Dim): dim is number => typeof dim === 'number'

const termsOf = (dim: Dim): readonly Term[] =>
  isStatic(dim) ? (dim === 0 ? [] : [{ coefficient: dim, symbols: [] }]) : dim.terms

function canonical(terms: readonly Term[]): Dim {
  const sums = new Map<string, Term>()
  for (const { coefficient, symbols } of terms) {
    const sorted = [...symbols].sort()
    const key = sorted.join('*')
    sums.set(key, { coefficient: coefficient + (sums.get(key)?.coefficient ?? 0), symbols: sorted })
  }
  const kept = [...sums.entries()].filter(([, t]) => t.coefficient !== 0).sort(([a], [b]) => byDegree(a, b)).map(([, t]) => t)
  if (kept.length === 0) return 0
  if (kept.length === 1 && kept[0]!.symbols.length === 0) return kept[0]!.coefficient
  return { terms: kept }
}

/** Constants last, then by name. */
const byDegree = (a: string, b: string): number => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1)

export const addDims = (a: Dim, b: Dim): Dim => canonical([...termsOf(a), ...termsOf(b)])
export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1))

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (isStatic(a) && isStatic(b)) return a * b
  return canonical(termsOf(a).flatMap((x) => termsOf(b).map((y) => ({ coefficient: x.coefficient * y.coefficient, symbols: [...x.symbols, ...y.symbols] }))))
}

/** Exact quotient, or null when `b` does not divide `a`. `b` must be a number or a single term. */
export function divideDims(a: Dim, b: Dim): Dim | null {
  const divisor = termsOf(b)
  if (divisor.length !== 1) return equalDims(a, b) ? 1 : null
  const quotient: Term[] = []
  for (const term of termsOf(a)) {
    const symbols = [...term.symbols]
    for (const name of divisor[0]!.symbols) {
      const at = symbols.indexOf(name)
      if (at < 0) return null
      symbols.splice(at, 1)
    }
    const coefficient = term.coefficient / divisor[0]!.coefficient
    if (!Number.isInteger(coefficient)) return null
    quotient.push({ coefficient, symbols })
  }
  return canonical(quotient)
}

export const equalDims = (a: Dim, b: Dim): boolean => a === b || dimText(a) === dimText(b)
export const equalShapes = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => equalDims(d, b[i]!))

/** Number of elements. */
export const sizeOf = (shape: Shape): Dim => shape.reduce<Dim>(multiplyDims, 1)

/** The value of a dimension, given its symbols. @throws RangeError for a symbol without a value. */
export function evaluateDim(dim: Dim, env: DimEnv): number {
  return termsOf(dim).reduce((sum, t) => sum + t.symbols.reduce((p, name) => p * valueOf(name, env), t.coefficient), 0)
}

function valueOf(name: string, env: DimEnv): number {
  const value = env[name]
  if (value === undefined) throw new RangeError(`no value for the dimension ${name}`)
  return value
}

export const evaluateShape = (shape: Shape, env: DimEnv): number[] => shape.map((d) => evaluateDim(d, env))

/** Symbols of a dimension, each once. */
export const symbolsOf = (dim: Dim): string[] => [...new Set(termsOf(dim).flatMap((t) => t.symbols))]

const termText = (t: Term): string =>
  t.symbols.length === 0 ? String(t.coefficient) : [...(t.coefficient === 1 ? [] : [t.coefficient]), ...t.symbols].join('*')

/** "128", "B", "4*B+1": also a valid C expression over int64 variables of those names. */
export const dimText = (dim: Dim): string => (isStatic(dim) ? String(dim) : dim.terms.map(termText).join('+').replaceAll('+-', '-'))

export const shapeText = (shape: Shape): string => `[${shape.map(dimText).join(',')}]`

/** Reads what `dimText` writes. @throws SyntaxError */
export function parseDim(text: string): Dim {
  const terms = text.replaceAll(/\s/g, '').replaceAll('-', '+-').split('+').filter((t) => t !== '')
  if (terms.length === 0) throw new SyntaxError(`not a dimension: "${text}"`)
  return terms.map(parseTerm).reduce(addDims, 0)
}

function parseTerm(text: string): Dim {
  const negative = text.startsWith('-')
  const factors = (negative ? text.slice(1) : text).split('*').map((f): Dim => {
    if (/^\d+$/.test(f)) return Number(f)
    if (/^[A-Za-z_]\w*$/.test(f)) return symbol(f)
    throw new SyntaxError(`not a dimension: "${text}"`)
  })
  return factors.reduce(multiplyDims, negative ? -1 : 1)
}
