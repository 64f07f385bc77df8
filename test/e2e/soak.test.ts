/** Long runs: memory does not grow, threads do not disturb each other, and training leaves the event loop free. */
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadPackage, NDArray, type CompiledModel } from '../../runtime/index.js'
import { lastJson, numbers, openWorkshop, smallModel, type BuildReport } from './workshop.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const shop = openWorkshop('soak'), folder = shop.path('dist', 'model'), entry = pathToFileURL(path.join(folder, 'index.mjs')).href
let model: CompiledModel

beforeAll(async () => {
  shop.write('model.ts', smallModel())
  await shop.kccJson<BuildReport>(['build', 'model.ts', '--no-check', '--out', folder])
  model = loadPackage(folder, { seed: 1 })
})
afterAll(async () => {
  await model.close()
  shop.remove()
})

const MIB = 1024 * 1024
/** V8 and malloc keep a little more or less from one look to the next, without growing with the number of calls. */
const ALLOWED = 3 * MIB

describe('memory stays', () => {
  const grown = async (of: string, what: string, count: number): Promise<number> => {
    const { growth, seconds } = lastJson<{ growth: number; seconds: number }>(await shop.node(['--expose-gc', path.join(here, 'soak.mjs'), of, what, String(count)]))
    console.log(`${what} × ${count}: ${(growth / 1024).toFixed(0)} KiB more resident memory, ${(seconds / count * 1e6).toFixed(1)} µs each`)
    return growth
  }

  test.each([['predictSync', 100_000], ['predict', 1_000], ['fit', 10_000], ['trainOnBatch', 2_000]])('%s × %d', async (what, count) => {
    expect(await grown(entry, what, count)).toBeLessThan(ALLOWED)
  })

  test('opening and closing a model × 500', async () => {
    shop.write('wide.ts', smallModel(4096))
    await shop.kccJson<BuildReport>(['build', 'wide.ts', '--no-check'])
    // Weights and optimizer state of each are half a megabyte: 250 MB if they were kept.
    expect(await grown(pathToFileURL(shop.path('dist/wide/index.mjs')).href, 'load', 500)).toBeLessThan(8 * MIB)
  })
})

const samples = (count: number, salt = 0): NDArray => new NDArray(numbers(count * 12, salt), [count, 12])
const dataOf = (result: NDArray | NDArray[]): Float32Array => (Array.isArray(result) ? result[0]! : result).data as Float32Array

describe('at the same time', () => {
  test('8 worker threads, 2,000 predictions each, answer as this thread, bit by bit', async () => {
    const inputs = Array.from({ length: 16 }, (_, i) => numbers(12 * (1 + i % 5), i * 13))
    const expected = inputs.map((x) => dataOf(model.predictSync(x)).slice())
    const work = (): Promise<{ wrong: number; calls: number }> => new Promise((resolve, reject) => {
      const worker = new Worker(path.join(here, 'threads-worker.mjs'), { workerData: { entry, calls: 2000, inputs, expected } })
      worker.on('message', resolve)
      worker.on('error', reject)
    })
    const reports = await Promise.all(Array.from({ length: 8 }, work))
    expect(reports).toEqual(Array(8).fill({ wrong: 0, calls: 2000 }))
  })

  test('predictions of mixed sizes answer as one after the other, bit by bit', async () => {
    const sizes = Array.from({ length: 120 }, (_, i) => [1, 7, 32, 33, 100, 257][i % 6]!)
    const alone: Float32Array[] = []
    for (const [i, size] of sizes.entries()) alone.push(dataOf(await model.predict(samples(size, i))))
    const together = await Promise.all(sizes.map(async (size, i) => dataOf(await model.predict(samples(size, i)))))
    together.forEach((data, i) => expect(data, `call ${i} of ${sizes[i]} samples`).toEqual(alone[i]))
  })

  test('a worker that is ended in the middle of its calls takes nobody along', async () => {
    const inputs = [numbers(12 * 64)], expected = inputs.map((x) => dataOf(model.predictSync(x)).slice())
    const workers = Array.from({ length: 4 }, () => new Worker(path.join(here, 'threads-worker.mjs'), { workerData: { entry, calls: 1_000_000, inputs, expected } }))
    await new Promise((resolve) => { setTimeout(resolve, 400) })
    await Promise.all(workers.map((worker) => worker.terminate()))
    expect(dataOf(model.predictSync(inputs[0]!))).toEqual(expected[0])
  })
})

describe('fit', () => {
  const x = samples(6400), y = Int32Array.from({ length: 6400 }, (_, i) => i % 3)

  test('never blocks the event loop, and predictions are answered meanwhile', async () => {
    const delays: number[] = []
    let last = performance.now(), answered = 0, sync = 0, done = false
    const timer = setInterval(() => {
      const now = performance.now()
      delays.push(now - last)
      last = now
    }, 10)
    const training = model.fit(x, y, { batchSize: 32, epochs: 500, verbose: 0 }).then(() => { done = true })
    const client = async (): Promise<void> => {
      while (!done) {
        const result = dataOf(await model.predict(samples(3)))
        if (result.every(Number.isFinite) && !done) answered++
        if (dataOf(model.predictSync(numbers(12))).every(Number.isFinite) && !done) sync++
        await new Promise((resolve) => { setTimeout(resolve, 5) })
      }
    }
    const started = performance.now()
    await Promise.all([training, client()])
    clearInterval(timer)
    const sorted = [...delays].sort((a, b) => a - b), median = sorted[sorted.length >> 1]!
    const milliseconds = performance.now() - started
    console.log(`fit of ${milliseconds.toFixed(0)} ms: ${delays.length} ticks of a 10 ms timer, median ${median.toFixed(1)} ms, longest ${sorted.at(-1)!.toFixed(0)} ms; ${answered} + ${sync} predictions answered`)
    expect(delays.length).toBeGreaterThan(milliseconds / 10 / 4)
    expect(median).toBeLessThan(25)
    expect(answered).toBeGreaterThan(0)
    expect(sync).toBeGreaterThan(0)
  })

  test('of the same model twice at once is refused, and the first goes on', async () => {
    const first = model.fit(x, y, { batchSize: 32, epochs: 2, verbose: 0 })
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow(/already being trained/)
    expect((await first).epoch).toEqual([0, 1])
  })

  test('closing during it ends it, and later calls are refused', async () => {
    const other = loadPackage(folder)
    const training = other.fit(x, y, { batchSize: 32, epochs: 1000, verbose: 0 })
    await new Promise((resolve) => { setTimeout(resolve, 100) })
    await other.close()
    await training.catch(() => undefined)
    expect(() => other.predictSync(numbers(12))).toThrow(/has been closed/)
    await expect(other.predict(samples(1))).rejects.toThrow(/has been closed/)
    expect(dataOf(model.predictSync(numbers(12))).every(Number.isFinite)).toBe(true)
  })
})
