/** Layers that are compositions: shapes, random behaviour, state, serialization and errors beyond what Keras' vectors show. */
import { beforeEach, describe, expect, it } from 'vitest'
import * as kcc from '../../compiler/index.js'
import { evaluateShape, symbolsOf } from '../../compiler/ir/dim.js'
import type { Layer } from '../../compiler/nn/layer.js'
import { modelFromJson, serialize, deserialize } from '../../compiler/nn/serialization.js'
import type { KShape } from '../../compiler/nn/shape.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { mul, sub, sum } from '../../compiler/ops/build.js'
import { randomNormal } from '../../compiler/ops/compositions.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { variablesOf } from './layers-shared.js'

const { Add, AlphaDropout, Average, BatchNormalization, Cropping1D, Cropping2D, Cropping3D, Dense, Dot, Flatten, GaussianDropout, GaussianNoise } = kcc
const { GlobalAveragePooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D, Input, Lambda, Model, Permute, PReLU, RepeatVector, Sequential } = kcc
const { Softmax, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, TimeDistributed, UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } = kcc

beforeEach(kcc.clearSession)

const filled = (shape: readonly number[], value: (i: number) => number): Tensor =>
  ({ shape, data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)) })

/** One pass over inputs of batch size `batch`, other unknown sizes 5. */
function runModel(model: kcc.Model, { training = false, batch = 4, step = 1, value = (i: number): number => Math.sin(i) } = {}): { outputs: Tensor[]; updates: Record<string, Tensor> } {
  const run = model.runGraph(training)
  const dims = new Proxy<Record<string, number>>({}, { get: (_, name) => (name === 'B' ? batch : 5), has: () => true })
  const inputs = Object.fromEntries(run.inputs.map((x, i) => [model.inputNames[i]!, filled(evaluateShape(x.type.shape, dims), value)]))
  const names = [...new Set(run.inputs.flatMap((x) => x.type.shape).flatMap(symbolsOf))]
  const graph = { name: 't', inputs: [...run.inputs], outputs: run.outputs.map((node, i) => ({ name: String(i), node })), updates: [...run.updates] }
  const { outputs, updates } = interpret(graph, { inputs, variables: variablesOf(model.weights), dims: Object.fromEntries(names.map((n) => [n, dims[n]!])), seed: 5, step })
  return { outputs: run.outputs.map((_, i) => outputs[String(i)]!), updates }
}

const meanOf = (x: Float64Array): number => x.reduce((a, b) => a + b, 0) / x.length
const varianceOf = (x: Float64Array): number => meanOf(x.map((v) => (v - meanOf(x)) ** 2))

describe('shapes', () => {
  const cases: [string, () => Layer, KShape[]][] = [
    ['Permute', () => Permute([2, 1]), [[null, null, 4]]],
    ['RepeatVector', () => RepeatVector(3), [[null, 4]]],
    ['RepeatVector of none', () => RepeatVector(0), [[null, 4]]],
    ['Average of ranks', () => Average(), [[null, 3, 4], [null, 4]]],
    ['Dot of vectors', () => Dot(1), [[null, 4], [null, 4]]],
    ['Dot of unknown steps', () => Dot([2, 2]), [[null, null, 4], [null, 6, 4]]],
    ['Dot of 4-D and 3-D', () => Dot([3, 1]), [[null, 2, 3, 4], [null, 4, 5]]],
    ['PReLU of unknown steps', () => PReLU({ sharedAxes: 1 }), [[null, null, 4]]],
    ['Softmax', () => Softmax({ axis: 1 }), [[null, 3, 4]]],
    ['BatchNormalization of unknown size', () => BatchNormalization(), [[null, null, null, 3]]],
    ['ZeroPadding1D', () => ZeroPadding1D({ padding: [0, 2] }), [[null, null, 2]]],
    ['ZeroPadding2D first', () => ZeroPadding2D({ padding: [1, 2], dataFormat: 'channels_first' }), [[null, 2, 3, null]]],
    ['ZeroPadding3D', () => ZeroPadding3D(), [[null, 1, 2, 3, 2]]],
    ['Cropping1D', () => Cropping1D({ cropping: [0, 1] }), [[null, null, 2]]],
    ['Cropping2D of nothing', () => Cropping2D(), [[null, 3, 3, 1]]],
    ['Cropping3D first', () => Cropping3D({ dataFormat: 'channelsFirst' }), [[null, 2, 3, 4, 5]]],
    ['UpSampling1D', () => UpSampling1D({ size: 3 }), [[null, null, 2]]],
    ['UpSampling2D bilinear, unknown', () => UpSampling2D({ size: [2, 3], interpolation: 'bilinear' }), [[null, null, null, 2]]],
    ['UpSampling3D first', () => UpSampling3D({ size: [1, 2, 3], dataFormat: 'channels_first' }), [[null, 2, 2, 2, 2]]],
    ['GlobalAveragePooling1D first', () => GlobalAveragePooling1D({ dataFormat: 'channels_first' }), [[null, 3, null]]],
    ['GlobalMaxPooling2D unknown', () => GlobalMaxPooling2D(), [[null, null, null, 3]]],
    ['GlobalMaxPooling3D', () => GlobalMaxPooling3D({ dataFormat: 'channels_first' }), [[null, 3, 2, 2, 2]]],
    ['TimeDistributed unknown steps', () => TimeDistributed(Dense(3)), [[null, null, 4]]],
    ['TimeDistributed Flatten', () => TimeDistributed(Flatten()), [[null, 5, 2, 3]]],
    ['TimeDistributed fixed batch', () => TimeDistributed(Dense(3)), [[7, 5, 4]]],
    ['Lambda', () => Lambda((x: KTensor) => sum(x.node, -1)), [[null, 3, 4]]],
    ['Lambda of a list', () => Lambda((x: KTensor[]) => sub(x[0]!.node, x[1]!.node)), [[null, 4], [null, 4]]],
  ]

  it.each(cases)('%s declares the shape it makes, also when run', (_, make, shapes) => {
    const layer = make()
    const inputs = shapes.map((shape) => Input({ batchShape: shape }))
    const output = layer(inputs.length === 1 ? inputs[0]! : inputs)
    expect(layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes)).toEqual(output.shape)
    const [y] = runModel(Model({ inputs, outputs: output }), { batch: 7 }).outputs
    expect(y!.shape.length).toBe(output.shape.length)
    output.shape.forEach((d, i) => { if (d !== null) expect(y!.shape[i]).toBe(d) })
    const again = deserialize({ class_name: layer.className, config: layer.getConfig() }, { [layer.name]: layer.className === 'Lambda' ? Reflect.get(layer, 'function') : null })
    expect(again.getConfig()).toEqual(layer.getConfig())
  })
})

describe('random layers', () => {
  const outputOf = (layer: Layer, options: Parameters<typeof runModel>[1]): Float64Array => runModel(Sequential([layer]), options).outputs[0]!.data
  const inputShape = [500]

  it('normal numbers have mean 0, variance 1 and the tails of a normal distribution', () => {
    const node = randomNormal([20000], 1)
    const { data } = interpret({ name: 't', inputs: [], outputs: [{ name: 'y', node }], updates: [] }, { inputs: {}, seed: 3, step: 1 }).outputs['y']!
    expect(Math.abs(meanOf(data))).toBeLessThan(0.03)
    expect(Math.abs(varianceOf(data) - 1)).toBeLessThan(0.04)
    const share = (limit: number): number => data.filter((v) => Math.abs(v) > limit).length / data.length
    expect(share(1)).toBeCloseTo(0.3173, 1)
    expect(Math.abs(share(2) - 0.0455)).toBeLessThan(0.006)
    expect(Math.abs(share(3) - 0.0027)).toBeLessThan(0.002)
    expect(Math.abs(meanOf(data.map((v) => v ** 3)))).toBeLessThan(0.1)
  })

  it.each([
    ['GaussianNoise', () => GaussianNoise(0.5, { inputShape }), 2, 0.25],
    ['GaussianDropout', () => GaussianDropout(0.2, { inputShape }), 2, 4 * 0.25],
  ] as const)('%s keeps the mean and adds its variance, in training only', (_, make, mean, variance) => {
    const y = outputOf(make(), { training: true, batch: 20, value: () => 2 })
    expect(meanOf(y)).toBeCloseTo(mean, 1)
    expect(Math.abs(varianceOf(y) - variance) / variance).toBeLessThan(0.06)
    expect(outputOf(make(), { value: () => 2 }).every((v) => v === 2)).toBe(true)
  })

  it('AlphaDropout keeps mean 0 and variance 1', () => {
    const normal = (i: number): number => Math.sqrt(-2 * Math.log(((i * 7919) % 10007 + 0.5) / 10007)) * Math.cos(2 * Math.PI * (((i * 104729) % 10009) / 10009))
    const y = outputOf(AlphaDropout(0.3, { inputShape }), { training: true, batch: 20, value: normal })
    expect(Math.abs(meanOf(y))).toBeLessThan(0.06)
    expect(Math.abs(varianceOf(y) - 1)).toBeLessThan(0.1)
    const counts = new Map<number, number>()
    for (const v of y) counts.set(v, (counts.get(v) ?? 0) + 1)
    expect(Math.max(...counts.values()) / y.length).toBeCloseTo(0.3, 1)
  })

  it.each([
    ['1D', () => SpatialDropout1D(0.5, { inputShape: [6, 40] }), 40, 1, 6],
    ['2D', () => SpatialDropout2D(0.5, { inputShape: [3, 2, 40] }), 40, 1, 6],
    ['2D first', () => SpatialDropout2D(0.5, { inputShape: [40, 3, 2], dataFormat: 'channels_first' }), 40, 6, 1],
    ['3D', () => SpatialDropout3D(0.5, { inputShape: [1, 3, 2, 40] }), 40, 1, 6],
  ] as const)('SpatialDropout %s drops whole feature maps', (_, make, channels, inner, outer) => {
    const y = outputOf(make(), { training: true, value: () => 1 })
    const stride = (sample: number, channel: number, at: number): number => (inner === 1 ? (sample * outer + at) * channels + channel : (sample * channels + channel) * inner + at)
    const count = inner * outer
    const maps = Array.from({ length: 4 * channels }, (_, m) => new Set(Array.from({ length: count }, (_, at) => y[stride(Math.floor(m / channels), m % channels, at)]!)))
    expect(maps.every((values) => values.size === 1)).toBe(true)
    expect(new Set(y)).toEqual(new Set([0, 2]))
  })

  it('repeat with a seed', () => {
    const once = (): Float64Array => outputOf(AlphaDropout(0.5, { inputShape: [50], seed: 3 }), { training: true })
    expect(once()).toEqual(once())
  })
})

describe('BatchNormalization', () => {
  it('called twice moves its statistics twice, one after the other', () => {
    const bn = BatchNormalization({ momentum: 0.5 })
    const [a, b] = [Input({ shape: [2] }), Input({ shape: [2] })]
    const model = Model({ inputs: [a, b], outputs: Add()([bn(a), bn(b)]) })
    const { updates } = runModel(model, { training: true, value: () => 8 })
    expect(Object.keys(updates).sort()).toEqual(['batch_normalization_1/moving_mean:0', 'batch_normalization_1/moving_variance:0'])
    expect([...updates['batch_normalization_1/moving_mean:0']!.data]).toEqual([6, 6])
  })

  it.each([
    ['the layer', (bn: Layer) => { bn.trainable = false }], ['its model', (_: Layer, inner: Layer) => { inner.trainable = false }],
    ['the whole', (_: Layer, __: Layer, outer: Layer) => { outer.trainable = false }],
  ])('keeps its statistics when %s is frozen', (_, freeze) => {
    const bn = BatchNormalization({ inputShape: [3] })
    const inner = Sequential([bn])
    const outer = Sequential([inner])
    expect(Object.keys(runModel(outer, { training: true }).updates)).toHaveLength(2)
    freeze(bn, inner, outer)
    expect(runModel(outer, { training: true }).updates).toEqual({})
  })

  it('needs a known number of channels', () => {
    expect(() => BatchNormalization()(Input({ shape: [3, null] }))).toThrow('Axis -1 of input tensor should have a defined dimension but the layer received an input with shape (None, 3, None).')
    expect(() => BatchNormalization({ axis: 4 })(Input({ shape: [3] }))).toThrow('Axis 4 is out of range for an input of shape (None, 3).')
  })
})

describe('TimeDistributed', () => {
  it('has the weights, losses and state of the layer inside', () => {
    const inner = Sequential([Dense(3, { inputShape: [4], kernelRegularizer: 'l2', activityRegularizer: 'l1' }), BatchNormalization()], )
    const td = TimeDistributed(inner, { inputShape: [5, 4] })
    const model = Sequential([td])
    expect(model.weights).toEqual(inner.weights)
    expect(model.countParams()).toBe(4 * 3 + 3 + 4 * 3)
    expect(model.losses).toHaveLength(2)
    expect(Object.keys(runModel(model, { training: true }).updates)).toHaveLength(2)
    td.trainable = false
    expect([inner.trainable, model.trainableWeights]).toEqual([false, []])
    expect(runModel(model, { training: true }).updates).toEqual({})
    expect(modelFromJson(model.toJson()).toJson()).toBe(model.toJson())
  })

  it('takes first values of the layer inside', () => {
    const td = TimeDistributed(Dense(1, { weights: [[[2]], [1]] }), { inputShape: [3, 1] })
    expect([...runModel(Sequential([td]), { batch: 1, value: (i) => i }).outputs[0]!.data]).toEqual([1, 3, 5])
  })

  it('says what it needs', () => {
    expect(() => TimeDistributed(Dense(2))(Input({ shape: [3] }))).toThrow(expect.objectContaining({ name: 'AssertionError', hint: expect.stringContaining('[B, steps, …]') }))
    expect(() => TimeDistributed(3 as never)).toThrow('TimeDistributed() takes a layer. Found: 3')
  })
})

describe('Lambda', () => {
  const twice = (x: KTensor): KTensor => new KTensor(mul(x.node, 2))

  it('gives its arguments to the function', () => {
    const model = Sequential([Lambda((x: KTensor, args) => mul(x.node, Number(args['by'])), { inputShape: [2], arguments: { by: 3 } })])
    expect([...runModel(model, { batch: 1, value: (i) => i + 1 }).outputs[0]!.data]).toEqual([3, 6])
  })

  it('is written under the name of its function, or its own', () => {
    const config = (layer: Layer): unknown => serialize(layer)
    expect(config(Lambda(twice, { outputShape: [2] }))).toEqual({ class_name: 'Lambda', config: { name: 'lambda_1', trainable: true, dtype: 'float32', function: 'twice', function_type: 'function', output_shape: [2], output_shape_type: 'raw', arguments: {} } })
    expect(config(Lambda((x: KTensor) => x))).toMatchObject({ config: { function: 'lambda_2' } })
    const json = Sequential([Lambda(twice, { inputShape: [2] })]).toJson()
    expect(modelFromJson(json, { twice }).toJson()).toBe(json)
    expect(() => modelFromJson(json)).toThrow('Unknown function in Lambda layer: twice')
  })

  it('refuses what is not a function of tensors', () => {
    expect(() => Lambda('x' as never)).toThrow("Lambda() takes a function of a tensor. Found: 'x'")
    expect(() => Lambda((() => 3) as never)(Input({ shape: [2] }))).toThrow('The function of lambda_1 must return a tensor; it returned 3.')
  })
})

describe('options', () => {
  it('that Keras leaves out of configurations are there only where they matter', () => {
    expect(Object.keys(SpatialDropout2D(0.5).getConfig())).not.toContain('data_format')
    expect(SpatialDropout2D(0.5, { dataFormat: 'channels_first' }).getConfig()).toMatchObject({ data_format: 'channels_first' })
    expect(AlphaDropout(0.5, { seed: 4 }).getConfig()).toMatchObject({ rate: 0.5, seed: 4 })
  })

  it.each<[string, () => unknown]>([
    ['`padding` should have two elements. Found: [1, 2, 3]', () => ZeroPadding2D({ padding: [1, 2, 3] })],
    ['The `2nd entry of padding` argument must be a tuple of 2 integers. Received: [1]', () => ZeroPadding2D({ padding: [[1, 2], [1] as never] })],
    ['`cropping` should have 3 elements. Found: [1]', () => Cropping3D({ cropping: [1] })],
    ['The `cropping` argument must be a tuple of 2 integers. Received: [1, 2, 3]', () => Cropping1D({ cropping: [1, 2, 3] as never })],
    ['Negative dimension size caused by subtracting 4 from 4', () => Cropping1D({ cropping: 2 })(Input({ shape: [4, 1] }))],
    ['The `size` argument must be a tuple of 2 integers. Received: [2]', () => UpSampling2D({ size: [2] })],
    ['interpolation should be one of "nearest" or "bilinear".', () => UpSampling2D({ interpolation: 'cubic' })],
    ['Input 0 is incompatible with layer permute_1: expected ndim=3, found ndim=2', () => Permute([2, 1])(Input({ shape: [4] }))],
    ['1 is duplicated in perm.', () => Permute([1, 1])(Input({ shape: [4, 2] }))],
    ['A `Dot` layer should be called on a list of 2 inputs.', () => Dot(1)(Input({ shape: [4] }))],
    ['Invalid format for `axes` - should contain two elements.', () => Dot([1] as never)],
    ['Invalid type for `axes` - should be a list or an int.', () => Dot('1' as never)],
    ['Can not perform batch_dot over axis 0', () => Dot(0)([Input({ shape: [4] }), Input({ shape: [4] })])],
    ['`shared_axes` must be from 1 to 1 for an input of rank 2. Found: 2', () => PReLU({ sharedAxes: [2] })(Input({ shape: [4] }))],
  ])('%s', (message, act) => expect(act).toThrow(message))
})
