/**
 * Models of every kind, trained a few steps by the public API and compared with the plain evaluation of the same graphs:
 * predictions, the values of every step, and all weights afterwards.
 */
import { describe, expect, test } from 'vitest'
import {
  Activation, add, clearSession, concatenate, Dense, Dropout, Flatten, Input, initializers, Layer, Model, NDArray, optimizers, regularizers, Reshape, Sequential, KTensor,
} from '../../compiler/index.js'
import { compileAndLoad } from '../../compiler/engine.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import type { Weight } from '../../compiler/nn/weight.js'
import { abs, mean, mul, sub } from '../../compiler/ops/build.js'
import { square } from '../../compiler/ops/compositions.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { attachOptimizer } from '../../compiler/passes/attach-optimizer.js'
import { Replay, type Samples } from '../nn/training-replay.js'
import { expectClose } from '../nn/training-shared.js'
import { numbers } from './workshop.js'

/** Sizes of the batches of the steps: ordinary, one sample, odd. */
const BATCHES = [8, 1, 5, 3]
const RTOL = 1e-4, ATOL = 2e-6

type Shapes = { readonly inputs: readonly (readonly number[])[]; readonly targets: readonly ((samples: number) => NDArray)[] }
type Stack = Shapes & { readonly make: () => Model; readonly weighted?: boolean }

const values = (width: number) => (samples: number): NDArray => new NDArray(numbers(samples * width, 77), [samples, width])
const bits = (samples: number): NDArray => new NDArray(numbers(samples, 5).map((v) => (v > 0.5 ? 1 : 0)), [samples, 1])
const classes = (count: number) => (samples: number): NDArray => new NDArray(Int32Array.from({ length: samples }, (_, i) => (i * 5) % count), [samples, 1], 'int32')
const oneHot = (count: number) => (samples: number): NDArray => {
  const rows = new Float32Array(samples * count)
  for (let i = 0; i < samples; i++) rows[i * count + (i * 5) % count] = 1
  return new NDArray(rows, [samples, count])
}
const sgd = (learningRate = 0.1): ReturnType<typeof optimizers.SGD> => optimizers.SGD({ learningRate })

/** A layer of the user's own: a learned scale, and a penalty for what it lets through. */
class Scale extends Layer {
  declare factor: Weight
  override build(shape: (number | null)[]): void {
    this.factor = this.addWeight({ name: 'factor', shape: [shape.at(-1)!], initializer: initializers.Constant({ value: 1.5 }), regularizer: regularizers.l2(0.05) })
    this.built = true
  }
  override call(x: KTensor): KTensor {
    const scaled = mul(x.node, this.factor.node)
    this.addLoss({ node: mul(mean(abs(scaled)), 0.01) })
    return new KTensor(scaled)
  }
  override computeOutputShape(shape: (number | null)[]): (number | null)[] { return shape }
}

const stacks: Record<string, Stack> = {
  'a list of layers with every activation': {
    inputs: [[6]], targets: [values(3)],
    make: () => {
      const names = ['elu', 'selu', 'softplus', 'softsign', 'relu', 'tanh', 'sigmoid', 'hard_sigmoid', 'exponential', 'linear', 'softmax'] as const
      const model = Sequential([Dense(9, { inputShape: [6] }), ...names.flatMap((name) => [Dense(8, { activation: name }), Activation(name)]), Dense(3)])
      model.compile({ optimizer: sgd(0.02), loss: 'mse', metrics: ['mae'] })
      return model
    },
  },
  'a functional model whose layers are shared and whose inputs meet': {
    inputs: [[5], [5]], targets: [bits],
    make: () => {
      const shared = Dense(7, { activation: 'tanh' }), a = Input({ shape: [5], name: 'a' }), b = Input({ shape: [5], name: 'b' })
      const both = concatenate([shared(a), shared(b), add([a, b])])
      const model = Model({ inputs: [a, b], outputs: Dense(1, { activation: 'sigmoid' })(both) })
      model.compile({ optimizer: optimizers.SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true, decay: 0.01 }), loss: 'binary_crossentropy', metrics: ['accuracy'] })
      return model
    },
  },
  'models as layers, one inside the other and one called twice': {
    inputs: [[4], [4]], targets: [oneHot(3)],
    make: () => {
      const inner = Sequential([Dense(6, { activation: 'relu', inputShape: [4] }), Sequential([Dense(5, { inputShape: [6] }), Activation('tanh')])])
      const [a, b] = [Input({ shape: [4] }), Input({ shape: [4] })]
      const twice = concatenate([inner(a), inner(b)])
      const model = Model({ inputs: [a, b], outputs: Dense(3, { activation: 'softmax' })(twice) })
      model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
      return model
    },
  },
  'several outputs, losses and weights of losses by position': {
    inputs: [[6]], targets: [bits, classes(4)], weighted: true,
    make: () => {
      const x = Input({ shape: [6] }), hidden = Dense(8, { activation: 'relu' })(x)
      const model = Model({ inputs: x, outputs: [Dense(1, { activation: 'sigmoid' })(hidden), Dense(4, { activation: 'softmax' })(hidden)] })
      model.compile({ optimizer: sgd(), loss: ['binary_crossentropy', 'sparse_categorical_crossentropy'], lossWeights: [0.3, 2], metrics: ['accuracy'] })
      return model
    },
  },
  'several inputs and outputs, all by name': {
    inputs: [[3], [2, 4]], targets: [values(2), oneHot(3)], weighted: true,
    make: () => {
      const left = Input({ shape: [3], name: 'left' }), right = Input({ shape: [2, 4], name: 'right' })
      const joined = concatenate([left, Flatten()(Dense(3)(right))])
      const model = Model({ inputs: [left, right], outputs: [Dense(2, { name: 'value' })(joined), Dense(3, { activation: 'softmax', name: 'kind' })(joined)] })
      model.compile({ optimizer: optimizers.RMSprop({ learningRate: 0.01 }), loss: { kind: 'categorical_crossentropy', value: 'mae' }, lossWeights: { value: 0.5, kind: 1.5 }, metrics: { kind: ['accuracy', 'mse'] }, weightedMetrics: { value: 'mse' } })
      return model
    },
  },
  'a model of which layers were taken off and put on, and one is frozen': {
    inputs: [[6]], targets: [values(4)],
    make: () => {
      const model = Sequential()
      model.add(Dense(7, { activation: 'relu', inputDim: 6, name: 'frozen' }))
      model.add(Dense(5))
      model.pop()
      model.add(Reshape([7, 1]))
      model.add(Dense(2, { kernelRegularizer: regularizers.l1(0.01), biasRegularizer: 'l2' }))
      model.add(Flatten())
      model.add(Dense(4, { kernelRegularizer: regularizers.l1L2({ l1: 0.001, l2: 0.01 }), activityRegularizer: regularizers.l2(0.01) }))
      model.getLayer('frozen').trainable = false
      model.compile({ optimizer: sgd(), loss: 'mean_absolute_error' })
      return model
    },
  },
  'a model that learns its input shape from the first data': {
    inputs: [[3, 5]], targets: [values(6)],
    make: () => {
      const model = Sequential([Dense(4, { activation: 'tanh', kernelInitializer: 'he_normal' }), Reshape([-1]), Dense(6, { useBias: false })])
      model.compile({ optimizer: sgd(), loss: 'mse' })
      return model
    },
  },
  'a layer and a loss of the user': {
    inputs: [[5]], targets: [values(3)], weighted: true,
    make: () => {
      const x = Input({ shape: [5] })
      const model = Model({ inputs: x, outputs: Dense(3)(new Scale({ name: 'scale' })(Dense(6, { activation: 'tanh' })(x))) })
      const fourthPower = (target: KTensor, prediction: KTensor): KTensor['node'] => mean(square(square(sub(target.node, prediction.node))), [-1])
      model.compile({ optimizer: sgd(), loss: fourthPower, metrics: [fourthPower, 'mse'] })
      return model
    },
  },
}

const rows = (array: NDArray, from: number, count: number): NDArray => array.rows(from, from + count)
const tensorOf = (array: { data: ArrayLike<number>; shape: readonly number[] }): Tensor => ({ shape: array.shape, data: Float64Array.from(array.data) })
const listOf = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x])

/** All data of a test, and the batches of its steps. */
function dataOf({ inputs, targets, weighted }: Stack): { x: NDArray[]; y: NDArray[]; w: (NDArray | null)[] } {
  const samples = BATCHES.reduce((a, b) => a + b, 0)
  const x = inputs.map((shape, i) => new NDArray(numbers(samples * shape.reduce((a, b) => a * b, 1), i * 17).map((v) => v - 0.5), [samples, ...shape]))
  return { x, y: targets.map((make) => make(samples)), w: targets.map((_, i) => (weighted ? new NDArray(numbers(samples, 40 + i), [samples]) : null)) }
}

describe('trained and compared with plain evaluation', () => {
  test.each(Object.entries(stacks))('%s', async (_name, stack) => {
    clearSession()
    const model = stack.make(), { x, y, w } = dataOf(stack)
    const first = listOf(await model.predict(x))
    const source = moduleSource(model)
    const replay = new Replay(source, Object.fromEntries(model.weights.map((weight) => [weight.name, tensorOf({ data: weight.value, shape: weight.shape })])))
    const ones = (n: number): NDArray => new NDArray(new Float32Array(n).fill(1), [n])
    const samplesOf = (from: number, count: number): Samples => ({
      inputs: x.map((a) => tensorOf(rows(a, from, count))), targets: y.map((a) => tensorOf(rows(a, from, count))), weights: w.map((a) => tensorOf(a ? rows(a, from, count) : ones(count))),
    })
    const all = samplesOf(0, x[0]!.shape[0]!)
    replay.predict(all).forEach((want, i) => expectClose(first[i]!.data, want.data, RTOL, ATOL, `prediction ${i}`))
    let from = 0
    for (const [step, count] of BATCHES.entries()) {
      const given = w[0] ? { sampleWeight: w.map((a) => rows(a!, from, count)) } : {}
      const inputs = x.map((a) => rows(a, from, count)), targets = y.map((a) => rows(a, from, count))
      const got = listOf(await model.trainOnBatch(inputs, targets, given)), want = replay.trainOnBatch(samplesOf(from, count))
      expectClose(got, model.metricsNames.map((name) => want[name]!), RTOL, ATOL, `values of step ${step}`)
      from += count
    }
    for (const weight of model.weights) expectClose(weight.value, replay.variables[weight.name]!.data, RTOL, 2e-5, weight.name)
    const after = listOf(await model.predict(x))
    replay.predict(all).forEach((want, i) => expectClose(after[i]!.data, want.data, 5e-4, 2e-5, `prediction ${i} after training`))
    expect(after.map((a) => a.data), 'training changes predictions').not.toEqual(first.map((a) => a.data))
    model.close()
  })

  test('dropout draws the same numbers as plain evaluation, step by step, and none in predict', async () => {
    clearSession()
    const model = Sequential([Dense(33, { activation: 'relu', inputShape: [6] }), Dropout(0.4), Dense(17), Dropout(0.2), Dense(2)])
    model.compile({ optimizer: sgd(), loss: 'mse' })
    const source = moduleSource(model), compiled = await compileAndLoad(model), SEED = 1234
    const initial = model.weights.map((weight) => ({ data: weight.value, shape: weight.shape }))
    compiled.setWeights(initial)
    compiled.setSeed(SEED)
    const step = attachOptimizer(source.train!.graph, source.train!)
    const variables: Record<string, Tensor> = Object.fromEntries(source.variables.map((v) => [v.name, { shape: v.shape, data: new Float64Array(v.shape.reduce((a, b) => a * b, 1)) }]))
    model.weights.forEach((weight, i) => { variables[weight.name] = tensorOf(initial[i]!) })
    const scalars = Object.fromEntries(source.scalars.map((s) => [s.name, Math.fround(s.value)]))
    for (const [k, count] of BATCHES.entries()) {
      const x = new NDArray(numbers(count * 6, k), [count, 6]), y = values(2)(count)
      await compiled.predict(x)
      const got = await compiled.trainOnBatch(x, y)
      const given = [tensorOf(x), tensorOf(y), { shape: [count], data: new Float64Array(count).fill(1) }]
      const inputs = Object.fromEntries(step.inputs.map((node, i) => [String(node.attrs['name']), given[i]!]))
      const { outputs, updates } = interpret(step, { inputs, variables, scalars, dims: { B: count }, seed: SEED, step: k })
      Object.assign(variables, updates)
      expectClose(listOf(got), outputs['loss']!.data, RTOL, ATOL, `loss of step ${k}`)
    }
    model.weights.forEach((weight, i) => expectClose(compiled.getWeights()[i]!.data, variables[weight.name]!.data, RTOL, 2e-5, weight.name))
    await compiled.close()
  })
})
