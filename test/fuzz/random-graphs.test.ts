/**
 * Random functions, compiled fused, unfused and with kernels for a fixed batch, against the interpreter; the same bits
 * with any number of threads; sound memory plans. Arenas start each call full of NaN. `KCC_FUZZ=<count>` tests more
 * functions, `KCC_FUZZ_FIRST=<seed>` others, `KCC_FUZZ_SEED=<seed>` one alone and prints it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { printGraph } from '../../compiler/ir/graph-text.js'
import { compileTasks, emitTasks, type NativeFunctions } from '../compiled/native-functions.js'
import { checkFunction, type Tally } from './check-function.js'
import { checkPlan } from './check-plan.js'
import { fuzzCases, tasksOf, type FuzzCase } from './fuzz-cases.js'

process.env['KCC_POISON'] = '1'

const only = process.env['KCC_FUZZ_SEED']
const count = only === undefined ? Number(process.env['KCC_FUZZ'] ?? 2000) : 1
const perFile = 500
const firstSeed = Number(only ?? process.env['KCC_FUZZ_FIRST'] ?? 0)
const batches = Array.from({ length: Math.ceil(count / perFile) }, (_, i) => ({ first: firstSeed + i * perFile, size: Math.min(perFile, count - i * perFile) }))
const minutes = 60_000

describe(`${count} random functions`, () => {
  let next: Promise<Ready>
  const total: Tally = { elements: 0, unknown: 0, worst: 0, worstFusion: 0 }

  beforeAll(() => { next = prepare(batches[0]!) }, minutes)

  test.each(batches.map((batch, i) => [batch.first, batch.first + batch.size - 1, i] as const))('seeds %i to %i', async (_first, _last, i) => {
    const { cases, native } = await next
    // Compilers work on the next batch while this one is checked.
    const following = batches[i + 1]
    if (following) next = prepare(following)
    const failures = cases.flatMap((c) => failureOf(c, native, total))
    native.close()
    expect(failures.join('\n')).toBe('')
  }, 10 * minutes)

  afterAll(() => {
    process.stdout.write(`${total.elements} elements compared, ${total.unknown} without a bound; largest error ${total.worst.toFixed(2)} of the bound, between fused and unfused ${total.worstFusion.toFixed(2)}\n`)
    expect(total.unknown).toBeLessThan(total.elements / 50)
  })
})

type Ready = { readonly cases: readonly FuzzCase[]; readonly native: NativeFunctions }

/** Plans and checks memory now, compiles in other processes. */
async function prepare({ first, size }: { first: number; size: number }): Promise<Ready> {
  const cases = fuzzCases(first, size)
  const planned = emitTasks(`fuzz_${first}_${size}`, cases.flatMap(tasksOf), { kernelsPerUnit: 150 })
  for (const [name, plan] of planned.plans) checkPlan(name, plan)
  return { cases, native: await compileTasks(planned, { flags: ['-O1'] }) }
}

function failureOf(c: FuzzCase, native: NativeFunctions, total: Tally): string[] {
  if (only !== undefined) process.stdout.write(`${printGraph(c.optimized)}\n`)
  try {
    checkFunction(c, native, total)
    return []
  } catch (error) {
    return [`KCC_FUZZ_SEED=${c.seed}: ${error instanceof Error ? error.message : String(error)}`]
  }
}
