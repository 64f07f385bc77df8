/** Weights and data of the workloads, drawn once and given to all peers in files of raw float32, with the facts of the networks as JSON. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Network, WeightFacts } from './network.js'
import { samplesOf } from './workloads.js'
import type { Workload } from './workloads.js'

/** Weights in Keras' order, then x and y of whole samples, as many as the workload has. */
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

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Class of a sample: the largest of random linear functions, so that there is something to learn. */
function labels(x: Float32Array, width: number, classes: number, random: () => number): Float32Array {
  const samples = x.length / width, outputs = Math.max(classes, 2)
  const directions = Float32Array.from({ length: outputs * width }, () => random() - 0.5)
  const y = new Float32Array(samples * classes)
  for (let s = 0; s < samples; s++) {
    let best = 0, bestScore = -Infinity
    for (let c = 0; c < outputs; c++) {
      let score = 0
      for (let k = 0; k < width; k++) score += directions[c * width + k]! * x[s * width + k]!
      if (score > bestScore) [best, bestScore] = [c, score]
    }
    if (classes === 1) y[s] = best
    else y[s * classes + best] = 1
  }
  return y
}

/**
 * Kernels keep the size of what goes through them, however deep the network is (He et al., http://arxiv.org/abs/1502.01852),
 * but for the last, which is smaller: predictions can be compared while no softmax has a clear winner. Factors and variances
 * are near 1, everything else near 0.
 */
function drawWeight({ name, shape }: WeightFacts, isLast: boolean, random: () => number): Float32Array {
  const around = (centre: number, reach: number): Float32Array => Float32Array.from({ length: product(shape) }, () => centre + reach * (2 * random() - 1))
  if (/gamma|variance/.test(name)) return around(1, 0.1)
  if (!name.includes('kernel')) return around(0, 0.05)
  // A depthwise kernel sums over its window only, a transposed one over the last axis.
  const inputs = name.includes('depthwise') ? product(shape.slice(0, 2)) : name.includes('transpose') ? product(shape) / shape.at(-2)! : product(shape.slice(0, -1))
  return around(0, (isLast ? 0.1 : 1) * Math.sqrt(6 / inputs))
}

const isClassifier = ({ training }: Network): boolean => training?.loss.includes('crossentropy') ?? false

export function drawData(workload: Workload, network: Network): WorkloadData {
  const random = generator(20202), width = product(network.inputShape), samples = samplesOf(workload)
  const last = network.layers.findLast((layer) => layer.weights.length > 0)
  const weights = network.layers.flatMap((layer) => layer.weights.map((weight) => drawWeight(weight, layer === last, random)))
  const x = Float32Array.from({ length: samples * width }, () => 2 * random() - 1), outputs = product(network.outputShape)
  const y = network.training === null ? new Float32Array(0)
    : isClassifier(network) ? labels(x, width, outputs, random) : Float32Array.from({ length: samples * outputs }, random)
  return { weights, x, y }
}

const fileOf = (folder: string, name: string, part: string): string => join(folder, `${name}.${part}`)

export function writeData(folder: string, workload: Workload, { weights, x, y }: WorkloadData): void {
  const all = new Float32Array(weights.reduce((sum, w) => sum + w.length, 0))
  weights.reduce((at, w) => (all.set(w, at), at + w.length), 0)
  for (const [part, values] of Object.entries({ weights: all, x, y })) writeFileSync(fileOf(folder, workload.name, `${part}.f32`), values)
}

/** @param model name of the file in `models/` */
export function writeNetwork(folder: string, model: string, network: Network): void {
  writeFileSync(fileOf(folder, model, 'json'), JSON.stringify(network))
}

export const readNetwork = (folder: string, model: string): Network => JSON.parse(readFileSync(fileOf(folder, model, 'json'), 'utf8')) as Network

export function readData(folder: string, workload: Workload, network: Network): WorkloadData {
  const read = (part: string): Float32Array => {
    const bytes = readFileSync(fileOf(folder, workload.name, `${part}.f32`))
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }
  const all = read('weights')
  let at = 0
  const take = (count: number): Float32Array => all.slice(at, (at += count))
  return { weights: network.layers.flatMap((layer) => layer.weights.map(({ shape }) => take(product(shape)))), x: read('x'), y: read('y') }
}
