/** What a GPU can do at most, measured: the yardstick of `kcc bench` and `kcc inspect --fusion` for `--target cuda`. */
import { readFileSync } from 'node:fs'
import type { Precision } from '../../../runtime/contract/manifest.js'
import type { NativeModule } from '../../../runtime/contract/native.js'
import type { DeviceBuild } from '../../build/cuda.js'
import { loadEmitted } from '../../engine.js'
import type { Emitted } from '../../emit/sources.js'
import { inPackage } from '../../support/paths.js'
import { bestSeconds, machineManifest, type MachineLimits } from './machine.js'

/** Operations per second of the matrix units in TF32 and in bfloat16 beside those of the float32 units. */
export type GpuLimits = MachineLimits & { readonly tensorFlops: number; readonly bfloat16Flops: number }

/** What bounds products of a precision. */
export const productFlops = ({ flops, tensorFlops, bfloat16Flops }: GpuLimits, precision: Precision): number =>
  ({ float32: flops, tf32: tensorFlops, mixed_bfloat16: bfloat16Flops })[precision]

/** Limits, or why there is no GPU that they could be measured on. */
export type GpuMachine = { readonly limits: GpuLimits; readonly why: null } | { readonly limits: null; readonly why: string }

/** Functions of `native/bench/machine.cu`, in its order. */
const FLOPS = 0, TENSOR_FLOPS = 1, BANDWIDTH = 2, BFLOAT16_FLOPS = 3
/** Threads of a block, and operations of a thread in a round of multiply-adds; of its warp in one of products in TF32 and in bfloat16. */
const BLOCK = 256, PER_THREAD = 16, PER_WARP = 4 * 2048, PER_WARP_BFLOAT16 = 4 * 4096

/** More blocks than run at once, and arrays that no cache holds; next to nothing where a CPU plays the GPU. */
type Size = { readonly blocks: number; readonly rounds: number; readonly elements: number; readonly copies: number }
const sizes: Readonly<Record<DeviceBuild['kind'], Size>> = {
  nvcc: { blocks: 132 * 64, rounds: 4096, elements: 1 << 28, copies: 8 },
  host: { blocks: 2, rounds: 16, elements: 1 << 12, copies: 2 },
}

export async function measureGpu(build: DeviceBuild): Promise<GpuMachine> {
  const text = readFileSync(inPackage('native', 'bench', 'machine.cu'), 'utf8')
  const emitted: Emitted = { files: [], device: [{ name: 'machine.cu', text, perLevel: true }], manifests: [machineManifest] }
  const { addon } = await loadEmitted(emitted, { device: build })
  const { why } = addon.gpus()
  if (why !== null) return { limits: null, why }
  const module = addon.open(machineManifest.name)
  try {
    return { limits: limitsOf(module, sizes[build.kind]), why: null }
  } finally {
    module.close()
  }
}

function limitsOf(module: NativeModule, { blocks, rounds, elements, copies }: Size): GpuLimits {
  const sums = new Float32Array(blocks), warps = (blocks * BLOCK) / 32
  const perRound = (fn: number): number => between((count) => module.call(fn, [], [sums], [count, blocks]), rounds)
  const perCopy = between((count) => module.call(BANDWIDTH, [], [], [elements, count]), copies)
  return {
    flops: (blocks * BLOCK * PER_THREAD) / perRound(FLOPS), tensorFlops: (warps * PER_WARP) / perRound(TENSOR_FLOPS),
    bfloat16Flops: (warps * PER_WARP_BFLOAT16) / perRound(BFLOAT16_FLOPS), bandwidth: (8 * elements) / perCopy,
  }
}

/** Seconds of one of many: what twice as many take longer, so that starting them does not count. */
function between(run: (count: number) => void, count: number): number {
  run(count)
  const once = bestSeconds(() => run(count)), twice = bestSeconds(() => run(2 * count))
  return Math.max(twice - once, 1e-9) / count
}
