/**
 * What is certain about the value of a dimension, its symbols being sizes from 0 up. Rounded-down quotients are replaced
 * by the fractions they lie between, so that "2*floor_div(H+1,2) - H" is known to be from 0 to 1.
 */
import { addDims, clampedDim, multiplyDims, subtractDims, termsOf, type Clamped, type Dim, type FloorQuotient, type Term } from './dim.js'

/** A number that the dimension is never below, the largest that can be told; null when none can. */
export function leastValue(dim: Dim): number | null {
  const least = leastScaled(dim, 1)
  return least === null ? null : Math.ceil(least - 1e-9)
}

/** A number that the dimension is never above, the smallest that can be told; null when none can. */
export function greatestValue(dim: Dim): number | null {
  const least = leastValue(multiplyDims(dim, -1))
  return least === null ? null : -least
}

export const isNeverNegative = (dim: Dim): boolean => (leastValue(dim) ?? -1) >= 0
export const isAlwaysNegative = (dim: Dim): boolean => (greatestValue(dim) ?? 0) < 0

/** The dimension, or 0 where it is less. */
export function atLeastZero(dim: Dim): Dim {
  if (isNeverNegative(dim)) return dim
  return (greatestValue(dim) ?? 1) <= 0 ? 0 : clampedDim(dim)
}

type Compound = Term & { readonly factors: readonly [FloorQuotient | Clamped] }
const isCompound = (term: Term): term is Compound => term.factors.length === 1 && typeof term.factors[0] === 'object'

/** A lower bound of `dim / scale`. */
function leastScaled(dim: Dim, scale: number): number | null {
  const terms = termsOf(dim)
  // Every factor is 0 or more: symbols by meaning, canonical quotients because nothing inside them is negative.
  if (terms.every((t) => t.coefficient >= 0 || t.factors.length === 0)) return (terms.find((t) => t.factors.length === 0)?.coefficient ?? 0) / scale
  const compound = terms.find(isCompound)
  const known = compound ? replaced(dim, compound, scale).filter((b) => b !== null) : []
  return known.length === 0 ? null : Math.max(...known)
}

function replaced(dim: Dim, term: Compound, scale: number): (number | null)[] {
  const { coefficient: c, factors: [factor] } = term
  const rest = subtractDims(dim, { terms: [term] })
  if (factor.kind === 'floor_div') {
    const { dividend, divisor } = factor
    const fraction = c > 0 ? subtractDims(dividend, divisor - 1) : dividend
    return [leastScaled(addDims(multiplyDims(rest, divisor), multiplyDims(fraction, c)), scale * divisor)]
  }
  const both = [leastScaled(rest, scale), leastScaled(addDims(rest, multiplyDims(factor.of, c)), scale)]
  // It is one of the two: at least both where it adds, no less than the lower one where it takes away.
  if (c > 0) return both
  return [both.some((b) => b === null) ? null : Math.min(...both.map(Number))]
}
