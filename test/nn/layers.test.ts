/** Layers as users meet them: calls, custom classes, training mode, weights, nodes, sharing. */
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { evaluateShape } from '../../compiler/ir/dim.js'
import type { Graph } from '../../compiler/ir/graph.js'
import { Layer, type Tensors } from '../../compiler/nn/layer.js'
import { Activation, add, Add, Concatenate, concatenate, Dense, Dropout, Flatten, Input, Reshape } from '../../compiler/nn/layers/index.js'
import { Model } from '../../compiler/nn/model.js'
import { modelFromJson } from '../../compiler/nn/serialization.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { clearSession, session, toSnakeCase } from '../../compiler/nn/session.js'
import type { KShape } from '../../compiler/nn/shape.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import type { Weight } from '../../compiler/nn/weight.js'
import { matmul, mul, sum } from '../../compiler/ops/build.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { variablesOf } from './layers-shared.js'

beforeEach(clearSession)

describe('names', () => {
  it.each([['Dense', 'dense'], ['Conv2D', 'conv2d'], ['MaxPooling2D', 'max_pooling2d'], ['BatchNormalization', 'batch_normalization'],
    ['LeakyReLU', 'leaky_re_lu'], ['PReLU', 'p_re_lu'], ['CuDNNLSTM', 'cu_dnnlstm'], ['ConvLSTM2D', 'conv_lst_m2d'], ['_Own', 'private__own'],
  ])('%s is %s', (className, snake) => expect(toSnakeCase(className)).toBe(snake))

  it('count from 1 by class, and again after clearSession', () => {
    expect([Dense(1).name, Dense(1).name, Activation('relu').name, Input({ shape: [1] }).history!.layer.name, Sequential().name]).toEqual(['dense_1', 'dense_2', 'activation_1', 'input_1', 'sequential_1'])
    clearSession()
    expect(Dense(1).name).toBe('dense_1')
  })

  it('of weights are unique, as TensorFlow makes them', () => {
    const build = (): Weight[] => Sequential([Dense(1, { name: 'd', inputShape: [2] })]).weights
    expect([...build(), ...build()].map((w) => w.name)).toEqual(['d/kernel:0', 'd/bias:0', 'd_1/kernel:0', 'd_1/bias:0'])
  })
})

/** Scales by one trained number and penalises its square. */
class Scale extends Layer {
  factor: Weight | null = null
  override build(shape: KShape | KShape[]): void {
    this.factor = this.addWeight({ name: 'factor', shape: [1], initializer: 'ones' })
    super.build(shape)
  }
  override call(inputs: KTensor | KTensor[]): Tensors {
    if (Array.isArray(inputs)) throw new Error('one input')
    this.addLoss(new KTensor(sum(mul(this.factor!.node, this.factor!.node))))
    return new KTensor(mul(inputs.node, this.factor!.node))
  }
}

describe('a custom layer', () => {
  it('is called as a function and keeps its properties', () => {
    const scale = new Scale({ inputShape: [3] })
    expect(scale).toBeInstanceOf(Layer)
    expect(scale.name).toBe('scale_1')
    const model = Sequential([scale, Dense(2)])
    expect(scale.weights.map((w) => w.name)).toEqual(['scale_1/factor:0'])
    expect(model.runGraph(true).losses).toHaveLength(1)
    expect(model.hasPenalties).toBe(true)
    expect(scale.location?.file).toBe(import.meta.filename)
  })

  it('comes back from JSON when its class is given', () => {
    class Twice extends Layer {
      override call(x: KTensor | KTensor[]): Tensors { return Array.isArray(x) ? x : new KTensor(mul(x.node, 2)) }
      static fromConfig(config: { name?: unknown }): Twice { return new Twice({ name: String(config.name), inputShape: [3] }) }
    }
    const json = Sequential([new Twice({ inputShape: [3] })]).toJson()
    expect(() => modelFromJson(json)).toThrow('Unknown layer: Twice')
    expect(modelFromJson(json, { Twice }).toJson()).toBe(json)
  })
})

describe('built-in layers', () => {
  it('may be made with new and extended', () => {
    class Ten extends Dense { constructor() { super(10, { useBias: false }) } }
    const ten = new Ten()
    expect([ten.name, ten.className, ten.units, new Dense(3).units]).toEqual(['ten_1', 'Ten', 10, 3])
    expect(ten).toBeInstanceOf(Dense)
  })

  const shapes: [string, Layer, KShape[]][] = [
    ['Dense', Dense(4), [[null, 3]]], ['Dense 4-D', Dense(4), [[null, 2, 5, 3]]], ['Dense of unknown steps', Dense(4), [[null, null, 3]]],
    ['Dropout', Dropout(0.5), [[null, 3]]], ['Activation', Activation('softmax'), [[null, 3]]], ['Flatten', Flatten(), [[null, 2, 3, 4]]],
    ['Reshape', Reshape([-1, 2]), [[null, 6]]], ['Reshape of unknown steps', Reshape([-1, 2]), [[null, null, 6]]], ['Add', Add(), [[null, 3, 4], [null, 1, 4], [null, 4]]],
    ['Concatenate', Concatenate({ axis: 1 }), [[null, 3, 4], [null, 5, 4]]], ['fixed batch', Dense(4), [[7, 3]]],
  ]
  it.each(shapes)('%s declares the shape it makes', (_, layer, inputs) => {
    const tensors = inputs.map((shape) => Input({ batchShape: shape }))
    const output = layer(tensors.length === 1 ? tensors[0]! : tensors)
    expect(layer.computeOutputShape(inputs.length === 1 ? inputs[0]! : inputs)).toEqual(output.shape)
    expect(layer.outputShape).toEqual(output.shape)
  })

  it('share weights between calls', () => {
    const d = Dense(2)
    const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
    const model = Model({ inputs: [a, b], outputs: concatenate([d(a), d(b)]) })
    expect(model.weights).toHaveLength(2)
    expect(model.countParams()).toBe(8)
    expect(d.getOutputAt(1)).toBeInstanceOf(KTensor)
    expect(d.getInputShapeAt(0)).toEqual([null, 3])
  })

  it('take first values of their weights', () => {
    const d = Dense(2, { inputShape: [1], weights: [[[1, 2]], [3, 4]] })
    Sequential([d])
    expect(d.getWeights().map((w) => w.toNested())).toEqual([[[1, 2]], [3, 4]])
  })
})

describe('Dropout', () => {
  /** The output of one training pass over ones. */
  const drop = (layer: Layer, step: number, training = true): Float64Array => {
    const model = Sequential([layer])
    const { inputs, outputs } = model.runGraph(training)
    const graph: Graph = { name: 't', inputs: [...inputs], outputs: [{ name: 'y', node: outputs[0]! }], updates: [] }
    const shape = evaluateShape(inputs[0]!.type.shape, { B: 40 })
    const ones = { shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1) }
    return interpret(graph, { inputs: { [model.inputNames[0]!]: ones }, dims: { B: 40 }, seed: 5, step }).outputs['y']!.data
  }

  it('keeps the mean in training and is the identity elsewhere', () => {
    const y = drop(Dropout(0.25, { inputShape: [50] }), 1)
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    expect(y.filter((v) => v === 0).length / y.length).toBeCloseTo(0.25, 1)
    expect(drop(Dropout(0.25, { inputShape: [50] }), 1, false).every((v) => v === 1)).toBe(true)
  })

  it('draws anew at each step, the same again with the same seed', () => {
    expect(drop(Dropout(0.5, { inputShape: [50], seed: 3 }), 1)).toEqual(drop(Dropout(0.5, { inputShape: [50], seed: 3 }), 1))
    expect(drop(Dropout(0.5, { inputShape: [50], seed: 3 }), 1)).not.toEqual(drop(Dropout(0.5, { inputShape: [50], seed: 3 }), 2))
    expect(drop(Dropout(0.5, { inputShape: [50], seed: 3 }), 1)).not.toEqual(drop(Dropout(0.5, { inputShape: [50], seed: 4 }), 1))
  })

  it('repeats its mask over axes of noiseShape that are 1', () => {
    const y = drop(Dropout(0.5, { inputShape: [6], noiseShape: [null, 1] }), 1)
    for (let row = 0; row < 40; row++) expect(new Set(y.subarray(row * 6, row * 6 + 6)).size).toBe(1)
  })
})

describe('models', () => {
  it('with several outputs return a list', () => {
    const x = Input({ shape: [4] })
    const model = Model({ inputs: x, outputs: [Dense(3)(x), Dense(2)(x)] })
    const [a, b] = model(Input({ shape: [4] }))
    expect([a!.shape, b!.shape]).toEqual([[null, 3], [null, 2]])
    expect(model.getOutputShapeAt(1)).toEqual([[null, 3], [null, 2]])
    expect(String(inspect(model))).toBe('<keras.layers.Model object model_1>')
  })


  it('are built late, by a shape', () => {
    const model = Sequential([Dense(3), Dense(2)])
    expect(model.weights).toEqual([])
    model.build([null, 5])
    expect(model.countParams()).toBe(5 * 3 + 3 + 3 * 2 + 2)
    expect(model.inputNames).toEqual(['sequential_1_input'])
    expect(modelFromJson(model.toJson()).countParams()).toBe(model.countParams())
  })

  it('load configurations of old Keras, which are bare lists of layers', () => {
    const { config } = JSON.parse(Sequential([Dense(3, { inputShape: [5] })]).toJson()) as { config: { layers: unknown[] } }
    expect(modelFromJson(JSON.stringify({ class_name: 'Sequential', config: config.layers })).countParams()).toBe(18)
  })

  it('lose their last layer by pop', () => {
    const model = Sequential([Dense(3, { inputShape: [5] }), Dense(2)])
    model.pop()
    expect(model.outputShapes).toEqual([[null, 3]])
    model.add(Dense(7))
    expect(model.outputShapes).toEqual([[null, 7]])
    model.pop()
    model.pop()
    expect(model.layers).toEqual([])
    expect(model.outputs).toEqual([])
  })

  it('take fixed batch sizes and input layers', () => {
    expect(Sequential([Dense(2, { batchInputShape: [32, 4] })]).outputShapes).toEqual([[32, 2]])
    expect(Sequential([Dense(2, { inputShape: [4], batchSize: 16 })]).outputShapes).toEqual([[16, 2]])
    const model = Sequential([Input({ shape: [4] }).history!.layer, Dense(2)])
    expect(model.layers.map((l) => l.className)).toEqual(['Dense'])
    expect(modelFromJson(model.toJson()).countParams()).toBe(10)
  })

  it('freeze what is inside', () => {
    const inner = Sequential([Dense(3, { inputShape: [4] })])
    const x = Input({ shape: [4] })
    const model = Model({ inputs: x, outputs: Dense(1)(inner(x)) })
    inner.trainable = false
    expect(model.trainableWeights.map((w) => w.name)).toEqual(['dense_2/kernel:0', 'dense_2/bias:0'])
    expect(model.nonTrainableWeights.map((w) => w.name)).toEqual(['dense_1/kernel:0', 'dense_1/bias:0'])
    expect(model.getWeights()[0]!.shape).toEqual([4, 3])
    model.trainable = false
    expect(model.trainableWeights).toEqual([])
    expect(model.weights).toHaveLength(4)
  })

  it('report logits of outputs that are directly softmax or sigmoid', () => {
    const x = Input({ shape: [4] })
    const outputs = [Dense(3, { activation: 'softmax' })(x), Activation('sigmoid')(Dense(1)(x)), Dense(2, { activation: 'tanh' })(x)]
    const run = Model({ inputs: x, outputs }).runOn([x.node], { training: true })
    expect(run.outputs.map((o) => o.activation)).toEqual(['softmax', 'sigmoid', null])
    expect(run.outputs[0]!.logits!.op).toBe('add')
    expect(run.outputs[2]!.logits).toBeNull()
  })

  it('carry the path of layers and the user\'s line in their nodes', () => {
    const inner = Sequential([Dense(3, { inputShape: [4] })], { name: 'encoder' })
    const x = Input({ shape: [4] })
    const { outputs } = Model({ inputs: x, outputs: inner(x) }).runGraph(false)
    expect(outputs[0]!.from.path).toBe('encoder/dense_1')
    expect(outputs[0]!.from.location?.file).toBe(import.meta.filename)
  })

  it('include penalties of weights once, and of activities per call', () => {
    const d = Dense(2, { kernelRegularizer: 'l2', activityRegularizer: 'l1' })
    const [a, b] = [Input({ shape: [3] }), Input({ shape: [3] })]
    expect(Model({ inputs: [a, b], outputs: add([d(a), d(b)]) }).runGraph(true).losses).toHaveLength(3)
  })

  it('may be subclassed', () => {
    class Residual extends Model {
      hidden = Dense(4, { activation: 'relu' })
      head = Dense(2)
      override call(inputs: KTensor | KTensor[]): Tensors {
        const x = Array.isArray(inputs) ? inputs[0]! : inputs
        return this.head(add([x, this.hidden(x)]))
      }
    }
    const model = new Residual()
    expect(model.name).toBe('residual_1')
    model.build([null, 4])
    expect(model.layers.map((l) => l.name)).toEqual(['dense_1', 'dense_2'])
    expect(model.countParams()).toBe(4 * 4 + 4 + 4 * 2 + 2)
    expect(model.outputShapes).toEqual([[null, 2]])
    expect(model.runGraph(true).outputs[0]!.type.shape.at(-1)).toBe(2)
  })

  it('give the same first weights for the same seed', () => {
    const weights = (): unknown => {
      clearSession()
      session.setSeed(7)
      return Sequential([Dense(3, { inputShape: [4] })]).getWeights()[0]!.toNested()
    }
    expect(weights()).toEqual(weights())
  })

  it('compute what their weights say', () => {
    const model = Sequential([Dense(1, { inputShape: [2], weights: [[[2], [3]], [5]] })])
    const graph: Graph = { name: 't', inputs: [], outputs: [{ name: 'y', node: model.runGraph(false).outputs[0]! }], updates: [] }
    const inputs = { dense_1_input: { shape: [1, 2], data: Float64Array.of(10, 100) } }
    expect([...interpret(graph, { inputs, variables: variablesOf(model.weights), dims: { B: 1 } }).outputs['y']!.data]).toEqual([325])
    expect(() => matmul(model.inputs[0]!.node, model.weights[1]!.node)).toThrow('rank 2')
  })
})
