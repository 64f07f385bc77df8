/** Training with fewer digits as kernels for a GPU: near float32, nearer to the CPU with the same precision, and no small update is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Precision } from '../../runtime/contract/manifest.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import { Dense, SGD, Sequential, clearSession, setSeed } from '../../compiler/index.js'
import type { Model } from '../../compiler/nn/model.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions, type PipelineOptions } from '../../compiler/pipeline.js'
import { deviceBuild } from './device.js'
import { cases, largest, listOf, samples } from './training-cases.js'

const chosen = ['mnist-mlp', 'convolutions', 'pooled'] as const
/** Of the unit roundoff of operands, 2^-11 and 2^-8: what eight of its size do to a loss after some steps. */
const LOSS: Readonly<Record<string, number>> = { tf32: 8 * 2 ** -11, mixed_bfloat16: 8 * 2 ** -8 }
/** Between two machines with the same precision: the order of sums, and what is rounded the other way because of it. */
const SAME: Readonly<Record<string, number>> = { tf32: 2 ** -11, mixed_bfloat16: 2 ** -8 }
const STEPS = 4

/** One weight of 1, whose gradient is 2 at every step as long as products see a 1. */
function oneWeight(): Model {
  const model = Sequential([Dense(1, { useBias: false, inputShape: [1], kernelInitializer: 'ones' })])
  model.compile({ optimizer: SGD({ lr: 1e-5 }), loss: 'mse' })
  return model
}

const models = [...chosen.map((name) => cases[name]!.make), oneWeight].map((make, i) => { clearSession(); setSeed(i); return make() })
const loaded = new Map<string, LoadedNative>(), opened: CompiledModel[] = []

async function load(name: string, options: Partial<PipelineOptions>, build: Parameters<typeof loadEmitted>[1] = {}): Promise<void> {
  const sources = models.map((model, i) => ({ ...moduleSource(model), name: `precision_${name}_${i}` }))
  loaded.set(name, await loadEmitted(compileSources(sources, { ...defaultOptions, ...options }), { flags: ['-O1'], ...build }))
}

beforeAll(async () => {
  await load('float32', {})
  for (const precision of ['tf32', 'mixed_bfloat16'] as const) {
    await load(`${precision}_cpu`, { precision })
    await load(precision, { precision, target: cuda }, { device: deviceBuild() })
  }
})
afterAll(async () => { for (const model of opened) await model.close() })

function open(name: string, index: number): CompiledModel {
  const native = loaded.get(name)!, compiled = new CompiledModel(openModule(native, index), native.manifests[index]!, { seed: 7 })
  compiled.setWeights(models[index]!.weights.map((w) => ({ data: w.value, shape: w.shape })))
  opened.push(compiled)
  return compiled
}

async function losses(name: string, index: number): Promise<number[]> {
  const model = open(name, index), one = cases[chosen[index]!]!, found: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const { x, y } = samples(one, [19, 8][step % 2]!, step + 1)
    found.push(listOf(await model.trainOnBatch(x, y))[0]!)
  }
  return found
}

describe.each(['tf32', 'mixed_bfloat16'] as const)('%s', (precision: Precision) => {
  test.each(chosen.map((name, i) => [name, i] as const))('%s trains as in float32, and as on the CPU', async (_name, index) => {
    const [exact, cpu, gpu] = [await losses('float32', index), await losses(`${precision}_cpu`, index), await losses(precision, index)]
    const apart = (a: number[], b: number[]): number => largest(a.map((v, i) => v / b[i]!), b.map(() => 1))
    const text = `float32 ${exact.join(' ')}; on the CPU ${cpu.join(' ')}; as kernels for a GPU ${gpu.join(' ')}`
    expect(apart(gpu, exact), text).toBeLessThan(LOSS[precision]!)
    expect(apart(gpu, cpu), text).toBeLessThan(SAME[precision]!)
    // Rounded, it is not the same.
    expect(gpu, text).not.toEqual(exact)
  })

  test('the model says so', () => {
    expect(open(precision, chosen.length).precision).toBe(precision)
    expect(open('float32', chosen.length).precision).toBe('float32')
  })

  test('updates below the last digit of what products read add up in the weight', async () => {
    const model = open(precision, chosen.length)
    for (let step = 0; step < 40; step++) await model.trainOnBatch([[1]], [[0]])
    // Every product reads 1, to which 1 - 40 * 2e-5 is rounded in bfloat16; TF32 sees the weight move by no more than 8e-4.
    const weight = model.getWeights()[0]!.data[0]!
    expect(Math.abs(weight - (1 - 40 * 2e-5))).toBeLessThan(precision === 'tf32' ? 40 * 2e-5 * 8e-4 : 40 * 2 ** -24)
  })
})
