/** What one run of the benchmark finds: the contents of `results.json`. */
import type { Precision } from '../../runtime/contract/manifest.js'
import type { Comparison } from './compare.js'
import type { Summary } from './statistics.js'
import type { TaskKind, Workload } from './workloads.js'

export type Row = {
  readonly kind: TaskKind
  readonly workload: Workload['name']
  /** Samples of a step or call. */
  readonly batch: number
  readonly peer: string
  readonly threads: number
  /** Which of several ways of doing it was the quickest; empty when there is one. */
  readonly way: string
  /** Seconds of one step or call. */
  readonly time: Summary
}

/** What a peer computes, compared with kcc. */
export type Check = { readonly workload: Workload['name']; readonly peer: string } & Comparison

/** The machine's limits between the rounds of a workload: operations and bytes per second. */
export type Limit = { readonly workload: Workload['name']; readonly threads: number; readonly flops: Summary; readonly bandwidth: Summary; /** Of a GPU's matrix units. */ readonly tensorFlops?: Summary }

/** Memory that a process takes more at its peak, while it trains, than before the network was made. */
export type Memory = { readonly workload: Workload['name']; readonly peer: string; readonly bytes: number }

/** Seconds of `kcc build` with an empty cache, and of the same command again. */
export type Build = { readonly model: string; readonly cold: number; readonly unchanged: number }

export type Results = {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number; readonly system: string; readonly node: string; readonly loadBefore: number; readonly loadAfter: number; /** Name and driver of the GPU that was measured; absent for the CPU. */ readonly gpu?: string }
  /** Of kcc's products on a GPU; absent for float32. */
  readonly precision?: Precision
  readonly rounds: number
  readonly seconds: number
  readonly limits: readonly Limit[]
  readonly versions: Readonly<Record<string, string>>
  /** Operations of the products of each task, by its name. */
  readonly flops: Readonly<Record<string, number>>
  readonly rows: readonly Row[]
  readonly checks: readonly Check[]
  readonly memory: readonly Memory[]
  readonly builds: readonly Build[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** Of a GPU: the calls of kcc's training, with the time for which it waited between two of them. */
  readonly gaps?: readonly Gap[]
  /** Of a GPU: what `kcc tune` gave to the vendor's library. */
  readonly tuned?: readonly Tuning[]
  /** Of a GPU: kcc's kernels. */
  readonly kernels?: readonly TaskKernels[]
}

/** Seconds of a recorded step on the GPU, and from its end to the beginning of the next. */
export type Gap = { readonly workload: Workload['name']; readonly step: Summary; readonly between: Summary }

/** One launch, in seconds; its shares of the memory's measured speed, of the peak of products, and of the one of them that bounds it. */
export type KernelTime = {
  readonly name: string
  readonly layer: string
  readonly bound: 'memory' | 'arithmetic'
  readonly seconds: number
  readonly ofBound: number
  readonly ofBandwidth: number
  readonly ofPeak: number
  /** Of a product that a library could compute: what does, in words; null for any other kernel. */
  readonly computedBy: string | null
}

/** Products of a package, at the sizes that it gets, and how many of them a library computes; what libraries there were, in words. */
export type Tuning = { readonly name: string; readonly libraries: string; readonly products: number; readonly byLibrary: number }

/** In the order in which they start. */
export type TaskKernels = TaskKey & { readonly kernels: readonly KernelTime[] }

/** What a task is known by. */
export type TaskKey = Pick<Row, 'kind' | 'workload' | 'batch'>

const isSameTask = (a: TaskKey, b: TaskKey): boolean => a.kind === b.kind && a.workload === b.workload && a.batch === b.batch

export const rowsOf = (results: Results, task: TaskKey): Row[] =>
  results.rows.filter((row) => isSameTask(row, task)).sort((a, b) => a.time.median - b.time.median)

/** The better thread setting of every peer on a task, quickest first. */
export function bestRows(results: Results, task: TaskKey): Row[] {
  const best = new Map<string, Row>()
  for (const row of rowsOf(results, task)) if (!best.has(row.peer)) best.set(row.peer, row)
  return [...best.values()]
}

/** kcc with other options is no peer. */
export const isOurs = (peer: string): boolean => peer.startsWith('kcc')

export type Advantage = { readonly peer: Row; readonly kcc: Row; readonly ratio: number }

/** How many times longer the quickest peer takes than kcc; null without one of them. */
export function advantage(results: Results, task: TaskKey): Advantage | null {
  const rows = bestRows(results, task)
  const kcc = rows.find((r) => r.peer === 'kcc'), peer = rows.find((r) => !isOurs(r.peer))
  return kcc === undefined || peer === undefined ? null : { peer, kcc, ratio: peer.time.median / kcc.time.median }
}

/**
 * Operations per second of a row, and their share of the machine's peak; null without products. The peak is the highest that
 * was measured in the run for as many threads: beside a neighbour it is measured too low, which would flatter.
 */
export function speed(results: Results, row: Row): { readonly flops: number; readonly share: number | null } | null {
  const flops = results.flops[`${row.kind}:${row.workload}:${row.batch}`] ?? 0
  if (flops === 0) return null
  const peaks = results.limits.filter(({ threads }) => threads === row.threads).map((limit) => limit.flops.median)
  return { flops: flops / row.time.median, share: peaks.length === 0 ? null : flops / row.time.median / Math.max(...peaks) }
}
