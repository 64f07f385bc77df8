/** Max pooling with equal elements and NaNs, and its gradient, against what TensorFlow gives on a CPU. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { maxPooling, type Padding } from '../../compiler/ops/convolution.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { interpret, type Values } from '../../compiler/ops/interpret.js'
import { f32 } from '../../compiler/ops/samples.js'
import { graphPasses } from '../../compiler/pipeline.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from '../compiled/native-functions.js'

type Numbers = readonly (number | null)[]
type Recorded = { readonly shape: number[]; readonly sizes: number[]; readonly strides: number[]; readonly padding: Padding; readonly x: Numbers; readonly y: Numbers; readonly g: Numbers; readonly dx: Numbers }
const { cases } = JSON.parse(readFileSync(new URL('fixtures/max-pooling.json', import.meta.url), 'utf8')) as { cases: Recorded[] }

const numbers = (list: Numbers): Float64Array => Float64Array.from(list, (v) => v ?? NaN)

const functions = cases.map(({ shape, sizes, strides, padding }, i) => {
  const x = b.input('x', f32(...shape)), y = maxPooling(x, { sizes, strides, dilations: sizes.map(() => 1), padding })
  const g = b.input('g', y.type), dx = gradients(y, g, [x])[0]!
  return { name: `f${i}`, inputs: [x, g], outputs: [{ name: 'y', node: y }, { name: 'dx', node: dx }], updates: [] }
})
const optimized = functions.map((f) => graphPasses.reduce<Graph>((graph, { run }) => run(graph), f))
let native: NativeFunctions
const tasks = optimized.flatMap((graph) => [true, false].map((fuse): Task => ({ name: `${graph.name}_${fuse}`, graph, fuse, variables: [], scalars: [] })))
beforeAll(async () => { native = await compileTasks(emitTasks('max_pooling', tasks)) }, 120_000)
afterAll(() => native.close())

describe.each(cases.map((c, i) => [`${JSON.stringify([c.shape, c.sizes, c.strides])} ${c.padding}`, c, i] as const))('%s', (_, c, i) => {
  const values: Values = { x: { shape: c.shape, data: numbers(c.x) }, g: { shape: functions[i]!.outputs[0]!.node.type.shape as number[], data: numbers(c.g) } }
  const expected = { y: [...numbers(c.y)], dx: [...numbers(c.dx)] }

  test.each([['as built', functions], ['optimized', optimized]] as const)('plainly, %s', (_form, graphs) => {
    const { y, dx } = interpret(graphs[i]!, { inputs: values }).outputs
    expect({ y: [...y!.data], dx: [...dx!.data] }).toEqual(expected)
  })

  test.each([true, false])('compiled, fused: %s', (fuse) => {
    const { y, dx } = native.call(`f${i}_${fuse}`, { inputs: values })
    expect({ y: [...y!], dx: [...dx!] }).toEqual(expected)
  })
})

/** The gradient of a sum of pooled values is 1 at each largest element: a what-where autoencoder takes it for a switch. */
test('switches are constant in what was pooled and linear in what comes back', () => {
  const x = b.input('x', f32(1, 4, 4, 1)), sliding = { sizes: [2, 2], strides: [2, 2], dilations: [1, 1], padding: 'valid' } as const
  const y = maxPooling(x, sliding), switches = gradients(b.sum(y), null, [x])[0]!
  const data = Float64Array.from({ length: 16 }, (_, i) => (i * 7) % 5)
  const values = { x: { shape: [1, 4, 4, 1], data } }
  const run = (node: Node): number[] => [...interpret({ name: 'f', inputs: [x], outputs: [{ name: 'y', node }], updates: [] }, { inputs: values }).outputs['y']!.data]
  const first = [0, 1].flatMap((row) => [0, 1].map((column) => {
    const window = [0, 1, 4, 5].map((k) => row * 8 + column * 2 + k)
    return window.find((k) => data[k] === Math.max(...window.map((w) => data[w]!)))!
  }))
  expect(run(switches)).toEqual([...data].map((_, i) => Number(first.includes(i))))
  // d/dx sum(switches * x^2) = switches * 2 x: nothing flows through the switches themselves.
  const slope = gradients(b.sum(b.mul(switches, b.mul(x, x))), null, [x])[0]!
  expect(run(slope)).toEqual(run(switches).map((s, i) => 2 * s * data[i]!))
})
