/** Dimensions against plain numbers: arithmetic, rounded-down quotients, text, bounds; and the runtime's own evaluation of the text. */
import { describe, expect, it } from 'vitest'
import { atLeastZero, greatestValue, isAlwaysNegative, isNeverNegative, leastValue } from '../../compiler/ir/dim-bounds.js'
import { parseDim } from '../../compiler/ir/dim-parse.js'
import { addDims, ceilDivideDims, dimText, equalDims, evaluateDim, floorDivideDims, multiplyDims, subtractDims, symbol, symbolsOf, type Dim, type DimEnv } from '../../compiler/ir/dim.js'
import { parseType } from '../../compiler/ir/graph-parse.js'
import { typeText } from '../../compiler/ir/graph-text.js'
import { evaluateDim as evaluateText, symbolsIn } from '../../runtime/dims.js'
import { randomSource } from '../ops/values.js'

const H = symbol('H'), W = symbol('W')
const sizes: DimEnv[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 100].flatMap((h) => [0, 1, 2, 5, 31].map((w) => ({ H: h, W: w })))

/** A dimension drawn at random, and what it means in numbers. */
function drawn(random: () => number, depth: number): { dim: Dim; value: (env: DimEnv) => number } {
  const whole = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1))
  if (depth === 0) {
    const name = random() < 0.6 ? 'H' : 'W', n = whole(-4, 9)
    return random() < 0.7 ? { dim: symbol(name), value: (env) => env[name]! } : { dim: n, value: () => n }
  }
  const a = drawn(random, depth - 1), b = drawn(random, depth - 1), n = whole(1, 6)
  switch (whole(0, 5)) {
    case 0: return { dim: addDims(a.dim, b.dim), value: (env) => a.value(env) + b.value(env) }
    case 1: return { dim: subtractDims(a.dim, b.dim), value: (env) => a.value(env) - b.value(env) }
    case 2: return scaled(a, whole(-3, 4))
    case 3: return { dim: atLeastZero(a.dim), value: (env) => Math.max(a.value(env), 0) }
    case 4: return { dim: ceilDivideDims(a.dim, n), value: (env) => Math.ceil(a.value(env) / n) }
    default: return { dim: floorDivideDims(a.dim, n), value: (env) => Math.floor(a.value(env) / n) }
  }
}

const scaled = (a: { dim: Dim; value: (env: DimEnv) => number }, by: number) => ({ dim: multiplyDims(a.dim, by), value: (env: DimEnv) => a.value(env) * by })

describe('dimensions', () => {
  it('mean what numbers mean, in the compiler, in text and in the runtime', () => {
    const random = randomSource(7)
    for (let round = 0; round < 2000; round++) {
      const { dim, value } = drawn(random, 4), text = dimText(dim), read = parseDim(text)
      expect(dimText(read)).toBe(text)
      expect(symbolsIn(text).sort()).toEqual(symbolsOf(dim).sort())
      for (const env of sizes) {
        const wanted = value(env) + 0
        expect([text, evaluateDim(dim, env), evaluateDim(read, env), evaluateText(text, (name) => env[name]!)]).toEqual([text, wanted, wanted, wanted])
      }
    }
  })

  it('have bounds that hold for all sizes', () => {
    const random = randomSource(11)
    let known = 0
    for (let round = 0; round < 2000; round++) {
      const { dim, value } = drawn(random, 4), least = leastValue(dim), most = greatestValue(dim)
      const values = sizes.map(value)
      if (least !== null) expect([dimText(dim), Math.min(...values) >= least]).toEqual([dimText(dim), true])
      if (most !== null) expect([dimText(dim), Math.max(...values) <= most]).toEqual([dimText(dim), true])
      known += Number(least !== null) + Number(most !== null)
    }
    expect(known).toBeGreaterThan(1500)
  })

  it.each([
    [floorDivideDims(addDims(H, -3), 2), 'floor_div(H+1,2)-2'],
    [floorDivideDims(addDims(multiplyDims(H, 2), 3), 2), 'H+1'],
    [floorDivideDims(ceilDivideDims(H, 2), 2), 'floor_div(H+1,4)'],
    [ceilDivideDims(ceilDivideDims(H, 2), 2), 'floor_div(H+3,4)'],
    [floorDivideDims(addDims(multiplyDims(H, 6), multiplyDims(W, 2)), 4), 'H+floor_div(H+W,2)'],
    [floorDivideDims(multiplyDims(H, -1), 2), '-1*H+floor_div(H,2)'],
    [subtractDims(addDims(multiplyDims(2, H), 1), multiplyDims(2, H)), '1'],
    [atLeastZero(subtractDims(H, 3)), 'larger(H-3,0)'],
    [atLeastZero(subtractDims(multiplyDims(ceilDivideDims(H, 2), 2), H)), '-1*H+2*floor_div(H+1,2)'],
    [atLeastZero(subtractDims(multiplyDims(floorDivideDims(H, 2), 2), H)), '0'],
  ])('are written one way only: %#', (dim, text) => { expect(dimText(dim)).toBe(text) })

  it('say what is certain', () => {
    const covered = multiplyDims(ceilDivideDims(H, 3), 3)
    expect([leastValue(subtractDims(covered, H)), greatestValue(subtractDims(covered, H))].map((v) => v! + 0)).toEqual([0, 2])
    expect([isNeverNegative(subtractDims(H, 1)), isAlwaysNegative(subtractDims(H, 1)), isAlwaysNegative(subtractDims(-1, H))]).toEqual([false, false, true])
  })

  it('stand in types between commas', () => {
    const type = { dtype: 'float32', shape: [symbol('B'), floorDivideDims(H, 2), 4] } as const
    expect(typeText(type)).toBe('f32[B,floor_div(H,2),4]')
    expect(parseType(typeText(type)).shape.every((d, i) => equalDims(d, type.shape[i]!))).toBe(true)
  })

  it.each(['', '+', 'H H', '2*', 'floor_div(H)', 'floor_div(H,0)', 'ceil(H,2)', 'larger(H,1)', '4.5', 'H)'])('refuse "%s"', (text) => {
    expect(() => parseDim(text)).toThrow(SyntaxError)
  })
})
