/** What the benchmark makes of its measurements: statistics, the better thread setting, and the README's section. */
import { expect, test } from 'vitest'
import type { FusionReport, KernelReport } from '../../compiler/cli/fusion-report.js'
import type { Precision } from '../../runtime/contract/manifest.js'
import type { ProductChoice } from '../../runtime/index.js'
import { read } from '../architecture/files.js'
import { chart } from './chart.js'
import { comparison, isSame } from './compare.js'
import { drawData } from './data.js'
import mnistMlp from './models/mnist-mlp.js'
import mobilenet from './models/mobilenet.js'
import resnet50 from './models/resnet50.js'
import smallMlp from './models/small-mlp.js'
import { forwardFlops, networkOf, trainFlops, weightBytes } from './network.js'
import { replaceSection } from './readme.js'
import { duration, reportText } from './report.js'
import { kernelsOf } from './kernels.js'
import { deviceFlags } from './packages.js'
import { peerKeys, peerSpecs } from './peers.js'
import { advantage, bestRows } from './results.js'
import type { KernelTime, Results, Row } from './results.js'
import { quantile, summarize } from './statistics.js'
import { batchesOfPackages, tuningOf } from './tuning.js'
import { gpuWorkloads, tasksOf, workloads } from './workloads.js'

const mlp = { kind: 'train', workload: 'mnist-mlp', batch: 128 } as const
const row = (peer: string, threads: number, seconds: number): Row => ({ ...mlp, peer, threads, way: '', time: summarize([seconds, seconds * 1.1, seconds * 0.9]) })

const results: Results = {
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 0, system: 'Linux 6', node: '20.0.0', loadBefore: 0, loadAfter: 0 },
  limits: [{ workload: 'mnist-mlp', threads: 2, flops: summarize([200e9]), bandwidth: summarize([20e9]) }], flops: { 'train:mnist-mlp:128': 410_910_720 },
  versions: { kcc: 'kcc', PyTorch: 'PyTorch 2' }, rounds: 3, seconds: 0.25,
  rows: [row('kcc', 1, 4e-3), row('kcc', 2, 2.5e-3), row('kcc, nothing fused', 2, 3e-3), row('PyTorch', 1, 6e-3), row('PyTorch', 2, 8e-3)],
  checks: [], memory: [], builds: [], skipped: [{ name: 'Keras on JAX, 1 thread', reason: 'no answer' }],
}

test('quantiles interpolate as numpy does', () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, q1: 1.75, q3: 3.25, rounds: 4 })
  expect(quantile([7], 0.25)).toBe(7)
})

test('each peer stands with its better thread setting, and kcc with other options is no peer', () => {
  expect(bestRows(results, mlp).map(({ peer, threads }) => [peer, threads])).toEqual([['kcc', 2], ['kcc, nothing fused', 2], ['PyTorch', 1]])
  expect(advantage(results, mlp)?.ratio).toBeCloseTo(2.4)
  expect(advantage(results, { ...mlp, kind: 'predict' })).toBeNull()
})

test('operations are counted from the networks', () => {
  const perceptron = networkOf(mnistMlp)
  expect(128 * trainFlops(perceptron)).toBe(2 * 128 * (2 * (784 * 512 + 512 * 512 + 5120) + 512 * 512 + 5120))
  expect(weightBytes(perceptron)).toBe(4 * 669_706)
  // He et al. count 3.8 billion multiplications; the same with a stride of 2 in the first product of a stage, and as two operations each.
  expect(forwardFlops(networkOf(resnet50)) / 2).toBeCloseTo(3.8577e9, -6)
  // Howard et al. count 569 million.
  expect(forwardFlops(networkOf(mobilenet)) / 2).toBeCloseTo(568.7e6, -6)
})

test('what does not compute the same is told', () => {
  const wanted = { losses: [1, 2], outputs: [0.5, -1] }
  expect(isSame(comparison({ losses: [1.0001, 2], outputs: [0.5, -1.00001] }, wanted))).toBe(true)
  expect(isSame(comparison({ losses: null, outputs: [0.5, -1] }, wanted))).toBe(true)
  expect(isSame(comparison({ losses: [1, 2.1], outputs: [0.5, -1] }, wanted))).toBe(false)
  expect(isSame(comparison({ losses: [1, NaN], outputs: [0.5, -1] }, wanted))).toBe(false)
  expect(isSame(comparison({ losses: null, outputs: [0.5] }, wanted))).toBe(false)
})

test('the section of the README is replaced, and what was left out is named', () => {
  const text = replaceSection('before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n', results)
  expect(text).toMatch(/^before\n<!-- bench:begin -->\n!\[/)
  expect(text).toMatch(/<!-- bench:end -->\nafter\n$/)
  expect(text).not.toContain('old\n')
  expect(text).toContain('| mnist-mlp 784-512-512-10, training step, batch 128 | 2.50 ms | 82 % | **2.4 ×** (6.00 ms) | 1.20 × (3.00 ms) |')
  expect(text).toContain('Not there: Keras on JAX, 1 thread.')
  expect(() => replaceSection('no markers', results)).toThrow('README.md has no section')
  expect(reportText(results)).toContain('82 %')
})

test('README and chart say what was measured last', () => {
  const saved = JSON.parse(read('test/bench/results.json')) as Results, readme = read('README.md')
  expect(readme).toBe(replaceSection(readme, saved))
  expect(read('test/bench/results.svg')).toBe(chart(saved))
})

test('the chart has a dot for each peer of a task', () => {
  const dots = [...chart(results).matchAll(/<title>(.*?)<\/title>/g)].map(([, text]) => text)
  expect(dots).toEqual(['PyTorch: 2.4 ×, 6.00 ms'])
})

test('kernels of a GPU stand with their shares of what bounds them, those that take longest', () => {
  const kernel = (i: number, measuredSeconds: number | null): KernelReport =>
    ({ name: `kernel_${i}`, layer: '', line: '', bytesRead: 3e6, bytesWritten: 1e6, flops: i === 0 ? 1e9 : 0, operations: 0, intensity: 0, bound: i === 0 ? 'arithmetic' : 'memory', expectedSeconds: i === 0 ? 2e-5 : 2e-6, measuredSeconds, computedBy: null, apart: [] })
  const report = (seconds: (i: number) => number | null): FusionReport =>
    ({ model: 'm', batchSize: 8, machine: 'this GPU', bytesPerSecond: 2e12, flopsPerSecond: 5e13, functions: [{ name: 'predict', kernels: [] }, { name: 'trainStep', kernels: Array.from({ length: 14 }, (_, i) => kernel(i, seconds(i))) }] })
  const kernels = kernelsOf(report((i) => (i === 0 ? 2.5e-5 : 4e-6)), { kind: 'train' })
  const shares = ({ ofBound, ofBandwidth, ofPeak }: KernelTime): number[] => [ofBound, ofBandwidth, ofPeak].map((share) => Math.round(1000 * share) / 1000)
  expect(kernels.slice(0, 2).map(shares)).toEqual([[0.8, 0.08, 0.8], [0.5, 0.5, 0]])
  const product = (by: ProductChoice['by']): ProductChoice => ({ kernel: 'k_0', rows: 1, columns: 1, terms: 1, by, library: 'cublaslt', algorithm: '-', workspace: 0, ownNanoseconds: 0, libraryNanoseconds: 0, why: '' })
  const tuned = tuningOf('mnist-mlp', { gpu: 'a GPU', cublaslt: 130200, cudnn: 0, products: (['own', 'library', 'library, then end'] as const).map(product) })
  const text = reportText({ ...results, tuned: [tuned, { ...tuned, name: 'vgg', byLibrary: 0 }], kernels: [{ ...mlp, kernels }] })
  expect(text).toMatch(/mnist-mlp +3 +2 by libraries \(cuBLASLt 13\.2\.0\)\n +vgg +3 +0 by libraries/)
  expect(text).toContain('kernels of kcc in a training step of mnist-mlp, batch 128: 14, 77.0 µs one by one')
  expect(text).toMatch(/kernel_0 +25\.0 µs +32 % +arithmetic +80 % +8 % +80 %\n/)
  expect(text).toContain('  and 2 others in 8.00 µs\n')
  expect(() => kernelsOf(report(() => null), { kind: 'train' })).toThrow('nothing was run: this GPU')
})

test('with fewer digits than float32 kcc is measured alone', () => {
  const named = (precision: Precision): string[] => peerSpecs({ root: '.', data: '.', device: 'cuda', precision }, [2], peerKeys).specs.map(({ name }) => name)
  expect(named('tf32')).toEqual(['kcc', 'kcc, nothing fused'])
  expect(deviceFlags({ device: 'cuda', precision: 'tf32' })).toEqual(['--target', 'cuda', '--precision', 'tf32'])
  expect(reportText({ ...results, precision: 'tf32' })).toContain('200.0 GFLOP/s tf32')
})

test('libraries are chosen for every package of a GPU, those with nothing fused and those whose losses are compared too', () => {
  const batches = (withUnfused: boolean, part: string): unknown =>
    Object.fromEntries([...batchesOfPackages(gpuWorkloads.filter(({ name }) => name.includes(part)), withUnfused)].map(([name, sizes]) => [name, [...sizes]]))
  expect(batches(true, 'mnist-mlp')).toEqual({ 'mnist-mlp': [128, 4096], 'mnist-mlp-plain': [128, 2, 4096], 'mnist-mlp-unfused': [128, 4096] })
  expect(batches(false, 'autoencoder')).toEqual({ autoencoder: [128, 2] })
  expect(batches(true, 'resnet50')).toEqual({ resnet50: [1, 32, 2], 'resnet50-unfused': [1, 32] })
})

test('data are the same at every run, and every sample has a class', () => {
  const small = workloads.find(({ name }) => name === 'small-mlp')!, network = networkOf(smallMlp)
  const { x, y, weights } = drawData(small, network)
  expect([x.length, y.length, weights.length]).toEqual([100 * 32 * 1000, 32 * 1000, 4])
  expect(drawData(small, network).x[12345]).toBe(x[12345])
  const ones = y.reduce((sum, v) => sum + v, 0) / y.length
  expect(ones).toBeGreaterThan(0.1)
  expect(ones).toBeLessThan(0.9)
})

test('a task stands once, whatever else is like it', () => {
  const task = { kind: 'predict', workload: 'gpu-resnet50', batch: 1 } as const
  const text = reportText({ ...results, rows: ['kcc', 'PyTorch'].map((peer) => ({ ...row(peer, 2, 1e-3), ...task })) })
  expect(text.split('one sample (*')).toHaveLength(2)
})

test('all workloads have a task', () => {
  expect(workloads.filter((workload) => tasksOf(workload).length === 0)).toEqual([])
})

test('times have three figures', () => {
  expect([4.05e-3, 9.876e-6, 1.234e-4, 0].map(duration)).toEqual(['4.05 ms', '9.88 µs', '123 µs', '0.00 µs'])
})
