/**
 * Training steps as kernels for a GPU, executed by the host, against the same steps on the CPU: the same weights, the same
 * random numbers, and results that differ by the order of some sums alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import {
  Activation, BatchNormalization, Conv2D, Dense, Dropout, Embedding, Flatten, GlobalAveragePooling1D, MaxPooling2D, NDArray, Sequential, clearSession, setSeed,
} from '../../compiler/index.js'
import type { Model } from '../../compiler/nn/model.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { deviceBuild } from './device.js'

type Case = { readonly make: () => Model; readonly input: readonly number[]; readonly classes: number; readonly batches: readonly number[]; readonly words?: number }

const cases: Readonly<Record<string, Case>> = {
  'small-mlp': { make: smallMlp, input: [100], classes: 1, batches: [32, 32, 5] },
  'mnist-mlp': { make: mnistMlp, input: [784], classes: 10, batches: [64, 37] },
  convolutions: { make: convolutions, input: [12, 10, 3], classes: 5, batches: [9, 4] },
  pooled: { make: pooled, input: [12, 12, 8], classes: 5, batches: [9, 4] },
  words: { make: words, input: [7], classes: 3, batches: [11, 6], words: 50 },
}

function smallMlp(): Model {
  const model = Sequential([Dense(32, { activation: 'relu', inputShape: [100] }), Dense(1, { activation: 'sigmoid' })])
  model.compile({ optimizer: 'rmsprop', loss: 'binary_crossentropy', metrics: ['accuracy'] })
  return model
}

/** Of `examples/mnist-mlp`. */
function mnistMlp(): Model {
  const model = Sequential([Dense(512, { activation: 'relu', inputShape: [784] }), Dropout(0.2), Dense(512, { activation: 'relu' }), Dropout(0.2), Dense(10, { activation: 'softmax' })])
  model.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

/** The layers of `examples/cifar10-cnn`, and the statistics of batches. */
function convolutions(): Model {
  const model = Sequential([
    Conv2D(8, 3, { padding: 'same', inputShape: [12, 10, 3] }), BatchNormalization(), Activation('relu'), Conv2D(8, [2, 3], { strides: 2, activation: 'relu' }),
    MaxPooling2D(), Dropout(0.25), Flatten(), Dense(5, { activation: 'softmax' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

/** Pooling at the end of a product: four of its rows are finished together. */
function pooled(): Model {
  const model = Sequential([Conv2D(16, 3, { padding: 'same', activation: 'relu', inputShape: [12, 12, 8] }), MaxPooling2D(), Flatten(), Dense(5, { activation: 'softmax' })])
  model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy' })
  return model
}

function words(): Model {
  const model = Sequential([Embedding(50, 9, { inputLength: 7 }), GlobalAveragePooling1D(), Dense(3, { activation: 'softmax' })])
  model.compile({ optimizer: 'sgd', loss: 'categorical_crossentropy' })
  return model
}

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

/** Repeatable numbers from -1 to 1. */
const numbers = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((((i + 1) * 7919 + seed * 104729) % 2003) - 1001) / 1001)
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

function samples({ input, classes, words }: Case, count: number, seed: number): { x: NDArray; y: NDArray } {
  const shape = [count, ...input], drawn = numbers(sizeOf(shape), seed)
  const x = words === undefined ? drawn : drawn.map((v) => Math.floor(((v + 1) / 2.001) * words))
  const label = (i: number): number => (i * 31 + seed) % Math.max(classes, 2)
  const y = Float32Array.from({ length: count * classes }, (_, i) => (classes === 1 ? label(i) : Number(label(Math.floor(i / classes)) === i % classes)))
  return { x: new NDArray(x, shape), y: new NDArray(y, [count, classes]) }
}

const listOf = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value] : value)
const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0)

/** Terms of a sum come in another order where threads share a row; what is divided by small squares makes a last place a step. */
const VALUES = 2e-6, WEIGHTS = 2e-5

test('rows of a product are finished together, and its totals apart', () => {
  const text = compileSources(sources, { ...defaultOptions, target }).device.map((file) => file.text).join('')
  expect(text).toContain('sum_of(row * 4 + 3, column)')
  expect(text).toMatch(/_tiles, .*\n(.*_finish, .*\n)?  kcc::launch\(\w+_1, /)
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

  test('predicts as on the CPU, for any number of samples', async () => {
    const [cpu, gpu] = [open(onCpu, index), open(onGpu, index)]
    for (const count of [1, 3, 33]) {
      const { x } = samples(one, count, 9)
      expect(largest((await gpu.predict(x) as NDArray).data, (await cpu.predict(x) as NDArray).data)).toBeLessThan(VALUES)
    }
  })
})
