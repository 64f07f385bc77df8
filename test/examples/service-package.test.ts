/** The service with the real package behind it: many requests at once, 8 worker threads, and an orderly end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importPackage } from '../../examples/service/digits-package.js'
import { loadServer, pixelsOf } from '../../examples/service/load-test.js'
import { inPackage } from '../../compiler/support/paths.js'
import { openWorkshop, type BuildReport } from '../e2e/workshop.js'

const shop = openWorkshop('service'), folder = shop.path('dist', 'mnist-mlp')
type Service = { readonly url: string; readonly child: ChildProcess; readonly ended: Promise<{ code: number | null; output: string }> }
const running: Service[] = []

beforeAll(() => shop.kccJson<BuildReport>(['build', inPackage('examples', 'mnist-mlp', 'model.ts')]))
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL')
  shop.remove()
})

/** Starts `main.js` as a process of its own, and waits until it listens. */
function start(env: Record<string, string> = {}): Promise<Service> {
  const child = spawn(process.execPath, [inPackage('build', 'examples', 'service', 'main.js')], { env: { ...process.env, KCC_PACKAGE: folder, PORT: '0', ...env } })
  let output = ''
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => { child.on('close', (code) => resolve({ code, output })) })
  return new Promise((resolve, reject) => {
    const read = (bytes: Buffer): void => {
      output += bytes.toString()
      const url = /listening on (http:\S+)/.exec(output)?.[1]
      if (url === undefined) return
      const service = { url, child, ended }
      running.push(service)
      resolve(service)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(({ code }) => reject(new Error(`the service ended with ${code}: ${output}`)))
  })
}

const post = (url: string, payload: unknown): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) })

describe('the service', () => {
  test('answers 600 requests, 32 at a time, as single calls do, refuses bad ones, and ends after the last', async () => {
    const { url, child, ended } = await start()
    const { load } = await importPackage(folder)
    const model = load(), known = new Map<number, Float32Array>()
    const expected = (i: number): Float32Array => {
      const answer = known.get(i) ?? model.predictSync(pixelsOf(i)).data.slice()
      known.set(i, answer)
      return answer
    }
    const loaded = await loadServer(url, expected, { requests: 600, concurrency: 32 })
    console.log(`service: ${loaded.perSecond.toFixed(0)} requests of 2 samples per second, median ${loaded.medianMs.toFixed(1)} ms, 99 % within ${loaded.p99Ms.toFixed(1)} ms`)
    expect(loaded).toMatchObject({ calls: 600, wrong: 0, failed: 0 })
    expect((await post(`${url}/predict`, { samples: [[1, 2, 3]] })).status).toBe(400)
    const one = await (await post(`${url}/predict-sync`, { sample: Array.from(pixelsOf(3)) })).json() as { probabilities: number[] }
    expect(one.probabilities).toEqual(Array.from(expected(3)))
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok', predictions: 1201 })

    // Requests in progress when the signal comes are answered; then the process ends by itself.
    const late = Array.from({ length: 8 }, (_, i) => post(`${url}/predict`, { samples: Array.from({ length: 32 }, (_, k) => Array.from(pixelsOf(i * 32 + k))) }))
    await new Promise((resolve) => { setTimeout(resolve, 60) })
    child.kill('SIGTERM')
    const signalled = performance.now()
    const statuses = (await Promise.allSettled(late)).map((r) => (r.status === 'fulfilled' ? r.value.status : 'refused'))
    expect(statuses.every((status) => status === 200 || status === 503 || status === 'refused')).toBe(true)
    expect(statuses).toContain(200)
    const { code, output } = await ended
    const seconds = (performance.now() - signalled) / 1000
    console.log(`service: ${statuses.filter((s) => s === 200).length} of 8 late requests answered, ended ${seconds.toFixed(1)} s after SIGTERM`)
    // Kept-alive connections would hold it for more than a minute.
    expect(seconds).toBeLessThan(30)
    expect([code, output.trim().split('\n').at(-1)]).toEqual([0, 'stopped'])
    await model.close()
  })

  test('stops for SIGINT as well, and says so when its package is not there', async () => {
    const { child, ended } = await start()
    child.kill('SIGINT')
    expect((await ended).code).toBe(0)
    await expect(start({ KCC_PACKAGE: shop.path('nowhere') })).rejects.toThrow(/ended with 1: .*nowhere/s)
  })

  test('its load test: 8 worker threads and many requests, no wrong answer', async () => {
    const ran = await shop.node([inPackage('build', 'examples', 'service', 'load-test.js'), '200', '250'], { KCC_PACKAGE: folder })
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(ran.stdout).toMatch(/8 worker threads: \{\s+calls: 2000,\s+wrong: 0,\s+failed: 0/)
    expect(ran.stdout).toMatch(/64 requests at a time: \{\s+calls: 200,\s+wrong: 0,\s+failed: 0/)
  })
})
