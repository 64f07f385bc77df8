/** Weights and data of the workloads, drawn once and given to all peers in files of raw float32. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workload } from './workloads.js'

/** Kernels and biases in Keras' order, then x of shape (samples, inputs), then one-hot or 0/1 targets. */
export type WorkloadData = { readonly weights: readonly Float32Array[]; readonly x: Float32Array; readonly y: Float32Array }

/** A 32-bit generator (mulberry32): the numbers only have to be the same for everyone. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Class of a sample: the largest of random linear functions, so that there is something to learn. */
function labels(x: Float32Array, width: number, classes: number, random: () => number): Float32Array {
  const samples = x.length / width, outputs = Math.max(classes, 2)
  const directions = Float32Array.from({ length: outputs * width }, () => random() - 0.5)
  const y = new Float32Array(samples * classes)
  for (let s = 0; s < samples; s++) {
    let best = 0, bestScore = -Infinity
    for (let c = 0; c < outputs; c++) {
      let score = 0
      for (let k = 0; k < width; k++) score += directions[c * width + k]! * (x[s * width + k]! - 0.5)
      if (score > bestScore) [best, bestScore] = [c, score]
    }
    if (classes === 1) y[s] = best
    else y[s * classes + best] = 1
  }
  return y
}

export function drawData({ sizes, batches, batchSize }: Workload): WorkloadData {
  const random = generator(20201)
  const weights = sizes.slice(1).flatMap((size, i) => {
    const from = sizes[i]!, limit = Math.sqrt(6 / (from + size))
    return [Float32Array.from({ length: from * size }, () => limit * (2 * random() - 1)), new Float32Array(size)]
  })
  const x = Float32Array.from({ length: batches * batchSize * sizes[0]! }, random)
  return { weights, x, y: labels(x, sizes[0]!, sizes.at(-1)!, random) }
}

const fileOf = (folder: string, workload: Workload, part: string): string => join(folder, `${workload.name}.${part}.f32`)

export function writeData(folder: string, workload: Workload, { weights, x, y }: WorkloadData): void {
  const all = new Float32Array(weights.reduce((sum, w) => sum + w.length, 0))
  weights.reduce((at, w) => (all.set(w, at), at + w.length), 0)
  for (const [part, values] of Object.entries({ weights: all, x, y })) writeFileSync(fileOf(folder, workload, part), values)
}

export function readData(folder: string, workload: Workload): WorkloadData {
  const read = (part: string): Float32Array => {
    const bytes = readFileSync(fileOf(folder, workload, part))
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }
  const all = read('weights')
  let at = 0
  const take = (count: number): Float32Array => all.slice(at, (at += count))
  return { weights: workload.sizes.slice(1).flatMap((size, i) => [take(workload.sizes[i]! * size), take(size)]), x: read('x'), y: read('y') }
}
