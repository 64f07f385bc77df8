/** The addon itself, with a hand-written module: arguments, variables, calls, loops, errors, workers, memory. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoopPlan, NativeAddon, NativeModule } from '../../runtime/contract/native.js'
import { randomUniform } from '../../runtime/contract/philox.js'
import { buildDemo, load } from './build-demo.js'

const SCALE = 0, TRAIN = 1, NOISE = 2, HUGE = 3, SLOW = 4
const folder = mkdtempSync(join(tmpdir(), 'kcc-addon-'))
let path = ''
let addon: NativeAddon

beforeAll(async () => {
  path = await buildDemo(folder)
  addon = load(path)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

const open = (): NativeModule => {
  const module = addon.open('demo')
  module.setVariable(0, new Float32Array([1, 2, 3, 4]))
  return module
}
const ramp = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i)
const scaled = (x: Float32Array): Float32Array => x.map((v, i) => v * (1 + (i % 4)) * 2)

const plan = (part: Partial<LoopPlan>): LoopPlan => ({
  fn: SCALE, inputs: [], outputs: [], logs: null, scalarOutputs: 0, log: 0, data: 0, order: null, samples: 10, batchSize: 4, firstBatch: 0, lastBatch: 3,
  budgetMs: Infinity, dims: [0], batchDim: 0, ...part,
})

describe('addon', () => {
  it('chooses the first level the CPU supports', () => {
    expect({ abi: addon.abi, levels: addon.levels, level: addon.level, modules: addon.modules }).toEqual({
      abi: 6, levels: ['x86-64-v9', 'x86-64-v2'], level: 'x86-64-v2', modules: ['demo'],
    })
    expect(() => addon.open('other')).toThrow("there is no module 'other' in this file, only demo")
  })

  it('refuses to load when no level is supported', () => {
    const child = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(path)})`], { env: { ...process.env, KCC_DEMO_UNSUPPORTED: '1' }, encoding: 'utf8' })
    expect(child.stderr).toMatch(/holds kernels for x86-64-v9, x86-64-v2, and this CPU runs none of them \(it has .*sse4\.2/)
  })

  it('holds variables, scalars and the random state of each instance', () => {
    const one = open(), two = open()
    one.setVariable(0, new Float32Array([9, 9, 9, 9]))
    const back = new Float32Array(4)
    two.getVariable(0, back)
    expect([...back]).toEqual([1, 2, 3, 4])
    expect([one.getScalar(0), one.getScalar(1)]).toEqual([2, 0.5])
    one.setScalar(0, 0.25)
    expect([one.getScalar(0), two.getScalar(0)]).toEqual([0.25, 2])
    one.setRandom(2 ** 53 - 1, 12)
    expect(one.getRandom()).toEqual({ seed: 2 ** 53 - 1, step: 12 })
    expect(one.bytes()).toBe(24)
  })

  it('calls, on this thread and off it, with any number of threads', async () => {
    const module = open(), x = ramp(4000)
    for (const threads of [1, 2, 5, 0]) {
      const size = addon.setThreads(threads)
      expect(size).toBe(threads === 0 ? size : threads)
      const y = new Float32Array(4000), z = new Float32Array(4000)
      module.call(SCALE, [x], [y], [1000])
      await module.callAsync(SCALE, [x], [z], [1000])
      expect(y).toEqual(scaled(x))
      expect(z).toEqual(y)
    }
  })

  it('reads and writes views into larger buffers', () => {
    const module = open(), memory = new ArrayBuffer(100), y = new Float32Array(memory, 36, 4)
    module.call(SCALE, [new Float32Array(memory, 4, 4).fill(1)], [y], [1])
    expect([...y]).toEqual([2, 4, 6, 8])
  })

  it('advances the random step with every call that draws', async () => {
    const module = open(), u = new Float32Array(200)
    module.setRandom(42, 1000)
    module.call(NOISE, [], [u], [200])
    expect([...u]).toEqual(Array.from({ length: 200 }, (_, i) => randomUniform(42, 7, 1000, i)))
    await module.callAsync(NOISE, [], [u], [200])
    expect(u[77]).toBe(randomUniform(42, 7, 1001, 77))
    const rows = new Float32Array(10)
    await module.loop(plan({ fn: NOISE, outputs: [{ data: rows, rowBytes: 4 }] }))
    expect(module.getRandom()).toEqual({ seed: 42, step: 1005 })
    expect(rows[9]).toBe(randomUniform(42, 7, 1004, 1))
  })
})

describe('loop', () => {
  it('runs batches in order, the last one partial', async () => {
    const module = open(), x = ramp(40), y = new Float32Array(40)
    const columns = { inputs: [{ data: x, rowBytes: 16 }], outputs: [{ data: y, rowBytes: 16 }] }
    expect(await module.loop(plan(columns))).toBe(3)
    expect(y).toEqual(scaled(x))
  })

  it('gathers and scatters by an order', async () => {
    const module = open(), x = ramp(4000), y = new Float32Array(4000)
    const order = Int32Array.from({ length: 1000 }, (_, i) => (i * 387) % 1000)
    const columns = { inputs: [{ data: x, rowBytes: 16 }], outputs: [{ data: y, rowBytes: 16 }] }
    await module.loop(plan({ ...columns, order, samples: 1000, batchSize: 300, lastBatch: 4 }))
    expect(y).toEqual(scaled(x))
  })

  it('trains with logs, and resumes in the middle', async () => {
    const one = open(), two = open(), x = ramp(40)
    const order = Int32Array.from([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
    const train = { fn: TRAIN, inputs: [{ data: x, rowBytes: 16 }], order, scalarOutputs: 1 }
    const whole = new Float32Array(3), parts = new Float32Array(3)
    expect(await one.loop(plan({ ...train, logs: whole }))).toBe(3)
    expect(await two.loop(plan({ ...train, logs: parts, lastBatch: 1 }))).toBe(1)
    expect(await two.loop(plan({ ...train, logs: parts, firstBatch: 1 }))).toBe(3)
    expect(parts).toEqual(whole)
    // Scalars that may be kept elsewhere are here at once.
    const kept = open(), stay = new Float32Array(3)
    kept.reserve(TRAIN, [4])
    expect(await kept.loop(plan({ ...train, logs: stay, log: 5, lastBatch: 2 }))).toBe(2)
    kept.readLog(5, stay, 2)
    kept.forgetLog(5)
    // And so are inputs.
    expect(await kept.loop(plan({ ...train, logs: stay, data: 6, firstBatch: 2 }))).toBe(3)
    kept.forgetData(6)
    expect(() => kept.forgetData(0)).toThrow('data must be a whole number from 1')
    expect([...stay]).toEqual([...whole])
    expect(() => kept.readLog(0, stay, 2)).toThrow('log must be a whole number from 1')
    // the means of rows 3,1,4,0, of rows 5,9,2,6 and of rows 8,7, column by column
    const sum = (rows: number[]): number => rows.reduce((s, r) => s + 16 * r + 6, 0) / rows.length
    expect([...whole]).toEqual([10 + sum([3, 1, 4, 0]), 10 + sum([3, 1, 4, 0]) + sum([5, 9, 2, 6]), 10 + sum([3, 1, 4, 0]) + sum([5, 9, 2, 6]) + sum([8, 7])])
  })

  it('returns at a batch boundary when its time is over', async () => {
    const module = open(), out = new Uint8Array(4000)
    const slow = { fn: SLOW, outputs: [{ data: out, rowBytes: 4 }], samples: 1000, batchSize: 10, lastBatch: 100 }
    const start = Date.now()
    const next = await module.loop(plan({ ...slow, budgetMs: 120 }))
    expect(next).toBeGreaterThan(2)
    expect(next).toBeLessThan(14)
    expect(Date.now() - start).toBeLessThan(600)
    expect(await module.loop(plan({ ...slow, budgetMs: 0 }))).toBe(1)
  })

  it('lets other calls in between two batches, and ends when the module is closed', async () => {
    const module = open(), y = new Float32Array(4), out = new Uint8Array(4000)
    const running = module.loop(plan({ fn: SLOW, outputs: [{ data: out, rowBytes: 4 }], samples: 1000, batchSize: 10, lastBatch: 100 }))
    await new Promise((wake) => setTimeout(wake, 30))
    module.call(SCALE, [ramp(4)], [y], [1])
    expect([...y]).toEqual([0, 4, 12, 24])
    module.close()
    await expect(running).rejects.toThrow('demo.slow: the module is closed')
  })
})

describe('errors', () => {
  it('refuses wrong arguments', async () => {
    const m = open(), x = new Float32Array(4), loose = m as unknown as Record<string, (...a: unknown[]) => unknown>
    expect(() => m.call(9, [x], [x], [1])).toThrow('function must be a whole number from 0 to 4, not 9')
    expect(() => m.call(SCALE, [], [x], [1])).toThrow('expected 1 inputs, got 0')
    expect(() => m.call(SCALE, [x], [x], [])).toThrow('expected 1 dims, got 0')
    expect(() => m.call(SCALE, [x], [x], [-1])).toThrow('a dimension must be a whole number')
    expect(() => m.call(SCALE, [x], [x], [NaN])).toThrow('a dimension must be a whole number')
    expect(() => loose['call']!(SCALE, ['x'], [x], [1])).toThrow('an input must be a typed array')
    expect(() => loose['call']!(SCALE, { length: 1 }, [x], [1])).toThrow('inputs must be an array')
    expect(() => loose['call']!()).toThrow('function must be a number')
    expect(() => loose['call']!.call({}, SCALE, [x], [x], [1])).toThrow()
    expect(() => loose['loop']!()).toThrow('loop takes a plan')
    expect(() => m.setVariable(0, new Float32Array(3))).toThrow('variable 0 has 16 bytes, the array 12')
    expect(() => m.getVariable(2, x)).toThrow('variable must be a whole number from 0 to 1, not 2')
    expect(() => m.setRandom(0.5, 0)).toThrow('the seed must be a whole number')
    expect(() => m.setScalar(2, 0)).toThrow('scalar must be')
    expect(() => new (m.constructor as new () => unknown)()).toThrow('use open() to make a module')
    const gone = new Float32Array(4)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    expect(() => m.call(SCALE, [gone], [x], [1])).toThrow('an input was detached from its memory')
  })

  it('refuses loops that leave their arrays', () => {
    const m = open(), x = { data: new Float32Array(36), rowBytes: 16 }, y = { data: new Float32Array(40), rowBytes: 16 }
    const loop = (part: Partial<LoopPlan>) => (): unknown => m.loop(plan({ inputs: [y], outputs: [y], ...part }))
    expect(loop({ inputs: [x] })).toThrow('inputs: a column of 144 bytes has no 10 rows of 16 bytes')
    expect(loop({ outputs: [] })).toThrow('scale has 1 inputs and 1 outputs, the plan 1 and 0')
    expect(loop({ order: new Int32Array(9) })).toThrow('order must be an Int32Array with an entry for every sample')
    expect(loop({ order: new Int32Array(10).fill(10) })).toThrow('order names sample 10 of 10')
    expect(loop({ order: new Int32Array(10).fill(-1) })).toThrow('order names sample -1 of 10')
    expect(loop({ lastBatch: 4 })).toThrow('lastBatch must be a whole number from 0 to 3')
    expect(loop({ batchSize: 0 })).toThrow('batchSize must be')
    expect(loop({ fn: TRAIN, outputs: [], scalarOutputs: 1, logs: new Float32Array(2) })).toThrow('logs must be a Float32Array')
    expect(loop({ dims: [1, 2] })).toThrow('expected 1 dims, got 2')
  })

  it('answers nonsense with JavaScript errors only', async () => {
    const module = open(), big = new Float32Array(4096)
    const nonsense: readonly unknown[] = [
      undefined, null, 0, 1, -1, NaN, 1e300, Infinity, 'x', {}, [], [1], [[big]], new Uint8Array(0), () => 1, Symbol('s'), 10n, new Proxy([big], {}),
      [new Proxy(big, {})], [{ data: big, rowBytes: -1 }], [{ data: 1 }], new DataView(new ArrayBuffer(8)), Object.create(null),
    ]
    const names = ['setVariable', 'getVariable', 'setScalar', 'getScalar', 'setRandom', 'getRandom', 'call', 'callAsync', 'loop', 'bytes']
    const methods = module as unknown as Record<string, (...a: unknown[]) => unknown>
    let state = 1, refused = 0
    const pick = <T>(from: readonly T[]): T => from[(state = (state * 48271) % 2147483647) % from.length]!
    for (let i = 0; i < 20_000; i++) {
      const name = pick(names), valid: unknown[] = [pick([SCALE, TRAIN]), [big], [big], [8]]
      const args = name === 'loop' ? [plan({ inputs: [{ data: big, rowBytes: 16 }], outputs: [{ data: big, rowBytes: 16 }] })] : valid
      const target = name === 'loop' ? (args[0] as Record<string, unknown>) : (args as unknown as Record<string, unknown>)
      target[pick(Object.keys(target))] = pick(nonsense)
      try {
        await methods[name]!(...args)
      } catch (error) {
        refused++
        expect(error).toBeInstanceOf(Error)
      }
    }
    expect(refused).toBeGreaterThan(5_000)
  })

  it('reports missing memory and stays usable', async () => {
    const m = open(), x = ramp(4), y = new Float32Array(4)
    expect(() => m.call(HUGE, [x], [y], [1])).toThrow('demo.huge: out of memory')
    await expect(m.callAsync(HUGE, [x], [y], [1])).rejects.toThrow('demo.huge: out of memory')
    m.call(SCALE, [x], [y], [1])
    expect([...y]).toEqual([0, 4, 12, 24])
  })

  it('fails after close', async () => {
    const m = open(), x = new Float32Array(4)
    m.close()
    m.close()
    expect(() => m.call(SCALE, [x], [x], [1])).toThrow('demo.scale: the module is closed')
    expect(() => m.setVariable(0, x)).toThrow('the module is closed')
    await expect(m.callAsync(SCALE, [x], [x], [1])).rejects.toThrow('closed')
    expect(m.bytes()).toBe(0)
  })
})

describe('process', () => {
  it('fills arenas with signalling NaNs when asked to', () => {
    const script = `const m = require(${JSON.stringify(path)}).open('demo'), o = new Uint32Array(1); m.call(${SLOW}, [], [o], [1]); console.log(o[0].toString(16))`
    expect(execFileSync(process.execPath, ['-e', script], { env: { ...process.env, KCC_POISON: '1' }, encoding: 'utf8' }).trim()).toBe('7fa00000')
  })

  it('works from eight worker threads at once', { timeout: 60_000 }, async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = require(workerData), m = addon.open('demo')
      m.setVariable(0, new Float32Array([1, 2, 3, 4]))
      const x = Float32Array.from({ length: 4000 }, (_, i) => i), y = new Float32Array(4000), z = new Float32Array(4000)
      let bad = 0
      const check = (a) => { for (let i = 0; i < 4000; i++) if (a[i] !== x[i] * (1 + i % 4) * 2) bad++ }
      ;(async () => {
        for (let i = 0; i < 300; i++) {
          m.call(${SCALE}, [x], [y.fill(0)], [1000]); check(y)
          if (i % 10 === 0) { await m.callAsync(${SCALE}, [x], [z.fill(0)], [1000]); check(z) }
        }
        parentPort.postMessage(bad)
      })()`
    const results = Array.from({ length: 8 }, () => new Promise((done, failed) => {
      const worker = new Worker(code, { eval: true, workerData: path })
      worker.once('message', done)
      worker.once('error', failed)
    }))
    expect(await Promise.all(results)).toEqual(Array(8).fill(0))
  })

  it('survives the end of a worker in the middle of a loop', { timeout: 60_000 }, async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const m = require(workerData).open('demo')
      m.loop({ fn: ${SLOW}, inputs: [], outputs: [{ data: new Uint8Array(400000), rowBytes: 4 }], logs: null, scalarOutputs: 0, log: 0, data: 0, order: null,
        samples: 100000, batchSize: 10, firstBatch: 0, lastBatch: 10000, budgetMs: Infinity, dims: [0], batchDim: 0 })
      setTimeout(() => parentPort.postMessage('running'), 20)`
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(code, { eval: true, workerData: path })
      await new Promise((ready) => worker.once('message', ready))
      const start = Date.now()
      await worker.terminate()
      expect(Date.now() - start).toBeLessThan(2000)
    }
    expect(open().bytes()).toBe(24)
  })

  it('exits in the middle of a loop, and with the pool running', () => {
    const script = `
      const a = require(${JSON.stringify(path)}), m = a.open('demo'), x = new Float32Array(4000)
      a.setThreads(4)
      m.call(${SCALE}, [x], [x], [1000])
      m.loop({ fn: ${SLOW}, inputs: [], outputs: [{ data: new Uint8Array(4000), rowBytes: 4 }], logs: null, scalarOutputs: 0, log: 0, data: 0, order: null,
        samples: 1000, batchSize: 10, firstBatch: 0, lastBatch: 100, budgetMs: Infinity, dims: [0], batchDim: 0 })
      setTimeout(() => process.exit(7), 30)`
    const child = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    expect({ status: child.status, signal: child.signal, stderr: child.stderr }).toEqual({ status: 7, signal: null, stderr: '' })
  })

  it('holds its memory over many calls and many instances', { timeout: 60_000 }, () => {
    const script = `
      const a = require(${JSON.stringify(path)}), x = new Float32Array(400), y = new Float32Array(400)
      const m = a.open('demo')
      const rss = () => { global.gc(); return process.memoryUsage().rss / 1048576 }
      const calls = (n) => { for (let i = 0; i < n; i++) { m.call(0, [x], [y], [100]); if (i % 4 === 0) m.call(1, [x], [y], [100]) } }
      const lives = (n) => { for (let i = 0; i < n; i++) { const t = a.open('demo'); t.call(1, [x], [y], [100]); if (i % 2) t.close(); if (i % 100 === 99) global.gc() } }
      calls(20000); lives(500)
      const before = rss()
      calls(100000)
      const middle = rss()
      lives(2000)
      console.log(JSON.stringify([middle - before, rss() - middle]))`
    const [calls, lives] = JSON.parse(execFileSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8' })) as [number, number]
    expect(calls).toBeLessThan(2)
    expect(lives).toBeLessThan(4)
  })
})
