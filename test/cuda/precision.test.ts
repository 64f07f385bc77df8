/**
 * What `--precision` promises: operands of products rounded exactly as the format says, on CPUs and as kernels for a GPU; sums in
 * float32; results within the bounds that follow from both; random numbers and masters of weights as they were.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { roundedTo, type ShortFloat } from '../../compiler/ir/element-type.js'
import type { Graph } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { interpret, type Run } from '../../compiler/ops/interpret.js'
import { expandComposed } from '../../compiler/passes/expand-composed.js'
import { roundProducts, type Rounding } from '../../compiler/passes/round-products.js'
import { cuda } from '../../compiler/schedule/target.js'
import { boundedResults, compareBounded } from '../compiled/error-bound.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from '../compiled/native-functions.js'
import { compiledCases } from '../compiled/op-cases.js'
import { windowedCases } from '../compiled/windowed/cases.js'
import { prepare as prepareWindowed, runOf, tasksOf } from '../compiled/windowed/check.js'
import { emptyTally, failures, prepare as prepareFuzz, tallyText } from '../fuzz/fuzz-batch.js'
import { randomNetwork } from '../fuzz/random-network.js'
import { randomSource } from '../ops/values.js'
import { deviceBuild, onGpu, onSmallScale, where } from './device.js'

const roundings: Readonly<Record<string, Rounding>> = { tf32: { format: 'tfloat32', between: false }, mixed_bfloat16: { format: 'bfloat16', between: true } }
const digits: Readonly<Record<ShortFloat, number>> = { tfloat32: 11, bfloat16: 8 }
const formats: readonly ShortFloat[] = ['tfloat32', 'bfloat16']

/** By arithmetic on the value, not on its bits: the nearest multiple of the last place; ties to even for bfloat16, away from 0 for TF32. */
function nearest(format: ShortFloat, x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x
  const place = 2 ** (Math.floor(Math.log2(Math.abs(x))) - digits[format] + 1), places = Math.abs(x) / place
  const below = Math.floor(places), rest = places - below
  const up = rest > 0.5 || (rest === 0.5 && (format === 'tfloat32' || below % 2 === 1))
  const rounded = Math.sign(x) * (below + Number(up)) * place
  return Math.abs(rounded) >= 2 ** 128 ? Math.sign(x) * Infinity : rounded
}

/** Zeros, infinities, NaN, ends of the range, ties of both formats and their neighbours, and numbers of any exponent. */
function testedValues(): Float32Array {
  const random = randomSource(3), word = new Uint32Array(1), float = new Float32Array(word.buffer)
  const drawn = Array.from({ length: 2000 }, () => { word[0] = (random() * 2 ** 32) >>> 0; return float[0]! })
  const ties = formats.flatMap((format) => Array.from({ length: 64 }, (_, i) => 1 + (i + 0.5) * 2 ** (1 - digits[format])))
  const near = ties.flatMap((x) => [x, -x, x + 2 ** -23, x - 2 ** -23, x * 2 ** 100, x * 2 ** -100])
  const normal = [...drawn, ...near].filter((x) => Number.isNaN(x) || Math.abs(x) >= 2 ** -126)
  return Float32Array.from([0, -0, Infinity, -Infinity, NaN, 2 ** -126, 3.4028234663852886e38, -3.4028234663852886e38, ...normal])
}

const values = testedValues()

test('the reference rounds as the formats say', () => {
  for (const format of formats) for (const x of values) expect(roundedTo(format, x), `${x} as ${format}`).toBe(nearest(format, x))
})

type Case = { readonly title: string; readonly task: Task; readonly run: Run }

/** One function for each precision, with values for a call. */
const casesOf = (title: string, task: Task, run: Run): Case[] => Object.entries(roundings).map(([precision, rounding]) => ({
  title: `${title}, ${precision}`, run, task: { ...task, name: `${task.name}_${precision}`, graph: roundProducts(rounding)(expandComposed(task.graph)) },
}))

/** Every layout and size of products, with both gradients. */
const products = compiledCases().filter((c) => c.op.name === 'matmul').flatMap((c) => c.module.functions.flatMap((graph) =>
  casesOf(`${c.title} ${graph.name}`, { name: `${c.name}_${graph.name}`, graph, variables: c.module.variables, scalars: c.module.scalars, fuse: true },
    { inputs: c.inputs(1), variables: c.variables(1), scalars: c.scalars, seed: 1, step: 3 })))

/** Every so manyth layer with windows. */
const EVERY = onGpu ? 1 : 12
const layers = windowedCases().filter((_, i) => i % EVERY === 3 % EVERY).map(prepareWindowed).flatMap((p) => {
  const task = tasksOf(p).find((t) => t.graph === p.gradient)
  return task ? casesOf(p.c.title, task, runOf(p, 3)) : []
})

/** Values rounded and nothing else. */
const rounders = formats.map((format): Case => {
  const x = b.input('x', { dtype: 'float32', shape: [values.length] })
  const graph: Graph = { name: 'round', inputs: [x], outputs: [{ name: 'y', node: b.cast(b.cast(x, format), 'float32') }], updates: [] }
  return { title: format, task: { name: `round_${format}`, graph, variables: [], scalars: [], fuse: true }, run: { inputs: { x: { shape: [values.length], data: Float64Array.from(values) } } } }
})

/** Rounded values that are stored, and read along another axis than they lie, at a border and at places found at run time. */
const movers = formats.map((format): Case => {
  const x = b.input('x', { dtype: 'float32', shape: [33, 19] }), at = b.input('at', { dtype: 'int32', shape: [7] })
  const stored = b.cast(b.exp(x), format), wide = (node: typeof stored): typeof stored => b.cast(node, 'float32')
  const outputs = {
    sums: b.sum(wide(stored), [0]), most: b.max(wide(stored), [1]), turned: wide(b.transpose(stored, [1, 0])), rows: wide(b.gather(stored, at, 0)), columns: wide(b.gather(stored, at, 1)),
    bordered: b.sum(wide(b.pad(stored, [1, 2], [0, 3])), [1]), backwards: wide(b.reverse(stored, [1])),
  }
  const graph: Graph = { name: 'move', inputs: [x, at], outputs: Object.entries(outputs).map(([name, node]) => ({ name, node })), updates: [] }
  const random = randomSource(8)
  return {
    title: format, task: { name: `move_${format}`, graph, variables: [], scalars: [], fuse: true },
    run: { inputs: { x: { shape: [33, 19], data: Float64Array.from({ length: 33 * 19 }, () => Math.fround(4 * random() - 2)) }, at: { shape: [7], data: Float64Array.of(3, 0, 18, 18, 7, 1, 12) } } },
  }
})

/** Random numbers as an output, and a product of what they let through: the mask is in the prologue of its tiles. */
const drawing = ((): { plain: Graph; run: Run; cases: Case[] } => {
  const drawn = b.randomUniform([64, 48], 5), x = b.input('x', { dtype: 'float32', shape: [64, 48] }), w = b.input('w', { dtype: 'float32', shape: [48, 48] })
  const plain: Graph = { name: 'draws', inputs: [x, w], outputs: [{ name: 'drawn', node: drawn }, { name: 'y', node: b.matmul(b.select(b.less(drawn, 0.75), x, 0), w) }], updates: [] }
  const ones = (shape: number[]): { shape: number[]; data: Float64Array } => ({ shape, data: new Float64Array(shape[0]! * shape[1]!).fill(1) })
  // A matrix that lets each element through as it is.
  const run: Run = { inputs: { x: ones([64, 48]), w: { shape: [48, 48], data: Float64Array.from({ length: 48 * 48 }, (_, i) => Number(i % 49 === 0)) } }, seed: 9, step: 4 }
  return { plain, run, cases: casesOf('draws', { name: 'draws', graph: plain, variables: [], scalars: [], fuse: true }, run) }
})()

const cases = [...products, ...layers, ...rounders, ...movers, ...drawing.cases]
const opened: { native: NativeFunctions | null }[] = [{ native: null }, { native: null }]

beforeAll(async () => {
  const tasks = cases.map((c) => c.task)
  opened[0]!.native = await compileTasks(emitTasks('precision_cpu', tasks), { flags: ['-O1'] })
  opened[1]!.native = await compileTasks(emitTasks('precision_cuda', tasks, { target: { ...onSmallScale, combinesInProducts: true } }), { device: deviceBuild(), flags: ['-O1'] })
})
afterAll(() => { for (const { native } of opened) native?.close() })

/** Every value within what the roundings of its ops add up to: those of operands are exact, or as exact as what is rounded. */
function expectWithinBounds({ task, run }: Case, native: NativeFunctions): void {
  const actual = native.call(task.name, run)
  for (const [name, bound] of Object.entries(boundedResults(task.graph, run))) {
    const { worst, at, unknown } = compareBounded(actual[name]!, bound)
    expect(worst, `${name}[${at}] = ${actual[name]![at]}, expected ${bound.value.data[at]} ± ${bound.error[at]}`).toBeLessThanOrEqual(1)
    expect(unknown).toBe(0)
  }
}

describe.each([['on the CPU', 0], [where, 1]] as const)('%s', (_where, side) => {
  const native = (): NativeFunctions => opened[side]!.native!

  test.each(rounders.map((c) => [c.title, c] as const))('%s: every value is rounded as the format says', (_title, { task, run }) => {
    const format = formats.find((f) => task.name.endsWith(f))!, got = native().call(task.name, run)['y']!
    values.forEach((x, i) => expect(got[i], `${x}`).toBe(nearest(format, x)))
  })

  test.each([...movers, ...products, ...layers].map((c) => [c.title, c] as const))('%s', (_title, c) => expectWithinBounds(c, native()))

  test.each(drawing.cases.map((c) => [c.title, c] as const))('%s the bits that float32 draws', (_title, { task, run }) => {
    const wanted = interpret(drawing.plain, drawing.run).outputs['drawn']!.data, got = native().call(task.name, run)
    expect(Array.from(got['drawn']!)).toEqual(Array.from(wanted))
    expect(Array.from(got['y']!)).toEqual(Array.from(wanted, (v) => Number(v < 0.75)))
    expect(new Set(got['drawn']).size).toBeGreaterThan(3000)
  })
})

/**
 * Operands off by a share of u = 2^-p give sums off by (2u + u²) Σ|a||b|, which every product of random numbers must reach a
 * part of: it would not if operands were not rounded.
 */
test('products are as exact as their operands, and no more', () => {
  for (const { task, run, title } of products.filter((c) => c.task.graph.name === 'value' && title64(c))) {
    const format = title.includes('tf32') ? 'tfloat32' : 'bfloat16', u = 2 ** -digits[format]
    const exact = compiledCases().find((c) => task.name.startsWith(`${c.name}_value`))!
    const [want] = Object.values(interpret(exact.module.functions[0]!, { ...run, precision: 'f64' }).outputs)
    const got = Object.values(opened[1]!.native!.call(task.name, run))[0]!
    const absolute = Object.fromEntries(Object.entries(run.inputs).map(([name, t]) => [name, { ...t, data: t.data.map(Math.abs) }]))
    const [reach] = Object.values(interpret(exact.module.functions[0]!, { ...run, inputs: absolute, precision: 'f64' }).outputs)
    const shares = want!.data.map((w, i) => Math.abs(got[i]! - w) / ((2 * u + u * u) * reach!.data[i]!))
    expect(Math.max(...shares), title).toBeLessThan(1)
    expect(Math.max(...shares), title).toBeGreaterThan(0.01)
  }
})

/** Of many terms and results. */
const title64 = ({ run }: Case): boolean => Object.values(run.inputs).every(({ shape }) => shape.reduce((p, n) => p * n, 1) > 2000)

describe.each(Object.keys(roundings))('random networks in %s', (precision) => {
  const count = Number(process.env['KCC_FUZZ'] ?? 8), first = Number(process.env['KCC_FUZZ_FIRST'] ?? 30_000)
  test(`${count} of them ${where}`, async () => {
    const ready = await prepareFuzz({
      prefix: `precision_${precision}`, first, size: count, random: randomNetwork, precision: precision as 'tf32', device: { target: cuda, build: deviceBuild() }, batches: [1, 5],
    })
    const total = emptyTally(), found = failures(ready, total, 'KCC_FUZZ_FIRST')
    ready.native.close()
    process.stdout.write(tallyText(total))
    expect(found).toBe('')
  })
})
