/**
 * Models that leave height, width or time open: each is compiled once, called with several sizes, and compared with the
 * interpreter and with the model for the fixed size, values and gradients. All of them are functions of one native file.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installEngine } from '../../compiler/engine.js'
import { topological, type Graph, type Node } from '../../compiler/ir/graph.js'
import { Model, type ModelClass } from '../../compiler/nn/model.js'
import type { NetworkModel } from '../../compiler/nn/network-model.js'
import {
  AveragePooling1D, AveragePooling2D, Conv1D, Conv2D, Conv2DTranspose, Conv3D, Cropping2D, DepthwiseConv2D, GlobalAveragePooling2D, Input, MaxPooling1D, MaxPooling2D,
  MaxPooling3D, SeparableConv2D, UpSampling1D, UpSampling2D, ZeroPadding1D, ZeroPadding2D,
} from '../../compiler/nn/layers/index.js'
import { clearSession, setSeed } from '../../compiler/nn/session.js'
import type { KTensor } from '../../compiler/nn/tensor.js'
import * as b from '../../compiler/ops/build.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { NDArray } from '../../runtime/ndarray.js'
import { randomSource, randomTensor } from '../ops/values.js'
import { boundedResults, compareBounded } from './error-bound.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from './native-functions.js'

type Layers = readonly ((x: KTensor) => KTensor)[]
type Case = { readonly name: string; readonly open: (number | null)[]; readonly layers: () => Layers; readonly sizes: readonly number[][] }

const images = [[5, 6], [8, 5], [7, 12]]
const sequences = [[5], [6], [8], [13]]
const image = (name: string, ...layers: (() => (x: KTensor) => KTensor)[]): Case => ({ name, open: [null, null, 3], layers: () => layers.map((l) => l()), sizes: images })
const sequence = (name: string, ...layers: (() => (x: KTensor) => KTensor)[]): Case => ({ name, open: [null, 3], layers: () => layers.map((l) => l()), sizes: sequences })

const cases: readonly Case[] = [
  sequence('steps_valid', () => Conv1D(4, 3, { strides: 2 })), sequence('steps_same', () => Conv1D(4, 2, { strides: 3, padding: 'same' })),
  sequence('steps_causal', () => Conv1D(4, 3, { strides: 2, padding: 'causal' })), sequence('steps_pool', () => MaxPooling1D(), () => ZeroPadding1D(), () => AveragePooling1D({ poolSize: 3, strides: 2, padding: 'same' })),
  sequence('steps_up', () => Conv1D(4, 3, { strides: 2, padding: 'same' }), () => UpSampling1D({ size: 3 })),
  image('valid', () => Conv2D(5, 3, { strides: 2, activation: 'relu' })), image('same', () => Conv2D(5, 3, { strides: 2, padding: 'same' })),
  image('one', () => Conv2D(5, 1, { strides: 2, padding: 'same' })), image('uneven', () => Conv2D(5, [2, 5], { strides: [3, 2], padding: 'same' })),
  image('dilated', () => Conv2D(5, 2, { dilationRate: 3, padding: 'same' })), image('depthwise', () => DepthwiseConv2D(3, { strides: 2, depthMultiplier: 2, padding: 'same' })),
  image('separable', () => SeparableConv2D(4, 3, { strides: 2 })), image('max', () => MaxPooling2D({ poolSize: 3, strides: 2, padding: 'same' })),
  image('mean', () => AveragePooling2D({ poolSize: [2, 3], strides: 2, padding: 'same' })), image('gaps', () => MaxPooling2D({ poolSize: 2, strides: 3 })),
  image('margins', () => Cropping2D({ cropping: [[1, 2], [0, 1]] }), () => ZeroPadding2D({ padding: [[2, 0], [1, 1]] })),
  image('nearest', () => MaxPooling2D(), () => UpSampling2D({ size: 3 })), image('bilinear', () => MaxPooling2D(), () => UpSampling2D({ size: 2, interpolation: 'bilinear' })),
  image('transposed', () => Conv2DTranspose(4, 3, { strides: 2 })), image('transposed_same', () => Conv2D(4, 3, { strides: 2, padding: 'same' }), () => Conv2DTranspose(4, 3, { strides: 2, padding: 'same' })),
  image('transposed_more', () => Conv2DTranspose(4, 3, { strides: 2, padding: 'same', outputPadding: 1 })),
  image('deep', () => Conv2D(4, 3, { strides: 2, padding: 'same', activation: 'relu' }), () => Conv2D(4, 3, { padding: 'same' }), () => MaxPooling2D({ padding: 'same' }), () => Conv2D(6, 2, { padding: 'same' }), () => GlobalAveragePooling2D()),
  { name: 'channels_first', open: [3, null, null], layers: () => [Conv2D(4, 3, { strides: 2, padding: 'same', dataFormat: 'channels_first' })], sizes: images },
  { name: 'volume', open: [null, null, null, 2], layers: () => [Conv3D(3, 2, { strides: 2, padding: 'same' }), MaxPooling3D({ padding: 'same' })], sizes: [[3, 4, 5], [4, 3, 2], [2, 2, 6]] },
]

/** The model's result, and the gradient of half its squared sum to its input and its weights. */
function graphOf(model: NetworkModel, name: string): Graph {
  const { inputs, outputs: [y] } = model.runGraph(false)
  const variables = topological([y!]).filter((n) => n.op === 'variable')
  const slopes = gradients(b.mul(b.sum(b.mul(y!, y!)), 0.5), null, [...inputs, ...variables])
  const named = (node: Node | null, i: number) => ({ name: i === 0 ? 'dx' : `d${i}`, node: node! })
  return { name, inputs, outputs: [{ name: 'y', node: y! }, ...slopes.map(named)], updates: [] }
}

type Built = { readonly graph: Graph; readonly fixed: ReadonlyMap<string, Graph>; readonly task: (name: string, graph: Graph) => Task; readonly weights: Record<string, Tensor> }

function build({ open, layers, sizes, name }: Case): Built {
  clearSession()
  setSeed(5)
  const chain = layers()
  const over = (shape: (number | null)[]): NetworkModel => {
    const x = Input({ shape, name: 'x' })
    return Model(x, chain.reduce((at, layer) => layer(at), x))
  }
  const model = over(open)
  const variables = model.weights.map((w) => ({ name: w.name, dtype: w.dtype, shape: w.shape, role: 'weight' as const, trainable: true }))
  const filled = (size: readonly number[]): number[] => { const rest = [...size]; return open.map((d) => d ?? rest.shift()!) }
  return {
    graph: graphOf(model, name),
    fixed: new Map(sizes.map((size) => [size.join('x'), graphOf(over(filled(size)), name)])),
    task: (taskName, graph) => ({ name: taskName, graph, variables, scalars: [], fuse: true }),
    weights: Object.fromEntries(model.weights.map((w, i) => [w.name, randomTensor({ dtype: 'float32', shape: w.shape }, randomSource(i + 3), [-1, 1])])),
  }
}

const built = new Map(cases.map((c) => [c.name, build(c)]))
const inFixed = (c: Case): string[] => c.sizes.slice(0, 1).map((size) => size.join('x'))
let native: NativeFunctions
beforeAll(async () => {
  const tasks = cases.flatMap((c) => {
    const { graph, fixed, task } = built.get(c.name)!
    return [task(c.name, graph), ...inFixed(c).map((size) => task(`${c.name}_${size}`, fixed.get(size)!))]
  })
  native = await compileTasks(emitTasks('unknown_sizes', tasks))
}, 240_000)
afterAll(() => native.close())

describe.each(cases.map((c) => [c.name, c] as const))('%s', (name, c) => {
  const { graph, fixed, weights } = built.get(name)!

  test.each(c.sizes.map((size) => [size.join('x'), size] as const))('%s', (text, size) => {
    const rest = [...size], axes = c.open.flatMap((d, i) => (d === null ? [i + 1] : []))
    const dims = { B: 2, ...Object.fromEntries(axes.map((axis) => [`x_${axis}`, rest.shift()!])) }
    const x = randomTensor(graph.inputs[0]!.type, randomSource(17), [-1, 1], dims)
    const run = { inputs: { x }, variables: weights, dims }
    const plain = interpret(graph, { ...run, precision: 'f64' }).outputs
    for (const [output, wanted] of Object.entries(interpret(fixed.get(text)!, { ...run, precision: 'f64' }).outputs)) expectNear(plain[output]!, wanted)
    const values = native.call(name, run)
    for (const [output, bound] of Object.entries(boundedResults(graph, run))) {
      const { worst, at } = compareBounded(values[output]!, bound)
      expect(worst, `${output}[${at}] in units of the error it may have`).toBeLessThanOrEqual(1)
    }
    if (inFixed(c).includes(text)) expectAlike(values, native.call(`${name}_${text}`, run))
  })
})

describe('a model that is built once', () => {
  /** 2 x 2 windows of what is left of 3 x 3 windows at every second place. */
  const small = (): ModelClass => {
    clearSession()
    const x = Input({ shape: [null, null, 1], name: 'picture' })
    return Model(x, MaxPooling2D({ name: 'pool' })(Conv2D(2, 3, { strides: 2, kernelInitializer: 'ones', name: 'windows' })(x)))
  }

  const predicted = async (model: ModelClass, x: { data: Float32Array; shape: number[] }): Promise<NDArray> => {
    const y = await model.predict(x)
    if (!(y instanceof NDArray)) throw new Error('expected one output')
    return y
  }

  test('predicts pictures of several sizes, and says which are too small', async () => {
    installEngine()
    const model = small()
    for (const [height, width] of [[5, 5], [6, 9], [32, 17]] as const) {
      const y = await predicted(model, { data: new Float32Array(height * width).fill(1), shape: [1, height, width, 1] })
      const places = (n: number): number => Math.floor((Math.floor((n - 3) / 2) + 1) / 2)
      expect(y.shape).toEqual([1, places(height), places(width), 2])
      expect([...y.data]).toEqual(Array.from({ length: places(height) * places(width) * 2 }, () => 9))
    }
    const picture = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, c) => a * c, 1)), shape })
    await expect(model.predict(picture(2, 5, 2, 1))).rejects.toThrow('Error when checking input: expected picture to have at least 5 elements along axis 2 but got array with shape (2, 5, 2, 1): layer windows has no room for windows that reach over 3 elements')
    await expect(model.predict(picture(2, 4, 8, 1))).rejects.toThrow('expected picture to have at least 5 elements along axis 1 but got array with shape (2, 4, 8, 1): layer pool has no room for windows that reach over 2 elements')
    expect((await predicted(model, picture(2, 5, 5, 1))).shape).toEqual([2, 1, 1, 2])
  }, 120_000)
})

/** The same sums of doubles, perhaps in another order. */
function expectNear(found: Tensor, wanted: Tensor): void {
  const scale = wanted.data.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
  expect(found.shape).toEqual(wanted.shape)
  found.data.forEach((v, i) => expect(Math.abs(v - wanted.data[i]!)).toBeLessThanOrEqual(1e-12 * scale))
}

/** Both round the same operations, in another order where loops are cut otherwise. */
function expectAlike(open: Readonly<Record<string, ArrayLike<number>>>, fixed: Readonly<Record<string, ArrayLike<number>>>): void {
  for (const [name, values] of Object.entries(fixed)) {
    const scale = Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    Array.from(values).forEach((v, i) => expect(Math.abs(open[name]![i]! - v), `${name}[${i}]`).toBeLessThan(scale * 2 ** -19))
  }
}
