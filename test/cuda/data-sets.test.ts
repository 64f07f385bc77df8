/**
 * Data that a training goes over again and again: brought to the GPU once, batches gathered there, with the same numbers to the
 * last bit as when each batch is copied; on the host where memory is short. The GPU is one that the host plays.
 */
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import { Dense, Dropout, Embedding, Flatten, Input, K, Lambda, LambdaCallback, Model as makeModel, NDArray, clearSession, concatenate, setSeed } from '../../compiler/index.js'
import type { FitOptions } from '../../runtime/contract/fit-types.js'
import type { Model } from '../../compiler/nn/model.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import { compileSources, cuda, defaultOptions } from '../../compiler/pipeline.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { count, named, taken, traced } from './host-gpu.js'

const SAMPLES = 50, BATCH = 8, STEPS = 7
/** Of each input: rows of 16, 12, 4 and 40 bytes and of 5; more of them than one kernel gathers. */
const widths = [4, 3, 1, 10, 4, 4, 2, 8]

function manyInputs(): Model {
  const floats = widths.map((width) => Input({ shape: [width] })), bytes = Input({ shape: [5], dtype: 'uint8' }), words = Input({ shape: [3], dtype: 'int32' })
  const all = concatenate([...floats, Lambda((v) => K.cast(v, 'float32'))(bytes), Flatten()(Embedding(20, 3)(words))])
  const model = makeModel({ inputs: [...floats, bytes, words], outputs: Dense(2, { activation: 'softmax' })(Dropout(0.2)(Dense(8, { activation: 'tanh' })(all))) })
  model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

clearSession()
setSeed(4)
const model = manyInputs()
const rows = (samples: number, salt: number): NDArray[] => [
  ...widths.map((width, k) => new NDArray(Float32Array.from({ length: samples * width }, (_, i) => ((i * 7919 + k + salt) % 201) / 100 - 1), [samples, width])),
  new NDArray(Uint8Array.from({ length: samples * 5 }, (_, i) => (i * 31 + salt) % 7), [samples, 5], 'uint8'), new NDArray(Int32Array.from({ length: samples * 3 }, (_, i) => (i * 13 + salt) % 20), [samples, 3]),
]
const targets = (samples: number): NDArray => new NDArray(Float32Array.from({ length: samples * 2 }, (_, i) => Number((i >> 1) % 2 === i % 2)), [samples, 2])
const x = rows(SAMPLES, 0), y = targets(SAMPLES), weights = Float32Array.from({ length: SAMPLES }, (_, i) => (i % 5) / 2)
/** Bytes of the data as they lie on the device, each column in a room of its own. */
const inRooms = (bytes: number): number => Math.ceil(bytes / 256) * 256
const dataBytes = (samples: number): number => [...x, y].reduce((sum, a) => sum + inRooms((a.data.byteLength / SAMPLES) * samples), inRooms(4 * samples))

let gpu: LoadedNative
beforeAll(async () => { gpu = await loadEmitted(compileSources([{ ...moduleSource(model), name: 'cuda_data_sets' }], { ...defaultOptions, target: cuda }), { device: { kind: 'host' } }) })

const opened: CompiledModel[] = []
afterEach(async () => { for (const one of opened.splice(0)) await one.close() })

function open(): CompiledModel {
  const compiled = new CompiledModel(openModule(gpu), gpu.manifests[0]!, { seed: 7 })
  compiled.setWeights(model.weights.map((w) => ({ data: w.value, shape: w.shape })))
  opened.push(compiled)
  return compiled
}

const weightsOf = (compiled: CompiledModel): number[] => compiled.getWeights().flatMap((w) => Array.from(w.data))

/** On a GPU with so much memory, or on a host that has so much for copies. */
async function withMemory<T>(bytes: number, body: () => Promise<T>, name: 'memory' | 'pinned' = 'memory'): Promise<T> {
  process.env['KCC_HOST_GPU'] = `${name}=${bytes}`
  try {
    return await body()
  } finally {
    delete process.env['KCC_HOST_GPU']
  }
}

const fit = (compiled: CompiledModel, options: FitOptions): Promise<unknown> => compiled.fit(x, y, { batchSize: BATCH, verbose: 0, sampleWeight: weights, ...options })

/** Bytes of each copy to the device between the first step and the last. */
const copied = (lines: readonly string[]): number[] => lines.flatMap((line) => /^copy in (\d+) on inputs$/.exec(line)?.[1] ?? []).map(Number)

describe('data of several epochs', () => {
  test('are brought once, and after that the numbers of samples alone', async () => {
    const lines = named(await traced(() => fit(open(), { epochs: 3 })))
    const copies = copied(lines), columns = x.length + 2
    // Columns first, then for each step parameters, addresses and numbers of samples, each in a room.
    expect(copies.slice(0, columns).reduce((sum, bytes) => sum + inRooms(bytes), 0)).toBe(dataBytes(SAMPLES))
    expect(copies.slice(columns)).toEqual(Array.from({ length: 3 * STEPS }, () => 3 * 256))
    // Beside the kernels of the step before, in two kernels of at most eight columns.
    expect(count(lines, /^kernel on inputs$/)).toBe(2 * 3 * STEPS)
  })

  test('of one epoch are not', async () => {
    const copies = copied(named(await traced(() => fit(open(), { epochs: 1 }))))
    expect(copies).toHaveLength(STEPS)
    expect(Math.min(...copies)).toBeGreaterThan(3 * 256)
  })

  test.each([['in their order', false], ['shuffled', true]] as const)('%s give the same to the last bit as data on the host', async (_name, shuffle) => {
    const run = async (): Promise<{ values: unknown; lines: string[] }> => {
      let values: unknown
      const lines = named(await traced(async () => {
        const compiled = open(), history = await fit(compiled, { epochs: 3, shuffle, validationData: [rows(20, 5), targets(20)] }) as { history: unknown }
        values = [weightsOf(compiled), history.history]
        await compiled.close()
      }))
      return { values, lines }
    }
    const there = await run(), once = taken(await traced(() => fit(open(), { epochs: 1, validationData: [rows(20, 5), targets(20)] })))
    for (const one of opened.splice(0)) await one.close()
    const here = await withMemory(once + 256, run)
    expect(here.values).toEqual(there.values)
    expect([Math.max(...copied(here.lines).slice(-STEPS)) > 3 * 256, Math.max(...copied(there.lines).slice(-STEPS)) > 3 * 256]).toEqual([true, false])
  })

  test('of validations too are brought once', async () => {
    const lines = named(await traced(() => fit(open(), { epochs: 4, validationData: [rows(20, 5), targets(20)] })))
    expect(count(lines, new RegExp(`^allocate ${dataBytes(20)}$`))).toBe(1)
    expect(copied(lines)).toHaveLength(2 * (x.length + 2) + 4 * (STEPS + 3))
  })

  test('leave when the training has ended, however it ended', async () => {
    const compiled = open()
    await fit(compiled, { epochs: 1 })
    const before = compiled.memoryBytes, during: number[] = []
    const watch = new LambdaCallback({ onEpochEnd: () => { during.push(compiled.memoryBytes) } })
    await fit(compiled, { epochs: 3, callbacks: [watch] })
    expect([...during, compiled.memoryBytes]).toEqual([...Array.from({ length: 3 }, () => before + dataBytes(SAMPLES)), before])
    const failing = new LambdaCallback({ onEpochEnd: () => { throw new Error('enough') } })
    await expect(fit(compiled, { epochs: 3, callbacks: [failing] })).rejects.toThrow('enough')
    expect(compiled.memoryBytes).toBe(before)
  })
})

describe('where memory is short', () => {
  test('data that would take more than half of it stay on the host', async () => {
    const room = taken(await traced(() => fit(open(), { epochs: 1 })))
    const largest = async (memory: number): Promise<number> => Math.max(...copied(named(await withMemory(memory, () => traced(async () => {
      const compiled = open()
      await fit(compiled, { epochs: 2 })
      await compiled.close()
    })))).slice(-STEPS))
    for (const one of opened.splice(0)) await one.close()
    expect([await largest(room + 2 * dataBytes(SAMPLES)) > 3 * 256, await largest(room + 2 * dataBytes(SAMPLES) - 256) > 3 * 256]).toEqual([false, true])
  })

  test('they make room for what cannot run without it, and the training goes on', async () => {
    const many = rows(4096, 3)
    const run = async (): Promise<{ weights: number[]; bytes: number[] }> => {
      const compiled = open(), bytes: number[] = []
      const between = new LambdaCallback({ onEpochEnd: async (epoch) => {
        bytes.push(compiled.memoryBytes)
        if (epoch === 0) await compiled.predict(many, { batchSize: 2048 })
      } })
      await fit(compiled, { epochs: 3, callbacks: [between] })
      const found = { weights: weightsOf(compiled), bytes }
      await compiled.close()
      return found
    }
    const plenty = await run(), needed = taken(await traced(async () => {
      const compiled = open()
      await fit(compiled, { epochs: 1 })
      await compiled.predict(many, { batchSize: 2048 })
      await fit(compiled, { epochs: 1 })
    }))
    for (const one of opened.splice(0)) await one.close()
    const short = await withMemory(needed + dataBytes(SAMPLES) / 2, run)
    expect(short.weights).toEqual(plenty.weights)
    expect(plenty.bytes[1]! - short.bytes[1]!).toBe(dataBytes(SAMPLES))
  })

  test('of the host it is found before anything runs or does without, and the same model trains when there is more', async () => {
    const options: FitOptions = { epochs: 2, shuffle: false }
    /** What the training says with so much, and the weights after as many as work. */
    const run = async (bytes: number): Promise<{ said: string; weights: number[] }> => {
      const compiled = open(), said = await withMemory(bytes, () => fit(compiled, options).then(() => '', (error: Error) => error.message), 'pinned')
      if (said !== '') await fit(compiled, options)
      const found = { said, weights: weightsOf(compiled) }
      await compiled.close()
      return found
    }
    for (const one of opened.splice(0)) await one.close()
    const { weights } = await run(1e9), heard: string[] = []
    const runsWith = async (bytes: number): Promise<boolean> => {
      const found = await run(bytes)
      heard.push(found.said)
      expect(found.weights, `${bytes} bytes`).toEqual(weights)
      return found.said === ''
    }
    let least = 64 * 1024
    for (let step = least / 2; step >= 512; step /= 2) if (await runsWith(least - step)) least -= step
    // Numbers of samples take 768 bytes for each of three calls, of two sizes.
    for (const more of [768, 2 * 768, 4 * 768]) expect(await runsWith(least + more)).toBe(true)
    const short = 'MB of this machine\'s own memory are needed at once for copies to and from cuda:0, and the system does not give them'
    expect(new Set(heard)).toEqual(new Set([`0.0 ${short}`, '']))
  })
})
