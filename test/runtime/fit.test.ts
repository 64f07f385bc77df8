import { describe, expect, it } from 'vitest'
import { Callback, LambdaCallback } from '../../runtime/callbacks.js'
import type { CallbackHooks, FitOptions, Logs } from '../../runtime/contract/fit-types.js'
import { NDArray } from '../../runtime/ndarray.js'
import { batchPermutation, permutation } from '../../runtime/shuffle.js'
import { array } from './fake-native.js'
import { tinyModel, tinyX, tinyY, twoModel } from './fake-models.js'

const quiet = { verbose: 0, shuffle: false, batchSize: 8 } as const
const q = (n: number): NDArray => new NDArray(new Int32Array(2 * n), [n, 2])

describe('fit', () => {
  it('records validation first, as Keras 2.3 does', async () => {
    const { model } = tinyModel()
    const history = await model.fit(tinyX, tinyY, { ...quiet, epochs: 2, validationSplit: 0.2 })
    expect(Object.keys(history.history)).toEqual(['val_loss', 'val_accuracy', 'loss', 'accuracy'])
    expect(history.epoch).toEqual([0, 1])
    expect(history.params).toMatchObject({ batchSize: 8, epochs: 2, samples: 16, doValidation: true, metrics: ['loss', 'accuracy', 'val_loss', 'val_accuracy'] })
    expect(model.history).toBe(history)
  })

  it('averages the loss by batch size, losses of outputs by batch, weighted metrics by weight', async () => {
    const { model } = twoModel()
    const main = [1, 1, 1, 1, 0], aux = [2, 2, 2, 2, 7], weight = [1, 2, 0, 0, 5]
    const history = await model.fit([array([5, 3]), q(5)], [main, aux], { ...quiet, batchSize: 4, sampleWeight: { main: weight } })
    expect(history.history).toEqual({ loss: [(4 * 3 + 7) / 5], main_loss: [0.5], aux_loss: [4.5], main_accuracy: [0.375] })
    expect(await model.evaluate([array([5, 3]), q(5)], { main, aux }, { verbose: 0, batchSize: 4 })).toEqual([3.8, 0.5, 4.5, Math.fround(0.8)])
  })

  it('reports metrics in float32 and the loss in double', async () => {
    const { model } = tinyModel()
    const { history } = await model.fit(tinyX, tinyY, { ...quiet, batchSize: 7 })
    expect(history['accuracy']![0]).toBe(Math.fround(history['accuracy']![0]!))
    expect(history['loss']![0]).not.toBe(Math.fround(history['loss']![0]!))
  })

  it('gives the same weights in one visit to native code as in many', async () => {
    const results = await Promise.all([Infinity, 1, 2].map(async (batches) => {
      const { model, native } = tinyModel()
      native.batchesPerVisit = batches
      await model.fit(tinyX, tinyY, { verbose: 0, batchSize: 8, epochs: 3 })
      return { weights: model.getWeights().map((w) => w.toNested()), visits: native.plans.length }
    }))
    expect(results.map((r) => r.visits)).toEqual([3, 9, 6])
    expect(results[1]!.weights).toEqual(results[0]!.weights)
    expect(results[2]!.weights).toEqual(results[0]!.weights)
  })

  it('runs whole epochs in native code unless a callback asks for batches', async () => {
    const { model, native } = tinyModel()
    await model.fit(tinyX, tinyY, { ...quiet, callbacks: [{ onEpochEnd: () => undefined }, new Callback()] })
    expect(native.plans).toHaveLength(1)
    expect(native.plans[0]).toMatchObject({ firstBatch: 0, lastBatch: 3, samples: 20, batchSize: 8, batchDim: 0, scalarOutputs: 2, order: null })
    await model.fit(tinyX, tinyY, { ...quiet, callbacks: [{ onTrainBatchEnd: () => undefined }] })
    expect(native.plans).toHaveLength(4)
  })

  it('splits by Keras\' arithmetic and applies class and sample weights before', async () => {
    const { model, native } = tinyModel()
    const sampleWeight = Float32Array.from({ length: 10 }, (_, i) => i)
    await model.fit(tinyX.rows(0, 10), tinyY.rows(0, 10), { ...quiet, validationSplit: 0.33, sampleWeight, classWeight: { 0: 2, 1: 3 } })
    const [train, validation] = native.plans
    expect([train!.samples, validation!.samples]).toEqual([6, 4])
    const factor = (i: number): number => (tinyY.at(i, 1) > tinyY.at(i, 0) ? 3 : 2)
    expect([...train!.inputs[2]!.data, ...validation!.inputs[2]!.data]).toEqual(Array.from({ length: 10 }, (_, i) => i * factor(i)))
    expect(train!.inputs[0]!.data.buffer).toBe(tinyX.data.buffer)
  })

  it('starts at initialEpoch and validates as often as asked', async () => {
    const { model } = tinyModel()
    const history = await model.fit(tinyX, tinyY, { ...quiet, initialEpoch: 1, epochs: 5, validationData: [tinyX, tinyY, new Float32Array(20).fill(2)], validationFreq: 2 })
    expect(history.epoch).toEqual([1, 2, 3, 4])
    expect(history.history['val_loss']).toHaveLength(2)
    const listed = await model.fit(tinyX, tinyY, { ...quiet, epochs: 3, validationData: [tinyX, tinyY], validationFreq: [1, 3] })
    expect(listed.history['val_loss']).toHaveLength(2)
    expect((await model.fit(tinyX, tinyY, { ...quiet, epochs: 0 })).epoch).toEqual([])
  })

  it('may be given more epochs than there will ever be, for a callback to stop it', async () => {
    for (const validationFreq of [1, [1, 2, 1e9]]) {
      const { model, native } = tinyModel()
      const stop: CallbackHooks = { onEpochEnd: (epoch) => { model.stopTraining = epoch === 1 } }
      expect((await model.fit(tinyX, tinyY, { ...quiet, epochs: 1e9, validationData: [tinyX, tinyY], validationFreq, callbacks: [stop] })).epoch).toEqual([0, 1])
      expect(native.plans.map(({ data }) => data > 0)).toEqual([true, true, true, true])
    }
  })

  const kept: readonly (readonly [what: string, options: FitOptions, training: boolean, validation: boolean])[] = [
    ['one epoch', { epochs: 1 }, false, false],
    ['one epoch that is left', { initialEpoch: 4, epochs: 5, validationFreq: 5 }, false, false],
    ['several', { epochs: 2 }, true, true],
    ['one validation', { epochs: 3, validationFreq: 2 }, true, false],
    ['one validation after those before', { initialEpoch: 2, epochs: 4, validationFreq: 2 }, true, false],
    ['two validations', { initialEpoch: 1, epochs: 4, validationFreq: 2 }, true, true],
    ['one of those listed', { initialEpoch: 1, epochs: 3, validationFreq: [1, 3, 4] }, true, false],
    ['one that is listed twice', { epochs: 3, validationFreq: [2, 2] }, true, false],
    ['two of those listed', { epochs: 3, validationFreq: [3, 1] }, true, true],
  ]
  it.each(kept)('lets a device keep data that are gone over more than once: %s', async (_what, options, training, validation) => {
    const { model, native } = tinyModel()
    await model.fit(tinyX, tinyY, { ...quiet, validationData: [tinyX.rows(0, 8), tinyY.rows(0, 8)], ...options })
    const numbersOf = (samples: number): ReadonlySet<number> => new Set(native.plans.filter((plan) => plan.samples === samples).map(({ data }) => data))
    expect([...numbersOf(20), ...numbersOf(8)].map((number) => number > 0)).toEqual([training, validation])
  })

  it('shuffles by seed, every epoch anew', async () => {
    const orders = async (seed: number): Promise<number[][]> => {
      const { model, native } = tinyModel({ seed })
      await model.fit(tinyX, tinyY, { verbose: 0, epochs: 2 })
      return native.plans.map((p) => [...p.order!])
    }
    const [first, again, other] = [await orders(5), await orders(5), await orders(6)]
    expect(first).toEqual(again)
    expect(first[0]).not.toEqual(first[1])
    expect(first).not.toEqual(other)
    for (const order of first) expect([...order].sort((a, b) => a - b)).toEqual([...Array(20).keys()])
  })

  it('accepts nested lists, dicts, 64-bit integers and booleans', async () => {
    const { model } = twoModel()
    const a = [[1, 2, 3], [4, 5, 6]], tokens = { data: BigInt64Array.of(1n, 2n, 3n, 4n), shape: [2, 2] }
    const [main, aux] = await model.predict({ q: tokens, a }) as NDArray[]
    expect([main!.toNested(), aux!.toNested()]).toEqual([[[1, 3], [4, 6]], [[3], [7]]])
    const flags = await model.predict([[[true, false, true]], [[1]]]) as NDArray[]
    expect(flags[0]!.toNested()).toEqual([[1, 1]])
    await expect(model.predict([array([2, 3]), q(3)])).rejects.toThrow('All input arrays (x) should have the same number of samples. Got array shapes: [(2, 3), (3, 2)]')
  })
})

describe('permutations', () => {
  it('hold every sample once and are uniform enough', () => {
    const counts = Array.from({ length: 5 }, () => new Array<number>(5).fill(0))
    for (let draw = 0; draw < 2000; draw++) permutation(5, 1, draw).forEach((v, i) => { counts[i]![v]!++ })
    for (const row of counts) for (const n of row) expect(Math.abs(n - 400)).toBeLessThan(90)
    expect([...permutation(0, 1, 0)]).toEqual([])
  })

  it('of batches keep each batch together and the rest at the end', () => {
    const order = [...batchPermutation(11, 3, 7, 0)]
    expect(order.slice(9)).toEqual([9, 10])
    expect([0, 3, 6].map((i) => order[i]! % 3)).toEqual([0, 0, 0])
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(11).keys()])
  })
})

describe('callbacks', () => {
  it('are called in Keras\' order with Keras\' logs', async () => {
    const { model } = tinyModel(), seen: string[] = []
    const note = (name: string) => (...args: unknown[]): void => {
      const logs = args.at(-1) as Logs
      seen.push(`${name}${args.length > 1 ? ` ${String(args[0])}` : ''} ${Object.keys(logs).join(',')}`)
    }
    const hooks = ['onTrainBegin', 'onTrainEnd', 'onEpochBegin', 'onEpochEnd', 'onBatchBegin', 'onBatchEnd', 'onTestBegin', 'onTestEnd', 'onTestBatchBegin', 'onTestBatchEnd'] as const
    const callback = Object.fromEntries(hooks.map((h) => [h, note(h)])) as CallbackHooks
    await model.fit(tinyX, tinyY, { ...quiet, batchSize: 16, validationSplit: 0.1, callbacks: [callback] })
    expect(seen).toEqual([
      'onTrainBegin ', 'onEpochBegin 0 ', 'onBatchBegin 0 batch,size', 'onBatchEnd 0 batch,size,loss,accuracy', 'onBatchBegin 1 batch,size', 'onBatchEnd 1 batch,size,loss,accuracy',
      'onTestBegin ', 'onTestBatchBegin 0 batch,size', 'onTestBatchEnd 0 batch,size,loss,accuracy', 'onTestEnd ',
      'onEpochEnd 0 val_loss,val_accuracy,loss,accuracy', 'onTrainEnd ',
    ])
  })

  it('see the loss of the batch and the running value of metrics', async () => {
    const { model } = tinyModel(), logs: Logs[] = []
    await model.fit(tinyX, tinyY, { ...quiet, callbacks: [{ onBatchEnd: (_b, l) => { logs.push({ ...l }) } }] })
    expect(logs.map((l) => l['size'])).toEqual([8, 8, 4])
    const { history } = model.history!
    expect(logs[2]!['accuracy']).toBe(history['accuracy']![0])
    expect((8 * logs[0]!['loss']! + 8 * logs[1]!['loss']! + 4 * logs[2]!['loss']!) / 20).toBeCloseTo(history['loss']![0]!, 12)
  })

  it('know model and params, may be async, and what they add to the logs is recorded', async () => {
    class AddRate extends Callback<ReturnType<typeof tinyModel>['model']> {
      override async onEpochEnd(_epoch: number, logs: Logs): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 2))
        logs['lr'] = this.model.getScalar('lr')
        this.model.setScalar('lr', 0.5)
        expect(this.params.epochs).toBe(2)
      }
    }
    const { model } = tinyModel(), lambda: number[] = []
    const { history } = await model.fit(tinyX, tinyY, { ...quiet, epochs: 2, callbacks: [new AddRate(), new LambdaCallback({ onEpochBegin: (e) => { lambda.push(e) } })] })
    expect(history['lr']).toEqual([0.01, 0.5])
    expect(lambda).toEqual([0, 1])
  })

  it('stop training after the epoch, or after the batch', async () => {
    const { model, native } = tinyModel()
    const after = await model.fit(tinyX, tinyY, { ...quiet, epochs: 9, callbacks: [{ onEpochEnd: (e) => { model.stopTraining = e === 1 } }] })
    expect(after.epoch).toEqual([0, 1])
    native.plans.length = 0
    const during = await model.fit(tinyX, tinyY, { ...quiet, epochs: 9, validationSplit: 0.1, callbacks: [{ onBatchEnd: () => { model.stopTraining = true } }] })
    expect(during.epoch).toEqual([0])
    expect(Object.keys(during.history)).toEqual(['loss', 'accuracy'])
    expect(native.plans).toHaveLength(1)
  })

  it('prefer onTrainBatchEnd to its alias; methods of the base class do not ask for batches', async () => {
    const { model } = tinyModel(), seen: string[] = []
    await model.fit(tinyX, tinyY, { ...quiet, batchSize: 20, callbacks: [{ onBatchEnd: () => { seen.push('alias') }, onTrainBatchEnd: () => { seen.push('train') } }] })
    expect(seen).toEqual(['train'])
  })

  it('that throw reject fit and leave the model usable', async () => {
    const { model } = tinyModel()
    const failing: CallbackHooks[] = [{ onBatchEnd: () => { throw new Error('mine') } }, { onEpochEnd: async () => { throw new Error('mine') } }, { onTrainBegin: () => { throw new Error('mine') } }]
    for (const callback of failing) {
      await expect(model.fit(tinyX, tinyY, { ...quiet, callbacks: [callback] })).rejects.toThrow('mine')
      expect((await model.fit(tinyX, tinyY, quiet)).epoch).toEqual([0])
    }
  })

  it('of evaluate and predict', async () => {
    const { model } = tinyModel(), seen: string[] = []
    const callback: CallbackHooks = {
      onTestBegin: () => { seen.push('test') }, onTestBatchEnd: (b) => { seen.push(`test ${b}`) },
      onPredictBegin: () => { seen.push('predict') }, onPredictBatchBegin: (b, l) => { seen.push(`predict ${b} ${l['size']}`) }, onPredictEnd: () => { seen.push('end') },
    }
    await model.evaluate(tinyX, tinyY, { batchSize: 16, verbose: 0, callbacks: [callback] })
    await model.predict(tinyX, { batchSize: 16, callbacks: [callback] })
    expect(seen).toEqual(['test', 'test 0', 'test 1', 'predict', 'predict 0 16', 'predict 1 4', 'end'])
  })
})

describe('single batches', () => {
  it('train, test and predict', async () => {
    const { model, native } = tinyModel()
    const before = await model.testOnBatch(tinyX, tinyY) as number[]
    const trained = await model.trainOnBatch(tinyX, tinyY) as number[]
    expect(trained).toEqual(before)
    expect((await model.testOnBatch(tinyX, tinyY) as number[])[0]).toBeLessThan(before[0]!)
    expect(native.variables[4]![0]).toBe(1)
    expect((await model.predictOnBatch(tinyX) as NDArray).shape).toEqual([20, 2])
  })

  it('continue the running metrics when asked', async () => {
    const { model } = twoModel()
    const x = [array([1, 3]), q(1)]
    await model.testOnBatch(x, [[1], [0]])
    expect(await model.testOnBatch(x, [[0], [0]], { resetMetrics: false })).toEqual([0, 0.5, 0, 0.5])
    expect(await model.testOnBatch(x, [[0], [0]])).toEqual([0, 0, 0, 0])
  })
})
