/**
 * Loops that take several vectors at once (`schedule/vectors-abreast.ts`), at lengths around one vector, eight of them and what
 * is left: each element is the one that a call for it alone gives, sums keep their bounds, random numbers their places.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { symbol } from '../../compiler/ir/dim.js'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import * as b from '../../compiler/ops/build.js'
import { f32 } from '../../compiler/ops/samples.js'
import { randomSource, randomTensor } from '../ops/values.js'
import { boundedResults, compareBounded } from './error-bound.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from './native-functions.js'

const lengths = [1, 15, 16, 17, 127, 128, 129, 255, 300, 1037]

const x = b.input('x', f32(symbol('B'), symbol('T')))
const inRow = (of: Node): Node => b.tanh(b.mul(b.sigmoid(of), of))
const graphOf = (name: string, y: Node): Graph => ({ name, inputs: [x], outputs: [{ name: 'y', node: y }], updates: [] })
const elements = graphOf('elements', inRow(x)), sums = graphOf('sums', b.sum(inRow(x), [1], false))
const noisy = graphOf('noisy', inRow(b.add(x, b.randomUniform(x.type.shape, 3))))
const graphs = [elements, sums, noisy]

const planned = emitTasks('abreast', graphs.map((graph): Task => ({ name: graph.name, graph, variables: [], scalars: [], fuse: true })))
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned) })
afterAll(() => native.close())

const runOf = (B: number, T: number) => {
  const dims = { B, T }
  return { inputs: { x: randomTensor(x.type, randomSource(B + T), [-3, 3], dims) }, dims, seed: 5, step: 2 }
}

test.each(graphs.map((graph) => [graph.name, graph] as const))('%s are computed by several vectors at once', (name) => {
  expect(planned.plans.get(name)!.kernels.map(({ program }) => printKernel(program)).join()).toContain(' vector by 8 {')
})

describe.each(lengths)('rows of %i', (T) => {
  test.each(graphs.map((graph) => [graph.name, graph] as const))('%s', (name, graph) => {
    const run = runOf(3, T), { y } = native.call(name, run)
    const { worst, at } = compareBounded(y!, boundedResults(graph, run)['y']!)
    expect(worst, `y[${at}] in units of the error it may have`).toBeLessThanOrEqual(1)
  })

  test('an element alone is the same', () => {
    const { inputs, ...run } = runOf(3, T), { y } = native.call('elements', { ...run, inputs })
    const alone = Array.from(inputs.x.data, (value) => native.call('elements', { ...run, dims: { B: 1, T: 1 }, inputs: { x: { shape: [1, 1], data: Float64Array.of(value) } } })['y']![0])
    expect([...y!]).toEqual(alone)
  })
})
