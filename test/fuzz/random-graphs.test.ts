/**
 * Random functions, compiled fused, unfused and with kernels for a fixed batch, against the interpreter; the same bits
 * with any number of threads; sound memory plans. Arenas start each call full of NaN. `KCC_FUZZ=<count>` tests more
 * functions, `KCC_FUZZ_FIRST=<seed>` others, `KCC_FUZZ_SEED=<seed>` one alone and prints it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyTally, failures, prepare, tallyText, type Batch, type Ready } from './fuzz-batch.js'
import { randomFunction } from './random-function.js'

process.env['KCC_POISON'] = '1'

const only = process.env['KCC_FUZZ_SEED']
const count = only === undefined ? Number(process.env['KCC_FUZZ'] ?? 1500) : 1
const perFile = 500
const firstSeed = Number(only ?? process.env['KCC_FUZZ_FIRST'] ?? 0)
const batches = Array.from({ length: Math.ceil(count / perFile) }, (_, i): Batch =>
  ({ prefix: 'fuzz', first: firstSeed + i * perFile, size: Math.min(perFile, count - i * perFile), random: randomFunction }))
const minutes = 60_000

describe(`${count} random functions`, () => {
  let next: Promise<Ready>
  const total = emptyTally()

  beforeAll(() => { next = prepare(batches[0]!) }, 5 * minutes)

  test.each(batches.map((batch, i) => [batch.first, batch.first + batch.size - 1, i] as const))('seeds %i to %i', async (_first, _last, i) => {
    const ready = await next
    // Compilers work on the next batch while this one is checked.
    const following = batches[i + 1]
    if (following) next = prepare(following)
    const found = failures(ready, total, 'KCC_FUZZ_SEED', only !== undefined)
    ready.native.close()
    expect(found).toBe('')
  }, 10 * minutes)

  afterAll(() => {
    process.stdout.write(tallyText(total))
    expect(total.unknown).toBeLessThan(total.elements / 50)
  })
})
