/**
 * Loads the service with many requests at once, and the package from many worker threads; every answer is compared
 * with the one a single call gives. `node build/examples/service/load-test.js [requests] [calls per worker]`
 */
import { Worker } from 'node:worker_threads'
import { importPackage, packageFolder } from './digits-package.js'
import type { DigitModel } from './digits-package.js'
import { createServer } from './server.js'
import type { Answer } from './server.js'

export type LoadResult = { readonly calls: number; readonly wrong: number; readonly failed: number; readonly perSecond: number; readonly medianMs: number; readonly p99Ms: number }

/** Pixels of request `i`: cheap, different for each, the same in every thread. */
export function pixelsOf(i: number): Float32Array {
  return Float32Array.from({ length: 784 }, (_, p) => ((i * 7919 + p * 104729) % 1009) / 1009)
}

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]))

/** Sends `requests` requests, `concurrency` of them in progress at any time. Each carries `samples` samples. */
export async function loadServer(url: string, expected: (i: number) => ArrayLike<number>, { requests = 2000, concurrency = 64, samples = 2 } = {}): Promise<LoadResult> {
  const times: number[] = []
  let next = 0, wrong = 0, failed = 0
  const client = async (): Promise<void> => {
    for (let i = next++; i < requests; i = next++) {
      const started = performance.now()
      const numbers = Array.from({ length: samples }, (_, k) => i * samples + k)
      try {
        const answers = await post(url, numbers)
        if (!numbers.every((n, k) => sameNumbers(answers[k]!.probabilities, expected(n)))) wrong++
      } catch {
        failed++
      }
      times.push(performance.now() - started)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: concurrency }, client))
  return summary(times, wrong, failed, performance.now() - started)
}

async function post(url: string, numbers: readonly number[]): Promise<readonly Answer[]> {
  const body = JSON.stringify({ samples: numbers.map((n) => Array.from(pixelsOf(n))) })
  const response = await fetch(`${url}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return ((await response.json()) as { answers: readonly Answer[] }).answers
}

function summary(times: readonly number[], wrong: number, failed: number, wallMs: number): LoadResult {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { calls: times.length, wrong, failed, perSecond: times.length / wallMs * 1000, medianMs: at(0.5), p99Ms: at(0.99) }
}

export type WorkerTask = { readonly folder: string; readonly calls: number; readonly distinct: number; readonly expected: Float32Array }
export type WorkerReport = { readonly wrong: number; readonly times: readonly number[] }

/** Predicts from `workers` threads, each with the package loaded for itself, synchronously and not. */
export async function loadWorkers(model: DigitModel, { folder = packageFolder(), workers = 8, calls = 2000, distinct = 64, file = new URL('./worker.js', import.meta.url) } = {}): Promise<LoadResult> {
  const expected = new Float32Array(distinct * 10)
  for (let i = 0; i < distinct; i++) expected.set(model.predictSync(pixelsOf(i)).data, i * 10)
  const workerData: WorkerTask = { folder, calls, distinct, expected }
  const started = performance.now()
  const reports = await Promise.allSettled(Array.from({ length: workers }, () => reportOf(new Worker(file, { workerData }))))
  const done = reports.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
  return summary(done.flatMap((r) => r.times), done.reduce((sum, r) => sum + r.wrong, 0), reports.length - done.length, performance.now() - started)
}

const reportOf = (worker: Worker): Promise<WorkerReport> => new Promise((resolve, reject) => {
  let report: WorkerReport | null = null
  worker.on('message', (message: WorkerReport) => { report = message })
  worker.on('error', reject)
  worker.on('exit', (code) => (report !== null && code === 0 ? resolve(report) : reject(new Error(`a worker ended with code ${code}`))))
})

async function main(): Promise<void> {
  const [requests = 2000, calls = 2000] = process.argv.slice(2).map(Number)
  const { model } = await importPackage(packageFolder())
  console.log('8 worker threads:', await loadWorkers(model, { calls }))
  const app = await createServer(model)
  const cache = new Map<number, Float32Array>()
  const expected = (i: number): Float32Array => {
    const known = cache.get(i) ?? model.predictSync(pixelsOf(i)).data.slice()
    cache.set(i, known)
    return known
  }
  try {
    console.log('64 requests at a time:', await loadServer(await app.listen({ port: 0 }), expected, { requests }))
  } finally {
    await app.close()
  }
}

if (process.argv[1] !== undefined && import.meta.url.endsWith('/load-test.js') && process.argv[1].endsWith('load-test.js')) await main()
