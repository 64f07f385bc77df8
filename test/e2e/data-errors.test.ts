/** Data that do not fit: a clear error, and the model works on as if nothing had happened. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileAndLoad } from '../../compiler/engine.js'
import { Concatenate, Dense, Input, Model, NDArray } from '../../compiler/index.js'
import type { ArrayData, ArrayResult, EvaluateResult, FitOptions } from '../../compiler/index.js'
import type { CompiledModel } from '../../runtime/index.js'
import { numbers } from './workshop.js'

/** Inputs `left` [4] and `right` [2]; outputs `kind` (3 classes by number), `row` (3 classes one-hot) and `score`. */
function twoInputs(): Model {
  const left = Input({ shape: [4], name: 'left' }), right = Input({ shape: [2], name: 'right' })
  const joined = Concatenate()([left, right])
  const outputs = [Dense(3, { activation: 'softmax', name: 'kind' })(joined), Dense(3, { activation: 'softmax', name: 'row' })(joined), Dense(1, { name: 'score' })(joined)]
  const model = Model({ inputs: [left, right], outputs })
  model.compile({ optimizer: 'adam', loss: { kind: 'sparse_categorical_crossentropy', row: 'categorical_crossentropy', score: 'mse' } })
  return model
}

const shaped = (shape: readonly number[], salt = 0): NDArray => new NDArray(numbers(shape.reduce((a, b) => a * b, 1), salt), shape)
const n = 6
const x = { left: shaped([n, 4]), right: shaped([n, 2], 50) }
const oneHot = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
const y = { kind: Int32Array.of(0, 1, 2, 0, 1, 2), row: oneHot, score: shaped([n, 1], 9) }

/** What a user calls, whether on a model of a script or on a package's. */
type Calls = {
  predict(x: ArrayData): Promise<ArrayResult | ArrayResult[]>
  evaluate(x: ArrayData, y: ArrayData, options?: { verbose: 0 }): Promise<EvaluateResult>
  fit(x: ArrayData, y: ArrayData, options?: FitOptions): Promise<unknown>
  trainOnBatch(x: ArrayData, y: ArrayData): Promise<EvaluateResult>
}

type Bad = readonly [what: string, call: (m: Calls) => Promise<unknown>, message: RegExp]
const quiet = { verbose: 0 } as const
const predicting = (given: unknown) => (m: Calls): Promise<unknown> => m.predict(given as ArrayData)
const training = (targets: unknown, options: FitOptions = {}, inputs: unknown = x) => (m: Calls): Promise<unknown> =>
  m.fit(inputs as ArrayData, targets as ArrayData, { ...quiet, ...options })

const bad: readonly Bad[] = [
  ['a wrong rank', predicting({ ...x, left: shaped([n, 4, 1]) }), /expected left to have 2 dimensions, but got array with shape \(6, 4, 1\)/],
  ['a wrong shape', predicting({ ...x, left: shaped([n, 5]) }), /expected left to have shape \(4,\) but got array with shape \(5,\)/],
  ['a flat array of no whole number of samples', predicting({ ...x, left: new Float32Array(7) }), /expected left to have shape \(4,\)/],
  ['data that do not fill their shape', predicting({ ...x, left: { data: new Float32Array(23), shape: [n, 4] } }), /23 elements, which do not fill shape \(6, 4\)/],
  ['ragged lists', predicting({ left: [[1, 2, 3, 4], [1, 2, 3]], right: [[1, 2], [1, 2]] }), /left|lists/],
  ['texts instead of numbers', predicting({ left: [['1', '2', '3', '4']], right: [[1, 2]] }), /number/],
  ['a text', predicting('left'), /Found: /],
  ['nothing', predicting(undefined), /no data was given. Need data for each key in: \['left', 'right'\]/],
  ['a missing input', predicting({ left: x.left }), /No data provided for "right". Need data for each key in: \['left', 'right'\]/],
  ['an unknown input', predicting({ ...x, middle: x.left }), /unknown name "middle". Expected data for: \['left', 'right'\]/],
  ['too few arrays', predicting([x.left]), /Expected to see 2 array\(s\), but instead got the following list of 1 arrays/],
  ['too many arrays', predicting([x.left, x.right, x.right]), /Expected to see 2 array\(s\), but instead got the following list of 3 arrays/],
  ['inputs of different lengths', predicting({ left: x.left, right: shaped([5, 2]) }), /same number of samples. Got array shapes: \[\(6, 4\), \(5, 2\)\]/],
  ['no samples', predicting({ left: shaped([0, 4]), right: shaped([0, 2]) }), /expected left to hold at least one sample, but got array with shape \(0, 4\)/],
  ['no samples to train on', training({ kind: new Int32Array(0), row: shaped([0, 3]), score: shaped([0, 1]) }, {}, { left: shaped([0, 4]), right: shaped([0, 2]) }), /at least one sample/],
  ['targets of another length', training({ ...y, kind: Int32Array.of(0, 1), row: oneHot.slice(0, 2), score: shaped([2, 1]) }), /Found 6 input samples and 2 target samples/],
  ['a missing target', training({ kind: y.kind, row: y.row }), /No data provided for "score"/],
  ['an unknown target', training({ ...y, skore: y.score }), /unknown name "skore"/],
  ['a label too large', training({ ...y, kind: Int32Array.of(0, 1, 2, 3, 1, 2) }), /the labels of kind .* must be integers in \[0, 3\), but got 3 at element 3/],
  ['a negative label', training({ ...y, kind: Int32Array.of(0, -1, 2, 0, 1, 2) }), /integers in \[0, 3\), but got -1 at element 1/],
  ['a label between two classes', training({ ...y, kind: Float32Array.of(0, 1, 1.5, 0, 1, 2) }), /1\.5 at element 2/],
  ['a NaN label', training({ ...y, kind: Float32Array.of(0, Number.NaN, 2, 0, 1, 2) }), /nan|NaN/],
  ['NaN in one-hot targets', training({ ...y, row: [[Number.NaN, 0, 0], ...oneHot.slice(1)] }), /the targets of row .* must be numbers, but got nan at element 0/],
  ['wrong labels to evaluate', (m) => m.evaluate(x, { ...y, kind: Int32Array.of(9, 1, 2, 0, 1, 2) }, quiet), /but got 9 at element 0/],
  ['wrong labels in a single step', (m) => m.trainOnBatch(x, { ...y, kind: Int32Array.of(9, 1, 2, 0, 1, 2) }), /but got 9 at element 0/],
  ['wrong labels to validate on', training(y, { validationData: [x, { ...y, kind: Int32Array.of(0, 1, 2, 7, 1, 2) }] }), /but got 7 at element 3/],
  ['a batch size of 0', training(y, { batchSize: 0 }), /`batchSize` must be a positive integer, found 0/],
  ['half an epoch', training(y, { epochs: 1.5 }), /`epochs` must be a non-negative integer, found 1\.5/],
  ['a split that leaves nothing', training(y, { validationSplit: 0.99 }), /leaves 0 of 6 samples to train on/],
  ['weights that are not numbers', training(y, { sampleWeight: { kind: new Float32Array(n).fill(Number.NaN) } }), /weights of kind must be finite/],
  ['weights of another length', training(y, { sampleWeight: { kind: new Float32Array(4) } }), /sample_weight array with shape \(4,\)/],
  ['weights for an unknown output', training(y, { sampleWeight: { king: new Float32Array(n) } }), /Unknown entry in sample_weight dictionary: "king"/],
  ['a class without a weight', training(y, { classWeight: { kind: { 0: 1, 1: 1 } } }), /The classes \{2\} exist in the data but not in `class_weight`/],
]

const listOf = (r: ArrayResult | ArrayResult[]): ArrayResult[] => (Array.isArray(r) ? r : [r])
const predictions = async (m: Calls): Promise<number[][]> => listOf(await m.predict(x)).map((a) => Array.from(a.data))

let scripted: Model, compiled: CompiledModel
const subjects: readonly (readonly [string, () => Calls])[] = [['a model of a script', () => scripted], ['a compiled model', () => compiled]]
beforeAll(async () => {
  scripted = twoInputs()
  await scripted.predict(x)
  compiled = await compileAndLoad(scripted)
  compiled.setWeights(scripted.weights.map((w) => ({ data: w.value, shape: w.shape })))
})
afterAll(async () => { scripted.close(); await compiled.close() })

describe.each(subjects)('%s', (_, subject) => {
  let before: number[][]
  beforeAll(async () => { before = await predictions(subject()) })

  test.each(bad)('refuses %s, and predicts as before', async (_what, call, message) => {
    await expect(call(subject())).rejects.toThrow(message)
    expect(await predictions(subject())).toEqual(before)
  })

  test('names errors as Python does', async () => {
    await expect(subject().predict({ left: x.left })).rejects.toMatchObject({ name: 'ValueError' })
    await expect(subject().predict('left' as unknown as ArrayData)).rejects.toMatchObject({ name: 'TypeError' })
  })

  test('trains after all that', async () => {
    await subject().fit(x, y, quiet)
    const after = await predictions(subject())
    expect(after).not.toEqual(before)
    expect(after.flat().every(Number.isFinite)).toBe(true)
  })
})

describe('predictSync', () => {
  test.each(bad.filter(([, call]) => call.length === 1).slice(0, 14))('refuses %s', (_what, call, message) => {
    const sync: Calls = { ...neverCalled, predict: async (given) => compiled.predictSync(given) }
    return expect(call(sync)).rejects.toThrow(message)
  })

  test('refuses a result array of the wrong size or kind', async () => {
    const before = await predictions(compiled)
    const into = (value: unknown): unknown => compiled.predictSync(x, { into: value as Float32Array[] })
    expect(() => into([new Float32Array(1), new Float32Array(18), new Float32Array(6)])).toThrow(/into/)
    expect(() => into([new Int32Array(18), new Float32Array(18), new Float32Array(6)])).toThrow(/into/)
    expect(() => into(new Float32Array(42))).toThrow(/into/)
    expect(await predictions(compiled)).toEqual(before)
  })
})

const neverCalled: Calls = {
  predict: () => Promise.reject(new Error('not this one')), evaluate: () => Promise.reject(new Error('not this one')),
  fit: () => Promise.reject(new Error('not this one')), trainOnBatch: () => Promise.reject(new Error('not this one')),
}

describe('NaN in the data', () => {
  test('of a value loss is carried through, as in Keras, and hurts no other sample', async () => {
    const model = twoInputs()
    const dirty = new NDArray(Float32Array.from(x.left.data, (v, i) => (i === 5 ? Number.NaN : v)), [n, 4])
    const clean = listOf(await model.predict(x)), result = listOf(await model.predict({ ...x, left: dirty }))
    clean.forEach(({ data }, k) => {
      const width = data.length / n
      data.forEach((v, i) => expect(result[k]!.data[i], `output ${k}, element ${i}`).toBe(Math.floor(i / width) === 1 ? Number.NaN : v))
    })
    model.close()
  })
})
