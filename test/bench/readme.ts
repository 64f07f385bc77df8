/** The README's section about speed, made of the results alone. */
import { isSame } from './compare.js'
import { duration, keyOf, percent, tasksIn, titleOf } from './report.js'
import { advantage, bestRows, isOurs, speed } from './results.js'
import type { Results } from './results.js'
import { quantile } from './statistics.js'
import type { Task } from './workloads.js'

const BEGIN = '<!-- bench:begin -->', END = '<!-- bench:end -->'

/** The text of README with the section between the markers replaced. @throws Error without the markers. */
export function replaceSection(readme: string, results: Results): string {
  const from = readme.indexOf(BEGIN), to = readme.indexOf(END)
  if (from < 0 || to < from) throw new Error(`README.md has no section between ${BEGIN} and ${END}`)
  return `${readme.slice(0, from + BEGIN.length)}\n${readmeText(results)}${readme.slice(to)}`
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => line(head) + line(head.map(() => '---')) + rows.map(line).join('')

/** Two digits after the point where they decide who is quicker. */
export const ratioText = (ratio: number): string => `${ratio.toFixed(ratio < 2 ? 2 : ratio < 10 ? 1 : 0)} ×`

export function readmeText(results: Results): string {
  return [
    '![How many times longer other frameworks take than kcc](test/bench/results.svg)\n', speedTable(results), memoryTable(results), buildTable(results), `${conditions(results)}\n`,
  ].filter((text) => text !== '').join('\n')
}

/** A row for each task: kcc's time, and how many times longer every peer takes, kcc with other options last; the quickest peer is bold. */
function speedTable(results: Results): string {
  const tasks = tasksIn(results).filter((task) => bestRows(results, keyOf(task)).some(({ peer }) => peer === 'kcc'))
  const peers = [...new Set(results.rows.map(({ peer }) => peer))].filter((peer) => peer !== 'kcc').sort((a, b) => Number(isOurs(a)) - Number(isOurs(b)))
  return table(['', 'kcc', 'of peak', ...peers], tasks.map((task) => [titleOf(task), ...ownCells(results, task), ...peers.map((peer) => peerCell(results, task, peer))]))
}

/** Share of the peak only where arithmetic is what takes the time. */
const COMPUTE_BOUND = 1e7

function ownCells(results: Results, task: Task): string[] {
  const own = bestRows(results, keyOf(task)).find(({ peer }) => peer === 'kcc')!
  const fast = speed(results, own), share = fast !== null && fast.flops * own.time.median > COMPUTE_BOUND ? fast.share : null
  return [duration(own.time.median), share === null ? '' : percent(share)]
}

function peerCell(results: Results, task: Task, peer: string): string {
  const found = advantage(results, keyOf(task)), row = bestRows(results, keyOf(task)).find((r) => r.peer === peer)
  if (found === null || row === undefined) return '–'
  const ratio = ratioText(row.time.median / found.kcc.time.median)
  return `${row === found.peer ? `**${ratio}**` : ratio} (${duration(row.time.median)})`
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

function memoryTable({ memory }: Results): string {
  const peers = [...new Set(memory.map(({ peer }) => peer))]
  if (memory.length === 0) return ''
  const rows = [...new Set(memory.map(({ workload }) => workload))].map((workload) =>
    [workload, ...peers.map((peer) => memory.find((m) => m.workload === workload && m.peer === peer)).map((m) => (m === undefined ? '–' : megabytes(m.bytes)))])
  return table(['memory that training takes', ...peers], rows)
}

const buildTable = ({ builds }: Results): string => builds.length === 0 ? '' :
  table(['`kcc build`', ...builds.map(({ model }) => model)], [
    ['cold', ...builds.map(({ cold }) => duration(cold))], ['unchanged', ...builds.map(({ unchanged }) => duration(unchanged))]])

const range = (values: readonly number[], unit: (value: number) => string): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)].map(unit)
  return low === high ? low! : `${low} to ${high}`
}

function conditions(results: Results): string {
  const { machine, limits, versions, rounds, seconds, checks, skipped } = results
  const two = limits.filter(({ threads }) => threads === Math.max(...limits.map((l) => l.threads)))
  const rates = (what: 'flops' | 'bandwidth'): string => (two.length === 0 ? '?' : range([0.25, 0.75].map((part) => quantile(two.map((l) => l[what].median), part)), (v) => (v / 1e9).toFixed(0)))
  const losses = Math.max(0, ...checks.filter(isSame).map(({ lossDifference }) => lossDifference ?? 0))
  const compared = checks.length === 0 ? '' : ` From the same weights and without dropout the losses of the first steps differ by at most ${losses.toExponential(0)} (relative).`
  const different = [...new Set(checks.filter((check) => !isSame(check)).map(({ workload, peer }) => `${peer} in ${workload}`))]
  const unlike = different.length === 0 ? '' : ` Found to compute something else: ${different.join('; ')}.`
  const others = Object.entries(versions).filter(([peer]) => !isOurs(peer)).map(([, version]) => version)
  const missing = skipped.length === 0 ? '' : ` Not there: ${[...new Set(skipped.map(({ name }) => name))].join('; ')}.`
  return `Times of peers are given as multiples of kcc's; the quickest is bold. Medians of up to ${rounds} alternating rounds of ${seconds} s in one run of \`npm run bench\`, warmed up, each peer with the best of the thread counts that were tried (1 and 2 for small nets and Conv1D, 2 for the others) ` +
    `and the quickest of its own ways (channels_last, fused or listed optimizers, XLA, frozen graphs); ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; ` +
    `load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after. Between the rounds the machine itself did ${rates('flops')} GFLOP/s and copied ${rates('bandwidth')} GB/s (quartiles); "of peak" is kcc's share of the highest of these rates, counting the products alone, and all multiplications of their definition: a convolution makes do with fewer. ` +
    `Everything is float32 without metrics, on the same batches. kcc trains inside \`fit\` and predicts with \`predictSync\` from JavaScript, into an array that is there; PyTorch and Keras run a tight loop of steps.${compared}${unlike} Peers: ${[...new Set(others)].join(', ')}.${missing}`
}
