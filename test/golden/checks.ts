/** Comparisons of one case. A case passes when at least one was made and none failed. */
import { isDeepStrictEqual } from 'node:util'

export type Tolerance = { readonly rtol: number; readonly atol: number }

const listed = (values: ArrayLike<number>): string => Array.from(values).slice(0, 4).map((v) => v.toPrecision(6)).join(', ')
const clipped = (text: string): string => (text.length > 240 ? `${text.slice(0, 240)}…` : text)
/** Objects of other realms and classes compare by what a file would hold of them. */
const plain = (x: unknown): unknown => (x === undefined ? undefined : JSON.parse(JSON.stringify(x)))

/** So many roundings of operands, one after the other, may add up in one value of a layer or its gradient. */
const ROUNDINGS = 8

export class Checks {
  /** @param unit the unit roundoff of what products read, 2^-p, where that is less exact than float32: values are then as exact as the largest beside them. */
  constructor(private readonly unit = 0) {}

  readonly failures: string[] = []
  count = 0

  that(what: string, holds: boolean): void {
    this.count++
    if (!holds) this.failures.push(what)
  }

  /** |got - want| <= atol + rtol |want| for every element; NaN equals NaN. */
  close(what: string, got: ArrayLike<number> | undefined, want: ArrayLike<number> | undefined, { rtol, atol }: Tolerance): void {
    if (!got || !want) return this.that(`${what}: ${got ? 'the vector' : 'the result'} has no such value`, false)
    if (got.length !== want.length) return this.that(`${what}: ${got.length} elements instead of ${want.length}`, false)
    const largest = this.unit === 0 ? 0 : Array.from(want).reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0)
    let worst = 0
    for (let i = 0; i < want.length; i++) worst = Math.max(worst, errorOf(got[i]!, want[i]!, rtol, atol + ROUNDINGS * this.unit * largest))
    this.that(`${what}: off by ${worst.toPrecision(3)} times the tolerance; got ${listed(got)}, want ${listed(want)}`, worst <= 1)
  }

  /** Equal texts. */
  text(what: string, got: string, want: string): void {
    const at = [...want].findIndex((c, i) => got[i] !== c)
    this.that(`${what}: got ${clipped(JSON.stringify(got.slice(Math.max(0, at - 40))))}, want ${clipped(JSON.stringify(want.slice(Math.max(0, at - 40))))}`, got === want)
  }

  /** Equal values; the order of keys does not matter. */
  same(what: string, got: unknown, want: unknown): void {
    const [a, b] = [plain(got), plain(want)]
    this.that(`${what}: got ${clipped(JSON.stringify(a))}, want ${clipped(JSON.stringify(b))}`, isDeepStrictEqual(a, b))
  }

  /** Equal JSON, the order of keys included. */
  json(what: string, got: unknown, want: unknown): void { this.text(what, JSON.stringify(got), JSON.stringify(want)) }
}

/** In units of the tolerance. Infinite when only one of both is finite. */
function errorOf(got: number, want: number, rtol: number, atol: number): number {
  if (Object.is(got, want) || got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0
  const error = Math.abs(got - want) / (atol + rtol * Math.abs(want))
  return Number.isNaN(error) ? Infinity : error
}
