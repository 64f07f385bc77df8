/** What one run of the benchmark finds: the contents of `results.json`. */
import type { Summary } from './statistics.js'
import type { TaskKind, Workload } from './workloads.js'

export type Row = {
  readonly kind: TaskKind
  readonly workload: Workload['name']
  readonly peer: string
  readonly threads: number
  /** Which of several ways of doing it was the quickest; empty when there is one. */
  readonly way: string
  /** Seconds of one step or call. */
  readonly time: Summary
}

/** Losses of the first training steps without dropout. */
export type Check = { readonly workload: Workload['name']; readonly peer: string; readonly losses: readonly number[]; readonly difference: number }

export type Results = {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number; readonly system: string; readonly node: string; readonly loadBefore: number; readonly loadAfter: number }
  readonly limits: readonly { readonly threads: number; readonly flops: Summary; readonly bandwidth: Summary }[]
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly checks: readonly Check[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** The better thread setting of every peer on a task, quickest first. */
export function bestRows(results: Results, kind: TaskKind, workload: string): Row[] {
  const best = new Map<string, Row>()
  for (const row of results.rows.filter((r) => r.kind === kind && r.workload === workload)) {
    const other = best.get(row.peer)
    if (other === undefined || row.time.median < other.time.median) best.set(row.peer, row)
  }
  return [...best.values()].sort((a, b) => a.time.median - b.time.median)
}

/** How many times longer the quickest peer takes than kcc; null without one of them. */
export function advantage(results: Results, kind: TaskKind, workload: string): { readonly peer: Row; readonly kcc: Row; readonly ratio: number } | null {
  const rows = bestRows(results, kind, workload)
  const kcc = rows.find((r) => r.peer === 'kcc'), peer = rows.find((r) => r.peer !== 'kcc')
  return kcc === undefined || peer === undefined ? null : { peer, kcc, ratio: peer.time.median / kcc.time.median }
}
