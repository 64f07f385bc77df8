/** Dimensions of the manifest: "128", "B", "4*B+1". The runtime only ever evaluates them. */
import type { ManifestDim } from './contract/manifest.js'

/** Evaluates a dimension. @param valueOf value of a symbol. @throws SyntaxError for text that is not a dimension. */
export function evaluateDim(dim: ManifestDim, valueOf: (symbol: string) => number): number {
  if (typeof dim === 'number') return dim
  const terms = dim.replaceAll(/\s/g, '').replaceAll('-', '+-').split('+').filter((t) => t !== '')
  if (terms.length === 0) throw new SyntaxError(`not a dimension: "${dim}"`)
  return terms.reduce((sum, term) => sum + termValue(term, valueOf), 0)
}

function termValue(term: string, valueOf: (symbol: string) => number): number {
  const negative = term.startsWith('-')
  const factors = (negative ? term.slice(1) : term).split('*')
  return factors.reduce((product, f) => product * (/^\d+$/.test(f) ? Number(f) : isSymbol(f) ? valueOf(f) : unreadable(term)), negative ? -1 : 1)
}

function unreadable(text: string): never { throw new SyntaxError(`not a dimension: "${text}"`) }

/** Whether a dimension is one symbol alone. */
export const isSymbol = (dim: ManifestDim): dim is string => typeof dim === 'string' && /^[A-Za-z_]\w*$/.test(dim)
