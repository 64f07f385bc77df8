/**
 * Training steps as kernels for a GPU, executed by the host, against the same steps on the CPU: the same weights, the same
 * random numbers, and results that differ by the order of some sums alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import { clearSession, setSeed, type NDArray } from '../../compiler/index.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { deviceBuild } from './device.js'
import { cases, largest, listOf, samples } from './training-cases.js'

/** Products that end in pooling and in totals too, which the other tests of this folder do not have. */
const target = { ...cuda, combinesInProducts: true }

const models = Object.values(cases).map((c, i) => { clearSession(); setSeed(i); return c.make() })
const sources = models.map((model, i) => ({ ...moduleSource(model), name: `cuda_training_${i}` }))
let onCpu: LoadedNative, onGpu: LoadedNative

beforeAll(async () => {
  onCpu = await loadEmitted(compileSources(sources))
  onGpu = await loadEmitted(compileSources(sources, { ...defaultOptions, target }), { device: deviceBuild() })
})

const opened: CompiledModel[] = []
afterAll(async () => { for (const model of opened) await model.close() })

function open(loaded: LoadedNative, index: number): CompiledModel {
  const compiled = new CompiledModel(openModule(loaded, index), loaded.manifests[index]!, { seed: 7 })
  compiled.setWeights(models[index]!.weights.map((w) => ({ data: w.value, shape: w.shape })))
  opened.push(compiled)
  return compiled
}

/** Terms of a sum come in another order where threads share a row; what is divided by small squares makes a last place a step. */
const VALUES = 2e-6, WEIGHTS = 2e-5

test('rows of a product are finished together, and its totals apart', () => {
  const text = compileSources(sources, { ...defaultOptions, target }).device.map((file) => file.text).join('')
  expect(text).toContain('sum_of(row * 4 + 3, column)')
  expect(text).toMatch(/kcc::launch\((\w+)_tiles, [^]*?\n  kcc::launch\(\1_1, /)
})

describe.each(Object.entries(cases))('%s', (_name, one) => {
  const index = Object.values(cases).indexOf(one)

  test('steps as on the CPU', async () => {
    const cpu = open(onCpu, index), gpu = open(onGpu, index)
    const initial = cpu.getWeights().map((w) => Float32Array.from(w.data as Float32Array))
    for (const [step, count] of one.batches.entries()) {
      const { x, y } = samples(one, count, step + 1)
      const want = listOf(await cpu.trainOnBatch(x, y)), got = listOf(await gpu.trainOnBatch(x, y))
      expect(largest(got, want), `values of step ${step}: ${got.join(' ')}, on the CPU ${want.join(' ')}`).toBeLessThan(VALUES)
    }
    cpu.getWeights().forEach((want, i) => expect(largest(gpu.getWeights()[i]!.data, want.data), `weight ${i}`).toBeLessThan(WEIGHTS))
    expect(Math.max(...cpu.getWeights().map((w, i) => largest(w.data, initial[i]!)))).toBeGreaterThan(10 * WEIGHTS)
  })

  test('steps from the same weights and seed give the same bits', async () => {
    const run = async (): Promise<number[]> => {
      const gpu = open(onGpu, index), values: number[] = []
      for (const [step, count] of one.batches.entries()) {
        const { x, y } = samples(one, count, step + 1)
        values.push(...listOf(await gpu.trainOnBatch(x, y)))
      }
      return [...values, ...gpu.getWeights().flatMap((w) => Array.from(w.data))]
    }
    const first = await run(), again = await run()
    expect(again.length).toBe(first.length)
    expect(again.filter((v, i) => !Object.is(v, first[i])).length).toBe(0)
  })

  test('predicts as on the CPU, for any number of samples', async () => {
    const [cpu, gpu] = [open(onCpu, index), open(onGpu, index)]
    for (const count of [1, 3, 33]) {
      const { x } = samples(one, count, 9)
      expect(largest((await gpu.predict(x) as NDArray).data, (await cpu.predict(x) as NDArray).data)).toBeLessThan(VALUES)
    }
  })
})
