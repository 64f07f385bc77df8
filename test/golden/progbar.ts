/** The progress bar for a given clock, to a terminal and to a pipe. */
import { Progbar } from '../../compiler/index.js'
import type { GoldenCase } from './case.js'
import { jsonVector } from './vectors.js'

type Case = {
  readonly what: string
  readonly tty: boolean
  readonly target: number | null
  readonly options: { readonly verbose?: 1 | 2; readonly width?: number; readonly stateful_metrics?: readonly string[] }
  readonly updates: readonly { readonly seconds_since_start: number; readonly current: number; readonly values: [string, number][] }[]
  readonly output: string
}

export const progbarCases = (): GoldenCase[] =>
  jsonVector<{ cases: Case[] }>('text', 'progbar.json').cases.map((c) => ({
    name: `progbar: ${c.what} (${c.tty ? 'terminal' : 'pipe'})`,
    required: () => true,
    prepare: () => (check) => check.text('output', outputOf(c), c.output),
  }))

function outputOf({ target, options, tty, updates }: Case): string {
  let now = 0
  let text = ''
  const { stateful_metrics: statefulMetrics = [], ...rest } = options
  const bar = new Progbar(target, { ...rest, statefulMetrics, clock: () => now, output: { isTTY: tty, write: (t: string) => { text += t } } })
  for (const { seconds_since_start: seconds, current, values } of updates) {
    now = seconds
    bar.update(current, values)
  }
  return text
}
