// A process of its own whose memory is measured: `node --expose-gc soak.mjs <entry of a package> <what> <count>`.
// Prints { growth, seconds }: bytes of resident memory after `count` calls more than after the warm-up.
import { setTimeout as sleep } from 'node:timers/promises'

const [entry, what, count] = process.argv.slice(2)
const { load } = await import(entry)
const model = load({ seed: 3 })
const x = Float32Array.from({ length: 32 * 12 }, (_, i) => (i * 7919 % 1009) / 1009), y = Int32Array.from({ length: 32 }, (_, i) => i % 3)
const one = x.subarray(0, 12)
const many = { data: new Float32Array(3200 * 12).fill(0.5), shape: [3200, 12] }, labels = new Int32Array(3200)

const work = {
  predictSync: (n) => { for (let i = 0; i < n; i++) model.predictSync(one) },
  predict: async (n) => { for (let i = 0; i < n; i++) await model.predict(x) },
  // 100 steps inside each fit, and single steps.
  fit: async (n) => { for (let i = 0; i < n; i += 100) await model.fit(many, labels, { batchSize: 32, verbose: 0 }) },
  trainOnBatch: async (n) => { for (let i = 0; i < n; i++) await model.trainOnBatch(x, y) },
  load: async (n) => { for (let i = 0; i < n; i++) { const other = load(); other.predictSync(one); await other.close() } },
}[what]

/** Resident memory when garbage is gone: the least of a few looks. */
async function resident() {
  let least = Infinity
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await sleep(20)
    least = Math.min(least, process.memoryUsage.rss())
  }
  return least
}

// The same work first, so that caches, pools and the compiler of JavaScript have what they will keep.
await work(what === 'load' ? Number(count) : Math.max(Number(count), 4000))
const before = await resident(), started = performance.now()
await work(Number(count))
const seconds = (performance.now() - started) / 1000
console.log(JSON.stringify({ growth: await resident() - before, seconds }))
await model.close()
