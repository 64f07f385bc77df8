/**
 * Convolutions whose windows are summed square by square (`schedule/window-squares.ts`), with their gradients: within the bound of
 * their roundings from the exact results, the same for every number of threads and in every batch, exact where windows are zeros.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { multiplyDims, symbol } from '../../compiler/ir/dim.js'
import type { Graph, Node, Variable } from '../../compiler/ir/graph.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import * as b from '../../compiler/ops/build.js'
import { convolution, maxPooling } from '../../compiler/ops/convolution.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { f32 } from '../../compiler/ops/samples.js'
import { parseLevels } from '../../compiler/build/levels.js'
import { randomSource, randomTensor } from '../ops/values.js'
import { skipBecause } from '../skip-because.js'
import { whereItRuns } from '../where-it-runs.js'
import { compileTasks, emitTasks, type CallResults, type CallValues, type NativeFunctions, type Task } from './native-functions.js'
import { buildSanitized, runSanitized, sanitizerLibrary } from './sanitized.js'
import { convolutionBounds, filterGradientBounds } from './window-squares/bounds.js'

/** Of pictures of `size` pixels with `inputs` channels, of which `from` other channels lie before them, to `filters`. */
type Case = { readonly name: string; readonly size: readonly [number, number]; readonly inputs: number; readonly filters: number; readonly padding: 'valid' | 'same'; readonly window?: readonly [number, number]; readonly pooled?: true; readonly beside?: number; readonly by?: number }

const cases: readonly Case[] = [
  { name: 'valid', size: [12, 14], inputs: 32, filters: 48, padding: 'valid' },
  { name: 'odd_same', size: [11, 13], inputs: 48, filters: 40, padding: 'same' },
  { name: 'odd_valid', size: [13, 11], inputs: 64, filters: 17, padding: 'valid' },
  { name: 'panels', size: [14, 14], inputs: 32, filters: 80, padding: 'same' },
  { name: 'many_channels', size: [10, 10], inputs: 240, filters: 33, padding: 'same' },
  { name: 'pooled', size: [14, 16], inputs: 32, filters: 64, padding: 'valid', pooled: true },
  { name: 'pooled_same', size: [12, 12], inputs: 48, filters: 32, padding: 'same', pooled: true },
  { name: 'some_channels', size: [12, 12], inputs: 32, filters: 32, padding: 'same', beside: 16 },
  { name: 'of_five', size: [14, 13], inputs: 32, filters: 48, padding: 'same', window: [5, 5] },
  { name: 'of_two', size: [12, 11], inputs: 48, filters: 32, padding: 'valid', window: [2, 2] },
  { name: 'of_four_by_three', size: [13, 12], inputs: 32, filters: 80, padding: 'same', window: [4, 3] },
  { name: 'of_seven_by_six', size: [16, 17], inputs: 32, filters: 32, padding: 'valid', window: [7, 6] },
  { name: 'pooled_of_five', size: [14, 14], inputs: 32, filters: 32, padding: 'same', window: [5, 5], pooled: true },
  { name: 'repeated', size: [12, 12], inputs: 32, filters: 32, padding: 'same', by: 2 },
]

type Prepared = Case & { readonly x: Node; readonly seen: Node; readonly kernel: Node; readonly bias: Node; readonly slopes: Node; readonly graph: Graph }

/** What the windows run over. */
function seenOf({ beside = 0, by = 1, inputs }: Case, x: Node): Node {
  const [batch, height, width] = x.type.shape
  const some = beside === 0 ? x : b.slice(x, [0, 0, 0, beside], [batch!, height!, width!, inputs])
  if (by === 1) return some
  const repeated = b.broadcastTo(b.reshape(some, [batch!, height!, 1, width!, 1, inputs]), [batch!, height!, by, width!, by, inputs])
  return b.reshape(repeated, [batch!, multiplyDims(height!, by), multiplyDims(width!, by), inputs])
}

function prepare(c: Case): Prepared {
  const { name, size: [height, width], inputs, filters, padding, by = 1, window = [3, 3] } = c
  const x = b.input('x', f32(symbol('B'), height / by, width / by, inputs + (c.beside ?? 0))), kernel = b.variable('kernel', f32(...window, inputs, filters)), bias = b.variable('bias', f32(filters))
  const seen = seenOf(c, x), sliding = { sizes: window, strides: [1, 1], dilations: [1, 1], padding }
  const sums = b.add(convolution(seen, kernel, sliding), bias)
  const y = c.pooled ? maxPooling(sums, { sizes: [2, 2], strides: [2, 2], dilations: [1, 1], padding: 'valid' }) : sums
  const slopes = b.input('slopes', sums.type), [dx, dkernel, dbias] = gradients(sums, slopes, [seen, kernel, bias])
  const outputs = c.pooled ? { y } : { y, dx: dx!, dkernel: dkernel!, dbias: dbias! }
  return { ...c, x, seen, kernel, bias, slopes, graph: { name, inputs: [x, slopes], outputs: Object.entries(outputs).map(([key, node]) => ({ name: key, node })), updates: [] } }
}

const prepared = cases.map(prepare)
const variablesOf = ({ kernel, bias }: Prepared): Variable[] => [['kernel', kernel] as const, ['bias', bias] as const].map(([name, node]) => ({ name, dtype: 'float32', shape: node.type.shape as number[], role: 'weight', trainable: true }))
const tasks = prepared.map((p): Task => ({ name: p.name, graph: p.graph, variables: variablesOf(p), scalars: [], fuse: true }))
const planned = emitTasks('window_squares', tasks)
const named = prepared.map((p) => [p.name, p] as const)
/** For builds of their own: odd sizes and columns, several pieces and panels, squares finished together. */
const sample = prepared.filter(({ name }) => ['odd_same', 'pooled', 'of_two', 'of_four_by_three'].includes(name))
const plannedSample = emitTasks('window_squares_sample', tasks.filter(({ name }) => sample.some((p) => p.name === name)))
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned) }, 300_000)
afterAll(() => native.close())

function valuesOf(p: Prepared, batch: number): CallValues {
  const dims = { B: batch }, random = randomSource(batch + p.filters), draw = (node: Node): Tensor => randomTensor(node.type, random, [-1, 1], dims)
  return { inputs: { x: draw(p.x), slopes: draw(p.slopes) }, variables: { kernel: draw(p.kernel), bias: draw(p.bias) }, dims, seed: batch }
}

/** The exact value of a node. */
const exactly = (p: Prepared, node: Node, values: CallValues): Tensor =>
  interpret({ name: 'exact', inputs: p.graph.inputs, outputs: [{ name: 'value', node }], updates: [] }, { inputs: values.inputs, variables: values.variables ?? {}, dims: values.dims ?? {}, scalars: {}, seed: 0, step: 0, precision: 'f64' }).outputs['value']!

/** The kernel of the gradient by the input: turned, with inputs and filters exchanged. */
function turned({ shape: [lines, pixels, inputs, filters], data }: Tensor): Tensor {
  const at = (tap: number, f: number, c: number): number => data[((lines! * pixels! - 1 - tap) * inputs! + c) * filters! + f]!
  return { shape: [lines!, pixels!, filters!, inputs!], data: Float64Array.from({ length: data.length }, (_, i) => at(Math.floor(i / (inputs! * filters!)), Math.floor(i / inputs!) % filters!, i % inputs!)) }
}

/** The largest of the four bounds below each maximum. */
function pooledBounds(bounds: Float64Array, [samples, height, width, filters]: readonly number[]): Float64Array {
  const rows = Math.floor(height! / 2), columns = Math.floor(width! / 2)
  const at = (n: number, y: number, x: number, f: number): number => bounds[((n * height! + y) * width! + x) * filters! + f]!
  return Float64Array.from({ length: samples! * rows * columns * filters! }, (_, i) => {
    const f = i % filters!, x = Math.floor(i / filters!) % columns, y = Math.floor(i / filters! / columns) % rows, n = Math.floor(i / filters! / columns / rows)
    return Math.max(...[0, 1].flatMap((r) => [0, 1].map((s) => at(n, 2 * y + r, 2 * x + s, f))))
  })
}

/** The largest difference in units of what it may be; the addition of a bias rounds once more. */
function worst(actual: ArrayLike<number>, exact: Tensor, bounds: ArrayLike<number>): number {
  expect(actual.length).toBe(exact.data.length)
  return exact.data.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value) / (bounds[i]! + 2 ** -23 * Math.abs(value) + 2 ** -140)), 0)
}

function expectClose(p: Prepared, values: CallValues, results: CallResults): void {
  const seen = exactly(p, p.seen, values), { kernel } = values.variables!, slopes = values.inputs['slopes']!, taps = kernel!.shape.slice(0, 2)
  const before = taps.map((count) => (p.padding === 'same' ? Math.floor((count - 1) / 2) : 0)), after = taps.map((count, i) => count - 1 - before[i]!)
  const ofSums = convolutionBounds(seen, kernel!, before, slopes.shape)
  const exact = Object.fromEntries(p.graph.outputs.map(({ name, node }) => [name, exactly(p, node, values)]))
  expect(worst(results['y']!, exact['y']!, p.pooled ? pooledBounds(ofSums, slopes.shape) : ofSums), 'y').toBeLessThanOrEqual(1)
  if (p.pooled) return
  expect(worst(results['dx']!, exact['dx']!, convolutionBounds(slopes, turned(kernel!), after, seen.shape)), 'dx').toBeLessThanOrEqual(1)
  expect(worst(results['dkernel']!, exact['dkernel']!, filterGradientBounds(seen, slopes, before, kernel!.shape)), 'dkernel').toBeLessThanOrEqual(1)
  const terms = slopes.data.length / p.filters, magnitudes = new Float64Array(p.filters)
  slopes.data.forEach((value, i) => { magnitudes[i % p.filters]! += Math.abs(value) })
  expect(worst(results['dbias']!, exact['dbias']!, magnitudes.map((m) => terms * 2 ** -24 * m)), 'dbias').toBeLessThanOrEqual(1)
}

/** But of the gradient by the input where its windows, of as many channels as there are filters, do not fill vectors. */
test.each(named)('%s: products over windows are made in squares', (name, p) => {
  const kernels = planned.plans.get(name)!.kernels.map(({ program }) => printKernel(program))
  expect(kernels.filter((text) => text.includes(' in squares of ')).length).toBe(p.pooled ? 1 : p.filters % 16 === 0 ? 3 : 2)
})

test.each(named)('%s', (name, p) => {
  const values = valuesOf(p, 2)
  expectClose(p, values, native.call(name, values))
})

test.each(named.filter(([, p]) => !p.pooled))('%s: the gradients of no samples are zeros', (name, p) => {
  const { dkernel, dbias } = native.call(name, valuesOf(p, 0))
  expect([...dkernel!, ...dbias!].every((value) => value === 0)).toBe(true)
})

test.each(named)('%s: the same bits for any number of threads', (name, p) => {
  const values = valuesOf(p, 5), all = [1, 2, 3, 5].map((threads) => (native.addon.setThreads(threads), native.call(name, values)))
  native.addon.setThreads(2)
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
})

test.each(named)('%s: a sample alone gives what it gives among others', (name, p) => {
  const values = valuesOf(p, 4), together = native.call(name, values)['y']!
  const part = ({ shape, data }: Tensor, i: number): Tensor => ({ shape: [1, ...shape.slice(1)], data: data.slice((i * data.length) / 4, ((i + 1) * data.length) / 4) })
  const alone = [0, 1, 2, 3].flatMap((i) => [...native.call(name, { ...values, dims: { B: 1 }, inputs: { x: part(values.inputs['x']!, i), slopes: part(values.inputs['slopes']!, i) } })['y']!])
  expect([...together]).toEqual(alone)
})

/** Results whose window holds a pixel. */
const holds = (y: number, x: number, [row, column]: readonly [number, number]): boolean => row >= y && row < y + 3 && column >= x && column < x + 3

test('windows of zeros give exact zeros, and what is not finite stays in the windows that hold it', () => {
  const p = prepared[0]!, values = valuesOf(p, 1), [height, width, channels] = [12, 14, 32], at: readonly [number, number] = [5, 6]
  const call = (pixel: number | null): ArrayLike<number> => native.call(p.name, {
    ...values, variables: { ...values.variables, bias: { shape: [48], data: new Float64Array(48) } },
    inputs: { ...values.inputs, x: { shape: [1, height, width, channels], data: Float64Array.from({ length: height * width * channels }, (_, i) => (pixel !== null && Math.floor(i / channels) === at[0] * width + at[1] ? pixel : 0)) } },
  })['y']!
  for (const pixel of [1, Infinity, NaN]) {
    const y = Array.from(call(pixel))
    y.forEach((value, i) => {
      const inside = holds(Math.floor(i / 48 / 12), Math.floor(i / 48) % 12, at)
      if (!inside) expect(value).toBe(0)
      else if (pixel !== 1) expect(Number.isFinite(value)).toBe(false)
    })
    expect(y.some((value) => value !== 0)).toBe(true)
  }
})

test('a sample under sanitizers', async ({ skip }) => {
  const library = sanitizerLibrary()
  if (library === null) return skipBecause(skip, 'the compiler has no libasan.so')
  const calls = sample.map((p) => ({ p, task: p.name, values: valuesOf(p, 1) }))
  const run = runSanitized(await buildSanitized(plannedSample), library, plannedSample, calls)
  expect(run.report).toBe('')
  expect(run.status).toBe(0)
  for (const { p, task, values } of calls) expectClose(p, values, run.results.call(task, values))
}, 600_000)

describe.each(['x86-64-v2', 'x86-64-v3', 'x86-64-v4'] as const)('%s', (level) => {
  test('a sample of them is close, too', async ({ skip }) => {
    const own = await whereItRuns(() => compileTasks(plannedSample, { levels: parseLevels(level) }))
    if (own === null) return skipBecause(skip, `this CPU lacks ${level}`)
    expect(own.addon.level).toBe(level)
    for (const p of sample) expectClose(p, valuesOf(p, 1), own.call(p.name, valuesOf(p, 1)))
    own.close()
  }, 300_000)
})
