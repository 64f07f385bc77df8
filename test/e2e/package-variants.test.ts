/** Packages of one model built in different ways predict and train alike. */
import { afterAll, describe, expect, test } from 'vitest'
import { lastJson, numbersText, openWorkshop, smallModel } from './workshop.js'

const shop = openWorkshop('variants')
afterAll(() => shop.remove())

/** Runs a package in a process of its own: predictions at several sizes, then training, all with one seed. */
const program = `${numbersText}
const [folder] = process.argv.slice(2)
const { load } = await import(folder + '/index.mjs')
const { createRequire } = await import('node:module')
const { level, levels } = createRequire(import.meta.url)(folder + '/model.node')
const model = load({ seed: 11 })
const predictions = {}
for (const count of [1, 3, 31, 32, 33, 64, 70]) predictions[count] = Array.from((await model.predict({ data: numbers(count * 12), shape: [count, 12] }, { batchSize: 32 })).data)
const x = { data: numbers(80 * 12, 5), shape: [80, 12] }, y = Int32Array.from({ length: 80 }, (_, i) => i % 3)
await model.fit(x, y, { batchSize: 32, epochs: 4, verbose: 0 })
const evaluation = await model.evaluate(x, y, { batchSize: 32, verbose: 0 })
console.log(JSON.stringify({ level, levels, predictions, evaluation, weights: model.getWeights().flatMap((w) => Array.from(w.data)) }))
await model.close()
`
type Report = { level: string; levels: string[]; predictions: Record<string, number[]>; evaluation: number[]; weights: number[] }

async function reportOf(name: string, flags: readonly string[], env: Record<string, string> = {}): Promise<Report> {
  const ran = await shop.kcc(['build', 'model.ts', '--out', shop.path(name), ...flags])
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  return lastJson<Report>(await shop.node([shop.path('use.mjs'), shop.path(name)], env))
}

const largest = (a: readonly number[], b: readonly number[]): number => {
  expect(a.length).toBe(b.length)
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))
}

/** The order of sums differs between levels and between fused and unfused code; 12 steps of RMSprop widen it. */
const PREDICTED = 2e-6, TRAINED = 2e-4

function expectAlike(got: Report, want: Report): void {
  for (const [count, values] of Object.entries(want.predictions)) expect(largest(got.predictions[count]!, values), `predictions of ${count} samples`).toBeLessThan(PREDICTED)
  expect(largest(got.weights, want.weights), 'weights after training').toBeLessThan(TRAINED)
  expect(largest(got.evaluation, want.evaluation), 'loss and accuracy').toBeLessThan(TRAINED)
}

shop.write('model.ts', smallModel())
shop.write('use.mjs', program)

describe('a package', async () => {
  const plain = await reportOf('plain', [])

  test('predicts the same for a sample alone and among others', () => {
    for (const values of Object.values(plain.predictions)) expect(largest(values, plain.predictions['70']!.slice(0, values.length))).toBeLessThan(PREDICTED)
    expect(plain.level).toBe('native')
  })

  test('is bit-identical for 1, 2 and 3 threads', async () => {
    for (const threads of ['1', '2', '3']) {
      const report = lastJson<Report>(await shop.node([shop.path('use.mjs'), shop.path('plain')], { KCC_THREADS: threads }))
      expect(report, `${threads} threads`).toEqual(plain)
    }
  })

  test.each([
    ['with kernels of fixed sizes', 'fixed', ['--specialize', 'batch=1,32'], ['native']],
    ['unfused', 'unfused', ['--no-fuse'], ['native']],
    ['for two CPU levels', 'levels', ['--cpu', 'x86-64-v2,x86-64-v3'], ['x86-64-v3', 'x86-64-v2']],
    ['for the lowest CPU level', 'lowest', ['--cpu', 'x86-64-v2'], ['x86-64-v2']],
  ])('%s gives the same', async (_, name, flags, levels) => {
    const report = await reportOf(name, flags)
    expect(report.levels).toEqual(levels)
    expectAlike(report, plain)
  })

  test('with fixed sizes holds kernels for them, and fewer kernels when fused', () => {
    const kernels = (name: string): number => (JSON.parse(shop.read(`${name}/manifest.json`)) as { functions: { kernels: number }[] }).functions.reduce((sum, f) => sum + f.kernels, 0)
    expect(kernels('plain')).toBeLessThan(kernels('unfused'))
    const bytes = (name: string): number => shop.read(`${name}/model.node`).length
    expect(bytes('fixed')).toBeGreaterThan(bytes('plain'))
  })
})
