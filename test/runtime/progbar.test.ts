import { describe, expect, it } from 'vitest'
import { Progbar } from '../../runtime/progbar.js'
import { formatExponent, formatFixed, pythonTuple } from '../../runtime/python-text.js'
import { goldenText, sharedPresent } from './shared.js'

type Case = {
  what: string; tty: boolean; target: number | null
  options: { verbose?: 1 | 2; width?: number; stateful_metrics?: string[] }
  updates: { seconds_since_start: number; current: number; values: [string, number][] }[]
  output: string
}
const cases = sharedPresent ? (JSON.parse(goldenText('progbar.json')) as { cases: Case[] }).cases : []

describe('Progbar', () => {
  it.each(cases)('$what (tty: $tty)', ({ tty, target, options, updates, output }) => {
    let now = 0, text = ''
    const { stateful_metrics: statefulMetrics = [], ...rest } = options
    const bar = new Progbar(target, { ...rest, statefulMetrics, clock: () => now, output: { isTTY: tty, write: (t) => { text += t } } })
    for (const { seconds_since_start, current, values } of updates) { now = seconds_since_start; bar.update(current, values) }
    expect(text).toBe(output)
  })

  it('takes in skipped batches as if each had been an update', () => {
    const run = (feed: (bar: Progbar) => void): string => {
      let text = ''
      feed(new Progbar(8, { clock: () => 0, output: { write: (t) => { text += t } } }))
      return text
    }
    const replayed = run((bar) => { bar.absorb(3, [['loss', 1]]); bar.absorb(6, [['loss', 2]]); bar.update(8, [['loss', 5]]) })
    expect(replayed).toContain('loss: 2.3750')
  })
})

describe('numbers as Python writes them', () => {
  it.each([[0.03125, 4, '0.0312'], [0.15625, 4, '0.1562'], [0.09375, 4, '0.0938'], [0.5, 0, '0'], [1.5, 0, '2'], [2.5, 0, '2'],
    [-0.5, 4, '-0.5000'], [1e22, 1, '10000000000000000000000.0'], [NaN, 4, 'nan'], [-Infinity, 4, '-inf'], [1.00005, 4, '1.0001'], [99.99995, 4, '99.9999']] as const)(
    '%f to %i digits', (x, digits, text) => { expect(formatFixed(x, digits)).toBe(text) })

  it.each([[0, '0.0000e+00'], [1e-4, '1.0000e-04'], [1.23456e-120, '1.2346e-120'], [NaN, 'nan'], [-5e-4, '-5.0000e-04']] as const)(
    '%f with an exponent', (x, text) => { expect(formatExponent(x, 4)).toBe(text) })

  it('tuples', () => { expect([[], [3], [null, 3], ['B', 2]].map(pythonTuple)).toEqual(['()', '(3,)', '(None, 3)', '(None, 2)']) })
})
