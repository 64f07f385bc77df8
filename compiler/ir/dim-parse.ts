/** Reader of dimensions as `dimText` writes them. */
import { addDims, clampedDim, floorDivideDims, multiplyDims, symbol, type Dim } from './dim.js'

/** @throws SyntaxError for text that is not a dimension. */
export function parseDim(text: string): Dim {
  const tokens = text.match(/\d+|[A-Za-z_]\w*|[-+*(),]|\S/g) ?? []
  const reader = new DimReader(tokens, text)
  return reader.whole()
}

/** sum: term (+|- term)*; term: factor (* factor)*; factor: number, symbol, floor_div(sum, number), larger(sum, 0). */
class DimReader {
  private at = 0
  constructor(private readonly tokens: readonly string[], private readonly text: string) {}

  whole(): Dim {
    const dim = this.sum()
    return this.at === this.tokens.length ? dim : this.fail()
  }

  private sum(): Dim {
    let total = this.term(this.take('-') ? -1 : 1)
    for (;;) {
      if (this.take('+')) total = addDims(total, this.term(this.take('-') ? -1 : 1))
      else if (this.take('-')) total = addDims(total, this.term(-1))
      else return total
    }
  }

  private term(sign: number): Dim {
    let product = multiplyDims(this.factor(), sign)
    while (this.take('*')) product = multiplyDims(product, this.factor())
    return product
  }

  private factor(): Dim {
    const token = this.tokens[this.at++] ?? this.fail()
    if (/^\d/.test(token)) return Number(token)
    if (!/^[A-Za-z_]/.test(token)) return this.fail()
    return this.take('(') ? this.call(token) : symbol(token)
  }

  private call(name: string): Dim {
    const inner = this.sum()
    this.expect(',')
    const second = Number(this.tokens[this.at++])
    this.expect(')')
    if (name === 'floor_div' && Number.isInteger(second) && second > 0) return floorDivideDims(inner, second)
    return name === 'larger' && second === 0 ? clampedDim(inner) : this.fail()
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at++
    return true
  }

  private expect(token: string): void { if (!this.take(token)) this.fail() }
  private fail(): never { throw new SyntaxError(`not a dimension: "${this.text}"`) }
}
