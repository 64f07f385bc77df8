/** What this machine can do at most, measured: the yardstick of `kcc bench`. */
import { readFileSync } from 'node:fs'
import { MANIFEST_FORMAT, type ModuleManifest } from '../../../runtime/contract/manifest.js'
import type { NativeModule } from '../../../runtime/contract/native.js'
import { loadEmitted } from '../../engine.js'
import type { Emitted } from '../../emit/sources.js'
import { inPackage, kccVersion } from '../../support/paths.js'

/** Operations and bytes per second. */
export type MachineLimits = { readonly flops: number; readonly bandwidth: number }

export type Machine = { limits(threads: number): MachineLimits }

/** Functions of `native/bench/machine.cc`, in its order. */
const FLOPS = 0, BANDWIDTH = 1, LANES = 2
const OPERATIONS_PER_LANE = 24
const ROUNDS = 1_000_000
/** 128 MiB per array: beyond the caches of any CPU. */
const ELEMENTS = 32 * 1024 * 1024
const REPEATS = 8

/** Of a module of measurements, whose functions are called by number. */
export const machineManifest: ModuleManifest = { format: MANIFEST_FORMAT, kcc: kccVersion, name: 'machine', dims: ['n', 'chunks'], variables: [], scalars: [], functions: [], model: null }

export async function openMachine(): Promise<Machine> {
  const text = readFileSync(inPackage('native', 'bench', 'machine.cc'), 'utf8')
  const emitted: Emitted = { files: [{ name: 'machine.cc', text, perLevel: true }], device: [], manifests: [machineManifest] }
  const { addon } = await loadEmitted(emitted)
  return {
    limits(threads) {
      const chunks = addon.setThreads(threads)
      const module = addon.open('machine')
      try {
        return { flops: peakFlops(module, chunks), bandwidth: peakBandwidth(module, chunks) }
      } finally {
        module.close()
      }
    },
  }
}

/** The best of several runs: anything else that runs on the machine can only slow them. */
export function bestSeconds(run: () => void): number {
  const times = Array.from({ length: REPEATS }, () => {
    const started = performance.now()
    run()
    return (performance.now() - started) / 1000
  })
  return Math.min(...times)
}

function peakFlops(module: NativeModule, chunks: number): number {
  const lanes = new Float32Array(1), sums = new Float32Array(chunks)
  module.call(LANES, [], [lanes], [0, 1])
  const seconds = bestSeconds(() => module.call(FLOPS, [], [sums], [ROUNDS, chunks]))
  return ROUNDS * chunks * lanes[0]! * OPERATIONS_PER_LANE / seconds
}

/** Bytes read and bytes written. */
function peakBandwidth(module: NativeModule, chunks: number): number {
  const from = new Float32Array(ELEMENTS).fill(1), to = new Float32Array(ELEMENTS)
  const seconds = bestSeconds(() => module.call(BANDWIDTH, [from], [to], [ELEMENTS, chunks]))
  return 2 * from.byteLength / seconds
}
