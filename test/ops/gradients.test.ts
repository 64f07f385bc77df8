/** Gradients of every op against central finite differences in f64, at the records' samples; gradients of gradients. */
import { describe, expect, test } from 'vitest'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import * as compositions from '../../compiler/ops/compositions.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { interpret, type Values } from '../../compiler/ops/interpret.js'
import { opCases } from './cases.js'
import { f32 } from '../../compiler/ops/samples.js'
import { randomSource, randomTensor } from './values.js'

const step = 1e-5
/** Elements per input that are moved; larger inputs are sampled. */
const probes = 6

/** The largest difference between `analytic`, the gradient of `f` to input `name`, and finite differences of `f`, relative to 1. */
function largestError(f: (values: Values) => number, values: Values, name: string, analytic: Tensor): number {
  const { shape, data } = values[name]!
  const stride = Math.max(1, Math.floor(data.length / probes))
  let worst = 0
  for (let i = 0; i < data.length; i += stride) {
    const moved = (by: number): number => f({ ...values, [name]: { shape, data: data.with(i, data[i]! + by) } })
    const numeric = (moved(step) - moved(-step)) / (2 * step)
    const error = Math.abs(numeric - analytic.data[i]!) / Math.max(1, Math.abs(numeric))
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error)
  }
  return worst
}

const dot = (a: Tensor, b: Tensor): number => a.data.reduce((sum, x, i) => sum + x * b.data[i]!, 0)

const run = (graph: Graph, inputs: Values): Record<string, Tensor> => interpret(graph, { inputs, precision: 'f64', seed: 7, step: 3 }).outputs

/** Checks every output `d<i>` of `gradient` against finite differences of `weighted`. */
function checkGradient(gradient: Graph, values: Values, weighted: (values: Values) => number): void {
  for (const [name, analytic] of Object.entries(run(gradient, values))) {
    expect(largestError(weighted, values, name.replace('d', 'x'), analytic), name).toBeLessThan(2e-6)
  }
}

const differentiable = opCases().flatMap((c) => {
  const [value, gradient] = c.module.functions
  return gradient ? [{ ...c, value: value!, gradient }] : []
})

describe('first order', () => {
  test.each(differentiable.map((c) => [c.title, c] as const))('%s', (_title, c) => {
    const values = c.inputs(2)
    checkGradient(c.gradient, values, (v) => dot(run(c.value, v)['y']!, v['seed']!))
  })
})

/** The gradient of sum(outputs of `first` * weights): a second-order gradient, to the float inputs it depends on. */
function second(first: Graph, weights: readonly Node[]): Graph {
  const total = first.outputs.map((o, i) => b.sum(b.mul(o.node, weights[i]!))).reduce((s, t) => b.add(s, t))
  const xs = first.inputs.filter((x) => x.type.dtype === 'float32')
  const outputs = gradients(total, null, xs).flatMap((node, i) => (node ? [{ name: String(xs[i]!.attrs.name).replace('x', 'd'), node }] : []))
  return { name: 'second', inputs: [...first.inputs, ...weights], outputs: outputs.filter((o) => o.name.startsWith('d')), updates: [] }
}

describe('second order', () => {
  const small = differentiable.filter((c) => Object.values(c.inputs(1)).every((t) => t.data.length <= 100))
  test.each(small.map((c) => [c.title, c] as const))('%s', (_title, c) => {
    const random = randomSource(5)
    const weights = c.gradient.outputs.map((o, i) => b.input(`w${i}`, o.node.type))
    const values = { ...c.inputs(3), ...Object.fromEntries(weights.map((w, i) => [`w${i}`, randomTensor(w.type, random, [-1, 1])])) }
    checkGradient(second(c.gradient, weights), values, (v) => {
      const outputs = run(c.gradient, v)
      return c.gradient.outputs.reduce((sum, o, i) => sum + dot(outputs[o.name]!, v[`w${i}`]!), 0)
    })
  })
})

const functions: Record<string, (x: Node) => Node> = {
  square: compositions.square, softmax: compositions.softmax, logSoftmax: compositions.logSoftmax, logSumExp: compositions.logSumExp,
  softplus: compositions.softplus, softsign: compositions.softsign, elu: compositions.elu, leakyRelu: (x) => compositions.leakyRelu(x, 0.3),
  variance: (x) => compositions.variance(x, -1), clip: (x) => compositions.clip(x, -1, 1), mean: (x) => b.mean(x, 0), pad: (x) => b.pad(x, [1, 0], [0, 2]),
  // A value used twice and again through a product.
  diamond: (x) => { const t = b.tanh(x); return b.add(b.mul(t, b.sigmoid(t)), t) },
}

describe('compositions', () => {
  test.each(Object.entries(functions))('%s', (_name, f) => {
    const x = b.input('x0', f32(4, 7)), y = f(x)
    const seed = b.input('seed', y.type)
    const value: Graph = { name: 'value', inputs: [x], outputs: [{ name: 'y', node: y }], updates: [] }
    const gradient: Graph = { name: 'gradient', inputs: [x, seed], outputs: [{ name: 'd0', node: gradients(y, seed, [x])[0]! }], updates: [] }
    const random = randomSource(11)
    const values = { x0: randomTensor(x.type, random), seed: randomTensor(y.type, random, [-1, 1]) }
    checkGradient(gradient, values, (v) => dot(run(value, v)['y']!, values.seed))
  })
})

describe('gradients', () => {
  const x = b.input('x', f32(3)), loss = b.sum(b.mul(x, x))

  test('are null where nothing depends', () => {
    expect(gradients(loss, null, [b.input('z', f32(3))])).toEqual([null])
    expect(gradients(b.sum(b.stopGradient(x)), null, [x])).toEqual([null])
    expect(gradients(b.sum(b.cast(b.cast(x, 'int32'), 'float32')), null, [x])).toEqual([null])
  })

  test('say that a target must be a float of shape []', () => {
    expect(() => gradients(x, null, [x])).toThrow(/expected a float of shape \[\], found float32\[3\]/)
    expect(() => gradients(x, b.input('s', f32(4)), [x])).toThrow(/expected a seed of shape \[3\], found \[4\]/)
  })

  test('carry the line of the node and its path in grad()', () => {
    const location = { file: 'model.ts', line: 3, column: 5 }
    const y = b.within({ location, path: 'dense_1' }, () => b.sum(b.tanh(x)))
    const [gradient] = gradients(y, null, [x])
    expect(gradient!.from).toEqual({ location, path: 'grad(dense_1)' })
  })

  test('of ties and kinks are those of TensorFlow', () => {
    const at = (f: (x: Node) => Node, ...data: number[]): number[] => {
      const v = b.input('v', f32(data.length))
      const graph: Graph = { name: 'g', inputs: [v], outputs: [{ name: 'd', node: gradients(b.sum(f(v)), null, [v])[0]! }], updates: [] }
      return [...run(graph, { v: { shape: [data.length], data: Float64Array.from(data) } })['d']!.data]
    }
    expect(at(b.relu, 0, -1, 1)).toEqual([0, 0, 1])
    expect(at(b.abs, 0, -1, 1)).toEqual([0, -1, 1])
    expect(at((v) => b.max(v), 2, 1, 2)).toEqual([0.5, 0, 0.5])
    expect(at((v) => b.maximum(v, 1), 1, 0, 2)).toEqual([1, 0, 1])
    expect(at((v) => b.minimum(v, 1), 1, 0, 2)).toEqual([1, 1, 0])
    expect(at((v) => compositions.clip(v, 0, 1), 0, 1, 2, -1)).toEqual([1, 1, 0, 0])
    expect(at(compositions.softplus, 0)).toEqual([0.5])
    expect(at((v) => b.prod(v), 0, 2, 3)).toEqual([6, 0, 0])
    expect(at((v) => b.prod(v), 0, 0, 3)).toEqual([0, 0, 0])
  })
})
