/** Keras' own error texts, and those of errors Keras leaves to the layers below; the model stays usable after each. */
import { describe, expect, it } from 'vitest'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { ArgumentTypeError, RuntimeError, ValueError } from '../../runtime/contract/errors.js'
import type { ArrayData } from '../../runtime/contract/fit-types.js'
import type { TargetManifest } from '../../runtime/contract/manifest.js'
import { NDArray } from '../../runtime/ndarray.js'
import { array, FakeModule, fnManifest, moduleManifest, tensor } from './fake-native.js'
import type { FakeFunction } from './fake-native.js'
import { tinyFunctions, tinyManifest, twoModel } from './fake-models.js'
import { goldenText, sharedPresent } from './shared.js'

/** A model of the given inputs and targets whose functions do nothing. */
function shell(inputs: { name: string; size: number }[], targets: Partial<TargetManifest>[]): { model: CompiledModel; check: () => Promise<void> } {
  const ins = inputs.map((i) => tensor(i.name, ['B', i.size]))
  const outs = targets.map((t) => tensor(t.output!, ['B', t.shape![1]!]))
  const train = [...ins, ...targets.map((t) => tensor(`target:${t.output}`, t.shape!, t.dtype)), ...targets.map((t) => tensor(`weight:${t.output}`, ['B']))]
  const functions: FakeFunction[] = [
    { manifest: fnManifest('predict', ins, outs), body: () => undefined },
    { manifest: fnManifest('evaluate', train, [tensor('loss', [])]), body: () => undefined },
    { manifest: fnManifest('trainStep', train, [tensor('loss', [])], ['w']), body: () => undefined },
  ]
  const manifest = moduleManifest('shell', functions, [], {
    inputNames: inputs.map((i) => i.name), outputNames: targets.map((t) => t.output!), metricsNames: ['loss'],
    targets: targets.map((t) => ({ dtype: 'float32', loss: 'mse', kind: 'other', classes: null, output: '', shape: [], ...t })),
  })
  const model = new CompiledModel(new FakeModule(manifest, functions), manifest, { seed: 0 })
  const zeros = { verbose: 0 as const }
  const check = async (): Promise<void> => {
    const x = inputs.map((i) => array([2, i.size])), y = targets.map((t) => array([2, t.shape![1] as number]))
    expect((await model.fit(x, y, zeros)).epoch).toEqual([0])
    await model.predict(x)
  }
  return { model, check }
}

const plain = (): ReturnType<typeof shell> => shell([{ name: 'dense_1_input', size: 3 }], [{ output: 'dense_2', shape: ['B', 2] }])
const pair = (): ReturnType<typeof shell> => shell([{ name: 'input_1', size: 3 }, { name: 'input_2', size: 2 }], [{ output: 'concatenate_1', shape: ['B', 5] }])
const classifier = (): ReturnType<typeof shell> =>
  shell([{ name: 'dense_1_input', size: 3 }], [{ output: 'dense_1', shape: ['B', 4], loss: 'categorical_crossentropy', kind: 'categorical' }])
const sparse = (): ReturnType<typeof shell> =>
  shell([{ name: 'dense_1_input', size: 3 }], [{ output: 'dense_1', shape: ['B', 1], dtype: 'int32', loss: 'sparse_categorical_crossentropy', kind: 'sparse', classes: 3 }])

/** numpy's zeros have 64 bits. */
const zeros = (...shape: number[]): NDArray => NDArray.zeros(shape, 'float64')
const X = zeros(10, 3), Y = zeros(10, 2)
type Case = readonly [what: string, make: () => ReturnType<typeof shell>, act: (m: CompiledModel) => Promise<unknown>]
const cases: Case[] = [
  ['wrong input shape', plain, (m) => m.fit(zeros(10, 5), Y)],
  ['wrong input rank', plain, (m) => m.predict(zeros(10, 3, 1))],
  ['wrong target shape', plain, (m) => m.fit(X, zeros(10, 3))],
  ['numbers of samples differ', plain, (m) => m.fit(X, zeros(8, 2))],
  ['numbers of samples differ between inputs', pair, (m) => m.fit([zeros(4, 3), zeros(5, 2)], zeros(4, 5))],
  ['wrong number of inputs', plain, (m) => m.fit([X, X], Y)],
  ['too few inputs', pair, (m) => m.predict(zeros(4, 3))],
  ['unknown input name in a dict', () => shell([{ name: 'q', size: 3 }], [{ output: 'dense_1', shape: ['B', 2] }]), (m) => m.predict({ r: zeros(4, 3) })],
  ['sparse targets to categorical_crossentropy', classifier, (m) => m.fit(zeros(6, 3), zeros(6, 1))],
  ['targets with another number of columns', classifier, (m) => m.fit(zeros(6, 3), zeros(6, 3))],
  ['sample_weight of the wrong length', plain, (m) => m.fit(X, Y, { sampleWeight: new Float32Array(5).fill(1) })],
  ['sample_weight of rank 2', plain, (m) => m.fit(X, Y, { sampleWeight: zeros(10, 2) })],
  ['class_weight misses a class', sparse, (m) => m.fit(zeros(6, 3), [[0], [1], [2], [0], [1], [2]], { classWeight: { 0: 1, 1: 2 } })],
]

describe.skipIf(!sharedPresent)('messages of Keras', () => {
  type Message = { what: string; raises: string; message: string }
  const messages = sharedPresent ? (JSON.parse(goldenText('messages.json')) as { messages: Message[] }).messages : []
  const wanted = (what: string): Message => messages.find((m) => m.what === what)!

  it.each(cases)('%s', async (what, make, act) => {
    const { model, check } = make()
    await expect(act(model)).rejects.toMatchObject({ name: wanted(what).raises, message: wanted(what).message })
    await check()
  })

  it('fit before compile', async () => {
    const functions = tinyFunctions.slice(0, 1), manifest = tinyManifest({ metricsNames: [], targets: [] }, functions)
    const model = new CompiledModel(new FakeModule(manifest, functions), manifest)
    const { message } = wanted('fit before compile')
    for (const act of [model.fit(X, Y), model.evaluate(X, Y), model.trainOnBatch(X, Y), model.testOnBatch(X, Y)]) {
      await expect(act).rejects.toMatchObject({ name: 'RuntimeError', message })
    }
    expect((await model.predict(X) as NDArray).shape).toEqual([10, 2])
  })

  it('set_weights', () => {
    const { model } = twoModel()
    expect(() => model.setWeights([zeros(3, 2), zeros(1)])).toThrow('You called `set_weights(weights)` on layer "two" with a weight list of length 2, but the layer was expecting 1 weights. Provided weights: [array([[0., 0.],\n       [0., 0.],\n       [0., 0.]...')
    expect(() => model.setWeights([zeros(2, 3)])).toThrow('Layer weight shape (1,) not compatible with provided weight shape (2, 3)')
    expect(() => model.setWeights({ nope: [1] })).toThrow('No such variable: nope. There are: w')
    expect(model.getWeights()[0]!.toNested()).toEqual([0])
  })
})

describe('bad data', () => {
  const refuse = async (make: () => ReturnType<typeof shell>, act: (m: CompiledModel) => Promise<unknown>, type: new (...a: never[]) => Error, message: RegExp): Promise<void> => {
    const { model, check } = make()
    const error: unknown = await act(model).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(type)
    expect((error as Error).message).toMatch(message)
    await check()
  }
  const labels = (...values: number[]): NDArray => new NDArray(Float64Array.from(values), [values.length, 1])

  it.each<readonly [string, () => ReturnType<typeof shell>, (m: CompiledModel) => Promise<unknown>, new (...a: never[]) => Error, RegExp]>([
    ['empty data set', plain, (m) => m.fit(zeros(0, 3), zeros(0, 2)), ValueError, /expected dense_1_input to hold at least one sample, but got array with shape \(0, 3\)/],
    ['empty prediction', plain, (m) => m.predict(new Float32Array(0)), ValueError, /at least one sample/],
    ['flat array of the wrong length', plain, (m) => m.predict(new Float32Array(7)), ValueError, /expected dense_1_input to have shape \(3,\) but got array with shape \(7,\)/],
    ['ragged lists', plain, (m) => m.predict([[1, 2, 3], [1, 2]]), ValueError, /nested lists are not of equal length/],
    ['lists of unequal depth', plain, (m) => m.predict([[1, 2, 3], [1, 2, [3]]] as ArrayData), ValueError, /not of equal depth/],
    ['a string', plain, (m) => m.predict([[1, 2, 'a']] as unknown as ArrayData), ValueError, /expected a number, found string a/],
    ['a number', plain, (m) => m.predict(3 as unknown as ArrayData), ArgumentTypeError, /data should be an array, or list\/dict of arrays. Found: number 3/],
    ['nothing', plain, (m) => m.predict(null as unknown as ArrayData), ValueError, /no data was given. Need data for each key in: \['dense_1_input'\]/],
    ['data that do not fill their shape', plain, (m) => m.predict({ data: new Float32Array(5), shape: [2, 3] }), ValueError, /got 5 elements, which do not fill shape \(2, 3\)/],
    ['an extra name', plain, (m) => m.predict({ dense_1_input: zeros(1, 3), other: zeros(1, 3) }), ValueError, /unknown name "other". Expected data for: \['dense_1_input'\]/],
    ['a label too large', sparse, (m) => m.fit(zeros(3, 3), labels(0, 1, 3)), ValueError, /labels of dense_1 for the loss `sparse_categorical_crossentropy` must be integers in \[0, 3\), but got 3 at element 2/],
    ['a negative label', sparse, (m) => m.fit(zeros(2, 3), new Int32Array([0, -1])), ValueError, /must be integers in \[0, 3\), but got -1 at element 1/],
    ['a label between two classes', sparse, (m) => m.fit(zeros(2, 3), labels(0, 0.5)), ValueError, /for dense_1 expected integers of dtype int32, but got 0.5 at element 1/],
    ['a label that is NaN', sparse, (m) => m.fit(zeros(2, 3), labels(0, NaN)), ValueError, /expected integers of dtype int32, but got NaN at element 1/],
    ['a one-hot target that is NaN', classifier, (m) => m.fit(zeros(1, 3), [[0, NaN, 0, 1]]), ValueError, /targets of dense_1 .* must be numbers, but got nan at element 1/],
    ['64-bit labels out of range', sparse, (m) => m.fit(zeros(1, 3), { data: BigInt64Array.of(2n ** 40n), shape: [1, 1] }), ValueError, /expected integers of dtype int32, but got 1099511627776/],
    ['a sample weight that is not finite', plain, (m) => m.fit(X, Y, { sampleWeight: new Float32Array(10).fill(Infinity) }), ValueError, /weights of dense_2 must be finite, but got Infinity at element 0/],
    ['a class weight that is not finite', sparse, (m) => m.fit(zeros(1, 3), [0], { classWeight: { 0: NaN } }), ValueError, /weight of class 0 of dense_1 must be finite, but got NaN/],
    ['a validation split of 1', plain, (m) => m.fit(X, Y, { validationSplit: 1 }), ValueError, /`validationSplit` must be in \[0, 1\), found 1/],
    ['a validation split that leaves nothing', plain, (m) => m.fit(zeros(1, 3), zeros(1, 2), { validationSplit: 0.5 }), ValueError, /leaves 0 of 1 samples to train on/],
    ['validation data of one item', plain, (m) => m.fit(X, Y, { validationData: [X] as unknown as [NDArray, NDArray] }), ValueError, /it must contain 2 \(x_val, y_val\) or 3 \(x_val, y_val, val_sample_weights\) items, however it contains 1 items/],
    ['a batch size of 0', plain, (m) => m.fit(X, Y, { batchSize: 0 }), ValueError, /`batchSize` must be a positive integer, found 0/],
    ['half an epoch', plain, (m) => m.fit(X, Y, { epochs: 0.5 }), ValueError, /`epochs` must be a non-negative integer, found 0.5/],
    ['weights of an unknown output', plain, (m) => m.fit(X, Y, { sampleWeight: { main: new Float32Array(10) } }), ValueError, /Unknown entry in sample_weight dictionary: "main"/],
  ])('%s', (_what, make, act, type, message) => refuse(make, act, type, message))

  it('two outputs need weights as a list or a dict', async () => {
    const { model } = twoModel()
    const x = [array([2, 3]), new NDArray(new Int32Array(4), [2, 2])], y = [[0, 1], [0, 0]]
    await expect(model.fit(x, y, { sampleWeight: new Float32Array(2) })).rejects.toThrow('The model has multiple outputs, so `sample_weight` should be either a list or a dict. Provided `sample_weight` type not understood: array([0., 0.], dtype=float32)')
    await expect(model.fit(x, y, { sampleWeight: [new Float32Array(2)] })).rejects.toThrow('Provided `sample_weight` was a list of 1 elements, but the model has 2 outputs. You should provide one `sample_weight`array per model output.')
  })

  it('a closed model says so', async () => {
    const { model } = plain()
    await model.close()
    await model.close()
    await expect(model.predict(X)).rejects.toBeInstanceOf(RuntimeError)
    expect(() => model.predictSync(X)).toThrow('has been closed')
    expect(model.closed).toBe(true)
  })
})
