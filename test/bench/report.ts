/** Results as text: tables for the terminal, and the README's section. */
import { advantage, bestRows } from './results.js'
import type { Results, Row } from './results.js'
import type { Summary } from './statistics.js'
import { tasks, trainFlops } from './workloads.js'
import type { Task } from './workloads.js'

export function duration(seconds: number): string {
  const [value, unit] = seconds < 1e-3 ? [seconds * 1e6, 'µs'] : seconds < 1 ? [seconds * 1e3, 'ms'] : [seconds, 's']
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`
}

const quartiles = ({ q1, q3 }: Summary): string => `${duration(q1)} – ${duration(q3)}`
const threadsOf = (threads: number): string => `${threads} thread${threads === 1 ? '' : 's'}`

export const titleOf = ({ kind, workload }: Task): string =>
  kind === 'train' ? `training step, ${workload.title}, batch ${workload.batchSize}` : `one sample, ${workload.name}`

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}

/** Operations from which on a step is a matter of arithmetic, not of overhead. */
const COMPUTE_BOUND = 1e7

/** Share of the measured peak that kcc's step reaches with the threads it had; null for tasks that are not bound by it. */
export function peakShare(results: Results, task: Task, row: Row): number | null {
  const limit = results.limits.find(({ threads }) => threads === row.threads)
  return task.kind !== 'train' || trainFlops(task.workload) < COMPUTE_BOUND || limit === undefined ? null : trainFlops(task.workload) / row.time.median / limit.flops.median
}

export function reportText(results: Results): string {
  return [machineText(results), ...tasks.map((task) => taskText(results, task)), checkText(results), skippedText(results)].filter((t) => t !== '').join('\n')
}

function machineText({ machine, limits, rounds, seconds }: Results): string {
  const limit = limits.map(({ threads, flops, bandwidth }) => `  ${threadsOf(threads)}: ${(flops.median / 1e9).toFixed(1)} GFLOP/s float32, copy ${(bandwidth.median / 1e9).toFixed(1)} GB/s\n`)
  return `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; load ${machine.loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after\n` +
    `${rounds} rounds of ${seconds} s; medians and quartiles of the rounds\n${limit.join('')}`
}

function taskText(results: Results, task: Task): string {
  const best = new Set(bestRows(results, task.kind, task.workload.name))
  const rows = results.rows.filter((r) => r.kind === task.kind && r.workload === task.workload.name).sort((a, b) => a.time.median - b.time.median)
  if (rows.length === 0) return ''
  const cells = rows.map((row) => {
    const share = peakShare(results, task, row)
    return [`${best.has(row) ? '*' : ' '} ${row.peer}`, String(row.threads), duration(row.time.median), quartiles(row.time), share === null ? '' : `${(100 * share).toFixed(0)} %`, row.way]
  })
  const found = advantage(results, task.kind, task.workload.name)
  const verdict = found === null ? '' : `  kcc against the quickest peer, ${found.peer.peer}: ${found.ratio.toFixed(2)}×\n`
  return `${titleOf(task)} (* better thread setting)\n${columns([['  peer', 'threads', 'median', 'quartiles', 'of peak', 'way'], ...cells])}${verdict}`
}

function checkText({ checks }: Results): string {
  if (checks.length === 0) return ''
  const cells = checks.map(({ workload, peer, losses, difference }) => [workload, peer, ...[0, 1, 2, 3].map((i) => losses[i]?.toFixed(6) ?? ''), difference.toExponential(1)])
  return `losses of the first steps from the same weights, without dropout\n${columns([['workload', 'peer', '1', '2', '3', '4', 'relative difference'], ...cells])}`
}

const skippedText = ({ skipped }: Results): string =>
  skipped.length === 0 ? '' : `left out\n${skipped.map(({ name, reason }) => `  ${name}: ${reason}\n`).join('')}`

const BEGIN = '<!-- bench:begin -->', END = '<!-- bench:end -->'

/** The text of README with the section between the markers replaced. @throws Error without the markers. */
export function replaceSection(readme: string, results: Results): string {
  const from = readme.indexOf(BEGIN), to = readme.indexOf(END)
  if (from < 0 || to < from) throw new Error(`README.md has no section between ${BEGIN} and ${END}`)
  return `${readme.slice(0, from + BEGIN.length)}\n${readmeText(results)}${readme.slice(to)}`
}

/** One row per peer, one column per task: median, quartiles, and the better thread setting. */
export function readmeText(results: Results): string {
  const peers = [...new Set(results.rows.map(({ peer }) => peer))]
  const cell = (peer: string, { kind, workload }: Task): string => {
    const row = bestRows(results, kind, workload.name).find((r) => r.peer === peer)
    return row === undefined ? '–' : `${peer === 'kcc' ? `**${duration(row.time.median)}**` : duration(row.time.median)} (${quartiles(row.time)}), ${threadsOf(row.threads)}`
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  return line(['', ...tasks.map(titleOf)]) + line(['---', ...tasks.map(() => '---')]) +
    peers.map((peer) => line([results.versions[peer] ?? peer, ...tasks.map((task) => cell(peer, task))].map((c, i) => (i === 0 && peer === 'PyTorch compile' ? `${c}, compiled` : c)))).join('') +
    line(['kcc against the quickest peer', ...tasks.map(({ kind, workload }) => {
      const found = advantage(results, kind, workload.name)
      return found === null ? '–' : `${found.ratio.toFixed(1)} ×`
    })]) + `\n${conditions(results)}\n`
}

function conditions(results: Results): string {
  const { machine, limits, rounds, seconds, skipped } = results
  const peak = limits.map(({ threads, flops, bandwidth }) => `${(flops.median / 1e9).toFixed(0)} GFLOP/s and ${(bandwidth.median / 1e9).toFixed(0)} GB/s of copying with ${threadsOf(threads)}`).join(', ')
  const shares = tasks.flatMap((task) => bestRows(results, task.kind, task.workload.name).filter((r) => r.peer === 'kcc').flatMap((row) => {
    const share = peakShare(results, task, row)
    return share === null ? [] : [`${(100 * share).toFixed(0)} % of that peak in the step of ${task.workload.name}`]
  }))
  const worst = Math.max(0, ...results.checks.map(({ difference }) => difference))
  const missing = skipped.length === 0 ? '' : ` Left out: ${[...new Set(skipped.map(({ name }) => name))].join('; ')}.`
  return `Median (quartiles) of ${rounds} alternating rounds of ${seconds} s in one run of \`npm run bench\`, each peer at the better of 1 and 2 threads, warmed up; ` +
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}. Measured in the same run: ${peak}; kcc reaches ${shares.join(' and ')}. ` +
    'All compute in float32, without metrics, on the same batches. kcc trains inside `fit` and predicts with `predictSync` from JavaScript; PyTorch and Keras run a tight loop of training steps on ' +
    `batches made beforehand. From the same weights and without dropout the losses of the first steps differ by at most ${worst.toExponential(0)} (relative).${missing}`
}
