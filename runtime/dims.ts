/** Dimensions of the manifest: "128", "B", "4*B+1", "floor_div(H+1,2)", "larger(H-3,0)". The runtime only ever evaluates them. */
import type { ManifestDim } from './contract/manifest.js'

type ValueOf = (symbol: string) => number

/** Evaluates a dimension. @param valueOf value of a symbol. @throws SyntaxError for text that is not a dimension. */
export function evaluateDim(dim: ManifestDim, valueOf: ValueOf): number {
  return typeof dim === 'number' ? dim : new Evaluation(dim, valueOf).whole()
}

class Evaluation {
  #at = 0
  readonly #tokens: readonly string[]
  constructor(private readonly text: string, private readonly valueOf: ValueOf) {
    this.#tokens = text.match(/\d+|[A-Za-z_]\w*|\S/g) ?? []
  }

  whole(): number {
    const value = this.#sum() + 0 // never -0
    return this.#at === this.#tokens.length ? value : this.#fail()
  }

  #sum(): number {
    let total = this.#take('-') ? -this.#term() : this.#term()
    for (;;) {
      if (this.#take('+')) total += this.#take('-') ? -this.#term() : this.#term()
      else if (this.#take('-')) total -= this.#term()
      else return total
    }
  }

  #term(): number {
    let product = this.#factor()
    while (this.#take('*')) product *= this.#factor()
    return product
  }

  #factor(): number {
    const token = this.#tokens[this.#at++] ?? this.#fail()
    if (/^\d/.test(token)) return Number(token)
    if (!isSymbol(token)) return this.#fail()
    return this.#take('(') ? this.#call(token) : this.valueOf(token)
  }

  #call(name: string): number {
    const first = this.#sum()
    if (!this.#take(',')) this.#fail()
    const second = this.#sum()
    if (!this.#take(')')) this.#fail()
    if (name === 'floor_div') return Math.floor(first / second)
    return name === 'larger' ? Math.max(first, second) : this.#fail()
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }

  #fail(): never { throw new SyntaxError(`not a dimension: "${this.text}"`) }
}

/** Whether a dimension is one symbol alone. */
export const isSymbol = (dim: ManifestDim): dim is string => typeof dim === 'string' && /^[A-Za-z_]\w*$/.test(dim)

/** Symbols of a dimension, each once. */
export const symbolsIn = (dim: ManifestDim): string[] =>
  typeof dim === 'number' ? [] : [...new Set(dim.match(/[A-Za-z_]\w*(?!\w|\()/g) ?? [])]
