/** What the benchmark makes of its measurements: statistics, the better thread setting, and the README's section. */
import { expect, test } from 'vitest'
import { drawData } from './data.js'
import { duration, replaceSection, reportText } from './report.js'
import { advantage, bestRows } from './results.js'
import type { Results, Row } from './results.js'
import { quantile, summarize } from './statistics.js'
import { trainFlops, weightBytes, workloads } from './workloads.js'

const row = (peer: string, threads: number, seconds: number): Row =>
  ({ kind: 'train', workload: 'mnist-mlp', peer, threads, way: '', time: summarize([seconds, seconds * 1.1, seconds * 0.9]) })

const results: Results = {
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 0, system: 'Linux 6', node: '20.0.0', loadBefore: 0, loadAfter: 0 },
  limits: [{ threads: 2, flops: summarize([200e9]), bandwidth: summarize([20e9]) }],
  versions: { kcc: 'kcc', 'PyTorch eager': 'PyTorch 2' }, rounds: 3, seconds: 0.25,
  rows: [row('kcc', 1, 4e-3), row('kcc', 2, 2.5e-3), row('PyTorch eager', 1, 6e-3), row('PyTorch eager', 2, 8e-3)],
  checks: [], skipped: [{ name: 'Keras on JAX, 1 thread', reason: 'no answer' }],
}

test('quantiles interpolate as numpy does', () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, q1: 1.75, q3: 3.25, rounds: 4 })
  expect(quantile([7], 0.25)).toBe(7)
})

test('each peer stands with its better thread setting', () => {
  expect(bestRows(results, 'train', 'mnist-mlp').map(({ peer, threads }) => [peer, threads])).toEqual([['kcc', 2], ['PyTorch eager', 1]])
  expect(advantage(results, 'train', 'mnist-mlp')?.ratio).toBeCloseTo(2.4)
  expect(advantage(results, 'predict', 'mnist-mlp')).toBeNull()
})

test('a step of mnist-mlp is 411 million operations on 2.7 MB of weights', () => {
  expect(trainFlops(workloads[0]!)).toBe(2 * 128 * (2 * (784 * 512 + 512 * 512 + 5120) + 512 * 512 + 5120))
  expect(weightBytes(workloads[0]!)).toBe(4 * 669_706)
})

test('the section of the README is replaced, and what was left out is named', () => {
  const text = replaceSection('before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n', results)
  expect(text).toMatch(/^before\n<!-- bench:begin -->\n\|/)
  expect(text).toMatch(/<!-- bench:end -->\nafter\n$/)
  expect(text).not.toContain('old')
  expect(text).toContain('| PyTorch 2 | 6.00 ms (5.70 ms – 6.30 ms), 1 thread |')
  expect(text).toContain('Left out: Keras on JAX, 1 thread.')
  expect(() => replaceSection('no markers', results)).toThrow('README.md has no section')
  expect(reportText(results)).toContain('82 %')
})

test('data are the same at every run, and every sample has a class', () => {
  const small = workloads[1]!, { x, y, weights } = drawData(small)
  expect([x.length, y.length, weights.length]).toEqual([100 * 32 * 1000, 32 * 1000, 4])
  expect(drawData(small).x[12345]).toBe(x[12345])
  const ones = y.reduce((sum, v) => sum + v, 0) / y.length
  expect(ones).toBeGreaterThan(0.1)
  expect(ones).toBeLessThan(0.9)
})

test('times have three figures', () => {
  expect([4.05e-3, 9.876e-6, 1.234e-4, 0].map(duration)).toEqual(['4.05 ms', '9.88 µs', '123 µs', '0.00 µs'])
})
