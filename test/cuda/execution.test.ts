/**
 * What the driver asks of a GPU, counted: inputs are copied beside the kernels, nothing comes back between the steps of an
 * epoch that nobody watches, and weights stay where they are. The GPU is one that the host plays.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import { BatchNormalization, Dense, Dropout, LambdaCallback, NDArray, Sequential, clearSession, metrics, setSeed } from '../../compiler/index.js'
import type { Model } from '../../compiler/nn/model.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { count, named, steps, taken, traced } from './host-gpu.js'

/** Dropout has numbers of every step, RMSprop slots, AUC a state of its own, batch normalisation moving statistics. */
function counted(): Model {
  const model = Sequential([Dense(8, { activation: 'relu', inputShape: [6] }), BatchNormalization(), Dropout(0.3), Dense(1, { activation: 'sigmoid' })])
  model.compile({ optimizer: 'rmsprop', loss: 'binary_crossentropy', metrics: ['accuracy', metrics.AUC({ numThresholds: 10 })] })
  return model
}

const SAMPLES = 50, BATCH = 8, STEPS = 7
clearSession()
setSeed(3)
const model = counted(), sources = [{ ...moduleSource(model), name: 'cuda_execution' }]
const x = new NDArray(Float32Array.from({ length: SAMPLES * 6 }, (_, i) => ((i * 7919) % 201) / 100 - 1), [SAMPLES, 6])
const y = new NDArray(Float32Array.from({ length: SAMPLES }, (_, i) => (i * 31) % 2), [SAMPLES, 1])
let onCpu: LoadedNative, onGpu: LoadedNative

beforeAll(async () => {
  onCpu = await loadEmitted(compileSources(sources))
  onGpu = await loadEmitted(compileSources(sources, { ...defaultOptions, target: cuda }), { device: { kind: 'host' } })
})

const opened: CompiledModel[] = []
afterAll(async () => { for (const one of opened) await one.close() })

function open(loaded: LoadedNative): CompiledModel {
  const compiled = new CompiledModel(openModule(loaded), loaded.manifests[0]!, { seed: 7 })
  compiled.setWeights(model.weights.map((w) => ({ data: w.value, shape: w.shape })))
  opened.push(compiled)
  return compiled
}

const weightsOf = (compiled: CompiledModel): number[] => compiled.getWeights().flatMap((w) => Array.from(w.data))
const largest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))

describe('an epoch that nobody watches', async () => {
  let lines: string[], history: Readonly<Record<string, number[]>>
  beforeAll(async () => {
    const gpu = open(onGpu)
    lines = named(await traced(async () => { history = (await gpu.fit(x, y, { batchSize: BATCH, epochs: 3, verbose: 0 })).history }))
  })

  test('starts one recorded step for each batch', () => expect(count(lines, /^graph of \d+ on kernels$/)).toBe(3 * STEPS))

  test('copies nothing out between its steps, and all losses and metrics once at its end', () => {
    expect(lines.filter((line) => line.startsWith('copy out'))).toEqual(Array.from({ length: 3 }, () => `copy out ${STEPS * 3 * 4} on kernels`))
    const epochs = lines.join('\n').split(/copy out .*/).slice(0, 3)
    for (const epoch of epochs) expect(count(epoch.split('\n'), /^graph/)).toBe(STEPS)
  })

  test('copies inputs beside the kernels, and neither weights nor slots', () => {
    const within = steps(lines.slice(0, lines.findIndex((line) => line.startsWith('copy out'))))
    expect(count(within, /^copy in \d+ on inputs$/)).toBe(STEPS - 1)
    expect(count(within, /on kernels$/) - count(within, /^graph/)).toBe(count(within, /^wait for mark on kernels$/))
  })

  test('is up to two steps ahead of what it waits for', () => {
    const within = steps(lines.slice(0, lines.findIndex((line) => line.startsWith('copy out'))))
    let started = 0, ended = 0
    const ahead = within.flatMap((line) => {
      if (line.startsWith('graph')) started++
      if (line === 'wait for mark on kernels') ended++
      return line.startsWith('graph') ? [started - ended] : []
    })
    // The last one, of fewer samples, has places of its own.
    expect(ahead).toEqual([1, 2, 3, 3, 3, 3, 4])
  })

  test('gives the numbers that the CPU gives', async () => {
    const cpu = await open(onCpu).fit(x, y, { batchSize: BATCH, epochs: 3, verbose: 0 })
    for (const [name, values] of Object.entries(cpu.history)) expect(largest(history[name]!, values), name).toBeLessThan(5e-6)
  })
})

describe('an epoch that is watched', () => {
  const logs: Record<string, number>[] = []
  let lines: string[]
  beforeAll(async () => {
    const watch = new LambdaCallback({ onBatchEnd: (_batch, values) => { logs.push({ ...values }) } }), gpu = open(onGpu)
    lines = named(await traced(() => gpu.fit(x, y, { batchSize: BATCH, verbose: 0, shuffle: false, callbacks: [watch] })))
  })

  test('brings the results of every batch', () => {
    expect(count(lines, /^copy out \d+ on results$/)).toBe(STEPS)
    expect(logs.map((l) => l['size'])).toEqual([8, 8, 8, 8, 8, 8, 2])
  })

  test('with the numbers that the CPU gives', async () => {
    const expected: Record<string, number>[] = []
    await open(onCpu).fit(x, y, { batchSize: BATCH, verbose: 0, shuffle: false, callbacks: [new LambdaCallback({ onBatchEnd: (_batch, values) => { expected.push({ ...values }) } })] })
    expected.forEach((wanted, i) => expect(largest(Object.values(logs[i]!), Object.values(wanted)), `batch ${i}`).toBeLessThan(5e-6))
  })
})

test('an epoch that is stopped has the means of what ran', async () => {
  const run = async (loaded: LoadedNative): Promise<number[]> => {
    const compiled = open(loaded)
    const stop = new LambdaCallback({ onEpochBegin: (epoch) => { compiled.stopTraining = epoch === 1 } })
    const { history } = await compiled.fit(x, y, { batchSize: BATCH, epochs: 3, verbose: 0, callbacks: [stop] })
    expect(history['loss']!.length).toBe(2)
    return Object.values(history).flat()
  }
  expect(largest(await run(onGpu), await run(onCpu))).toBeLessThan(5e-6)
})

test('predictions copy the inputs of the next batch, and the results of the last, beside the kernels', async () => {
  const gpu = open(onGpu)
  const lines = named(await traced(() => gpu.predict(x, { batchSize: BATCH })))
  expect(count(lines, /^graph of \d+ on kernels$/)).toBe(STEPS)
  expect([count(lines, /^copy in \d+ on inputs$/), count(lines, /^copy out \d+ on results$/)]).toEqual([STEPS, STEPS])
  // Three batches are on their way before the first result is waited for, and no stream is drained before the end.
  expect(lines.findIndex((line) => line.startsWith('wait for mark'))).toBeGreaterThan(lines.findIndex((line, i) => line.startsWith('graph') && count(lines.slice(0, i), /^graph/) === 2))
  expect(count(steps(lines), /^wait for stream/)).toBe(0)
})

test('steps and the time between them are written down where that is wanted', async () => {
  const gpu = open(onGpu), folder = mkdtempSync(join(tmpdir(), 'kcc-steps-')), file = join(folder, 'steps')
  process.env['KCC_STEP_TIMES'] = file
  try {
    await gpu.fit(x, y, { batchSize: BATCH, epochs: 2, verbose: 0 })
  } finally {
    delete process.env['KCC_STEP_TIMES']
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  rmSync(folder, { recursive: true })
  expect(lines).toHaveLength(2 * STEPS)
  for (const line of lines) expect(line).toMatch(/^trainStep [1-9]\d* \d+$/)
})

test('several models on one device do not touch each other', async () => {
  const [alone, one, other] = [open(onGpu), open(onGpu), open(onGpu)]
  await alone.fit(x, y, { batchSize: BATCH, epochs: 2, verbose: 0 })
  await Promise.all([one, other].map((each) => each.fit(x, y, { batchSize: BATCH, epochs: 2, verbose: 0 })))
  expect(weightsOf(one)).toEqual(weightsOf(alone))
  expect(weightsOf(other)).toEqual(weightsOf(alone))
})

test('a model that is closed gives back its memory, while another trains', async () => {
  const beforeTheEnd = (all: readonly string[]): readonly string[] => all.slice(0, all.findLastIndex((line) => line.startsWith('graph')))
  let alone!: CompiledModel
  const own = taken(beforeTheEnd(await traced(async () => {
    alone = open(onGpu)
    await alone.fit(x, y, { batchSize: BATCH, epochs: 12, verbose: 0 })
  })))
  const wanted = weightsOf(alone), rows = await alone.predict(x, { batchSize: BATCH }) as NDArray
  const predicted: NDArray[] = []
  let trained: number[] = []
  const lines = await traced(async () => {
    const [one, other] = [open(onGpu), open(onGpu)]
    one.setWeights(alone.getWeights())
    const fitting = other.fit(x, y, { batchSize: BATCH, epochs: 12, verbose: 0, callbacks: [new LambdaCallback({ onEpochBegin: async (epoch) => {
      if (epoch < 3) predicted.push(await one.predict(x, { batchSize: 2 * BATCH }) as NDArray)
      if (epoch === 3) await one.close()
    } })] })
    await fitting
    await expect(one.predict(x)).rejects.toThrow('has been closed')
    trained = weightsOf(other)
    await other.close()
  })
  expect(trained).toEqual(wanted)
  for (const each of predicted) expect([...each.data]).toEqual([...rows.data])
  expect([taken(beforeTheEnd(lines)), taken(lines)]).toEqual([own, 0])
})

test('a prediction and an evaluation in the middle of a training count for themselves', async () => {
  const run = async (loaded: LoadedNative): Promise<number[]> => {
    const compiled = open(loaded), values: number[] = []
    const between = new LambdaCallback({ onEpochEnd: async () => { values.push(...await compiled.evaluate(x, y, { batchSize: 16, verbose: 0 }) as number[]) } })
    const { history } = await compiled.fit(x, y, { batchSize: BATCH, epochs: 2, verbose: 0, validationData: [x, y], callbacks: [between] })
    return [...values, ...Object.values(history).flat(), ...weightsOf(compiled)]
  }
  expect(largest(await run(onGpu), await run(onCpu))).toBeLessThan(2e-5)
})
