/** Results as tables for the terminal. */
import { isSame } from './compare.js'
import { advantage, bestRows, rowsOf, speed } from './results.js'
import type { Results } from './results.js'
import type { Summary } from './statistics.js'
import { allWorkloads, taskName, tasksOf } from './workloads.js'
import type { Task } from './workloads.js'

export function duration(seconds: number): string {
  const [value, unit] = seconds < 1e-3 ? [seconds * 1e6, 'µs'] : seconds < 1 ? [seconds * 1e3, 'ms'] : [seconds, 's']
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`
}

export const quartiles = ({ q1, q3 }: Summary): string => `${duration(q1)} – ${duration(q3)}`
export const threadsOf = (threads: number): string => `${threads} thread${threads === 1 ? '' : 's'}`
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

export const keyOf = ({ kind, workload, batch }: Task): { kind: Task['kind']; workload: string; batch: number } => ({ kind, workload: workload.name, batch })

export const titleOf = ({ kind, workload, batch }: Task): string =>
  `${workload.title}, ${kind === 'train' ? `training step, batch ${batch}` : batch === 1 ? 'one sample' : `${batch} samples`}`

/** Tasks that the results have something about. */
export const tasksIn = (results: Results): Task[] =>
  [...new Map(allWorkloads.flatMap(tasksOf).map((task) => [taskName(task), task])).values()].filter((task) => rowsOf(results, keyOf(task)).length > 0)

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}

export function reportText(results: Results): string {
  return [machineText(results), ...tasksIn(results).map((task) => taskText(results, task)), gapText(results), tuningText(results), kernelText(results), checkText(results), memoryText(results), buildText(results), skippedText(results), summaryText(results)].filter((t) => t !== '').join('\n')
}

function machineText({ machine, limits, rounds, seconds, precision = 'float32' }: Results): string {
  const limit = limits.map(({ workload, threads, flops, bandwidth, tensorFlops }) =>
    `  ${workload}, ${machine.gpu === undefined ? threadsOf(threads) : machine.gpu}: ${(flops.median / 1e9).toFixed(1)} GFLOP/s ${precision}, ` +
    `${tensorFlops === undefined ? '' : `${(tensorFlops.median / 1e9).toFixed(0)} in TF32, `}copy ${(bandwidth.median / 1e9).toFixed(1)} GB/s\n`)
  return `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; load ${machine.loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after\n` +
    `up to ${rounds} rounds of ${seconds} s; medians and quartiles of the rounds; limits of the machine between the rounds of\n${limit.join('')}`
}

function taskText(results: Results, task: Task): string {
  const key = keyOf(task), best = new Set(bestRows(results, key))
  const cells = rowsOf(results, key).map((row) => {
    const found = speed(results, row)
    return [
      `${best.has(row) ? '*' : ' '} ${row.peer}`, String(row.threads), duration(row.time.median), quartiles(row.time),
      found === null ? '' : (found.flops / 1e9).toFixed(1), found === null || found.share === null ? '' : percent(found.share), row.way,
    ]
  })
  const found = advantage(results, key)
  const verdict = found === null ? '' : `  kcc against the quickest peer, ${found.peer.peer}: ${found.ratio.toFixed(2)}×\n`
  return `${titleOf(task)} (* better thread setting)\n${columns([['  peer', 'threads', 'median', 'quartiles', 'GFLOP/s', 'of peak', 'way'], ...cells])}${verdict}`
}

function checkText({ checks }: Results): string {
  if (checks.length === 0) return ''
  const cells = checks.map((check) => {
    const { workload, peer, losses, lossDifference, outputDifference } = check
    return [workload, peer, ...[0, 1, 2, 3].map((i) => losses?.[i]?.toFixed(6) ?? ''), lossDifference?.toExponential(1) ?? '', outputDifference.toExponential(1), isSame(check) ? '' : 'NOT THE SAME']
  })
  return `losses of the first steps from the same weights, without dropout; differences from kcc, of losses and of predictions\n${columns([['workload', 'peer', '1', '2', '3', '4', 'losses', 'predictions', ''], ...cells])}`
}

function gapText({ gaps = [] }: Results): string {
  const cells = gaps.map(({ workload, step, between }) => [workload, duration(step.median), quartiles(step), duration(between.median), quartiles(between)])
  return cells.length === 0 ? '' : `steps of kcc on the GPU, and what it waits for the next\n${columns([['workload', 'step', 'quartiles', 'gap', 'quartiles'], ...cells])}`
}

function tuningText({ tuned = [] }: Results): string {
  const cells = tuned.map(({ name, libraries, products, byLibrary }) => [name, String(products), `${byLibrary} by libraries (${libraries})`])
  return cells.length === 0 ? '' : `products that a library could compute, as measured by kcc tune\n${columns([['package', 'products', ''], ...cells])}`
}

/** Of each task those that take longest. */
const SHOWN_KERNELS = 12

function kernelText({ kernels = [] }: Results): string {
  return kernels.map(({ kind, workload, batch, kernels: all }) => {
    const total = all.reduce((sum, { seconds }) => sum + seconds, 0), longest = [...all].sort((a, b) => b.seconds - a.seconds)
    const cells = longest.slice(0, SHOWN_KERNELS).map((k) => [k.name, duration(k.seconds), percent(k.seconds / total), k.bound, percent(k.ofBound), percent(k.ofBandwidth), percent(k.ofPeak), k.computedBy ?? ''])
    const rest = longest.slice(SHOWN_KERNELS), others = rest.length === 0 ? '' : `  and ${rest.length} others in ${duration(rest.reduce((sum, { seconds }) => sum + seconds, 0))}\n`
    return `kernels of kcc in ${kind === 'train' ? 'a training step' : 'a prediction'} of ${workload}, batch ${batch}: ${all.length}, ${duration(total)} one by one\n` +
      `${columns([['kernel', 'time', 'share', 'bound by', 'of that', 'bandwidth', 'peak', ''], ...cells])}${others}`
  }).join('\n')
}

function memoryText({ memory }: Results): string {
  const cells = memory.map(({ workload, peer, bytes }) => [workload, peer, `${(bytes / 1e6).toFixed(0)} MB`])
  return cells.length === 0 ? '' : `memory that training takes at its peak, beside libraries and data\n${columns([['workload', 'peer', ''], ...cells])}`
}

function buildText({ builds }: Results): string {
  const cells = builds.map(({ model, cold, unchanged }) => [model, duration(cold), duration(unchanged)])
  return cells.length === 0 ? '' : `kcc build\n${columns([['model', 'empty cache', 'unchanged'], ...cells])}`
}

const skippedText = ({ skipped }: Results): string =>
  skipped.length === 0 ? '' : `left out\n${skipped.map(({ name, reason }) => `  ${name}: ${reason}\n`).join('')}`

/** One line for each task: kcc, its quickest peer, and the ratio; what fusion gains. */
function summaryText(results: Results): string {
  const cells = tasksIn(results).flatMap((task) => {
    const found = advantage(results, keyOf(task)), fast = found === null ? null : speed(results, found.kcc)
    return found === null ? [] : [[
      titleOf(task), duration(found.kcc.time.median), fast === null ? '' : (fast.flops / 1e9).toFixed(0), fast === null || fast.share === null ? '' : percent(fast.share),
      duration(found.peer.time.median), `${found.ratio.toFixed(2)}×`, found.peer.peer, fusionGain(results, task),
    ]]
  })
  return cells.length === 0 ? '' : `in short\n${columns([['', 'kcc', 'GFLOP/s', 'of peak', 'quickest peer', 'ratio', '', 'fusion'], ...cells])}`
}

/** How many times longer kcc takes with one kernel for each op. */
function fusionGain(results: Results, task: Task): string {
  const [own, unfused] = ['kcc', 'kcc, nothing fused'].map((name) => bestRows(results, keyOf(task)).find(({ peer }) => peer === name))
  return own === undefined || unfused === undefined ? '' : `${(unfused.time.median / own.time.median).toFixed(2)}×`
}
