import { describe, expect, it } from 'vitest'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { NDArray } from '../../runtime/ndarray.js'
import { array, FakeModule, fnManifest, moduleManifest, tensor } from './fake-native.js'
import type { FakeFunction } from './fake-native.js'
import { tinyModel, tinyX, tinyY, twoModel } from './fake-models.js'

const quiet = { verbose: 0, batchSize: 8 } as const

describe('predict', () => {
  it('gives the same values by every way', async () => {
    const { model, native } = tinyModel()
    const want = (await model.predict(tinyX) as NDArray).toNested()
    expect((await model.predict(tinyX, { batchSize: 3 }) as NDArray).toNested()).toEqual(want)
    expect((await model.predictOnBatch(tinyX.toNested() as number[][]) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync(tinyX) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync(tinyX.data) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync(tinyX, { batchSize: 7 }) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync({ dense_1_input: tinyX.data }) as NDArray).toNested()).toEqual(want)
    expect(native.plans).toHaveLength(1)
  })

  it('predictSync writes into arrays given to it', () => {
    const { model } = tinyModel(), into = new Float32Array(2)
    const result = model.predictSync(tinyX.data.subarray(0, 3), { into }) as NDArray
    expect(result.data).toBe(into)
    expect(result.shape).toEqual([1, 2])
    expect(into[0]! + into[1]!).toBeCloseTo(1, 6)
    expect(() => model.predictSync(tinyX.data.subarray(0, 3), { into: new Float32Array(3) })).toThrow('`into` must be a Float32Array of 2 elements, found a Float32Array of 3')
    const two = twoModel().model, outputs = [new Float32Array(2), new Float32Array(1)]
    expect((two.predictSync([[[1, 2, 3]], [[4, 5]]], { into: outputs }) as NDArray[]).map((o) => o.data)).toEqual(outputs)
    expect([...outputs[0]!, ...outputs[1]!]).toEqual([1, 3, 9])
    expect(() => two.predictSync([[[1, 2, 3]], [[4, 5]]], { into: new Float32Array(2) })).toThrow('`into` must hold 2 arrays, one per output, found 1')
  })

  it('keeps to the batch size that is built in', async () => {
    const io = [tensor('x', [4, 2])], functions: FakeFunction[] = [{
      manifest: fnManifest('predict', io, [tensor('y', [4, 1])]),
      body: ({ inputs: [x], outputs: [y] }) => { expect(x).toHaveLength(8); for (let n = 0; n < 4; n++) y![n] = x![2 * n]! + x![2 * n + 1]! },
    }]
    const manifest = { ...moduleManifest('fixed', functions, [], { inputNames: ['x'], outputNames: ['y'] }), dims: [] }
    const model = new CompiledModel(new FakeModule(manifest, functions), manifest)
    const x = array([8, 2], (i) => i), want = [[1], [5], [9], [13], [17], [21], [25], [29]]
    expect((await model.predict(x) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync(x) as NDArray).toNested()).toEqual(want)
    expect((model.predictSync(x.data.subarray(0, 8)) as NDArray).toNested()).toEqual(want.slice(0, 4))
    await expect(model.predict(array([6, 2]))).rejects.toThrow('you should only pass inputs with a number of samples that can be divided by the batch size. Found: 6 samples. Batch size: 4.')
    await expect(model.predict(x, { batchSize: 2 })).rejects.toThrow('The `batchSize` argument value 2 is incompatible with the specified batch size of your Input Layer: 4')
    await model.warmup()
  })

  it('warms up inputs of unknown length', async () => {
    const { model, native } = twoModel()
    let calls = 0
    const original = native.callAsync.bind(native)
    native.callAsync = async (...args): Promise<void> => { calls++; expect(args[1][1]).toHaveLength(3); return original(...args) }
    await model.warmup(3)
    expect(calls).toBe(1)
  })
})

describe('overlapping calls', () => {
  it('predictions run side by side, training alone, and nothing is lost', async () => {
    const { model, native } = tinyModel()
    native.batchesPerVisit = 1
    let most = 0
    const watch = setInterval(() => { most = Math.max(most, native.readers) }, 0)
    const results = await Promise.all([
      model.fit(tinyX, tinyY, { ...quiet, epochs: 3, validationSplit: 0.2 }),
      ...Array.from({ length: 20 }, () => model.predict(tinyX)),
      model.evaluate(tinyX, tinyY, { verbose: 0 }), model.trainOnBatch(tinyX, tinyY),
    ])
    clearInterval(watch)
    expect(results).toHaveLength(23)
    expect(native.variables[4]![0]).toBe(3 * 2 + 1)
    expect(most).toBeGreaterThan(1)
  })

  it('a second fit is refused, the first goes on', async () => {
    const { model } = tinyModel()
    const first = model.fit(tinyX, tinyY, quiet)
    await expect(model.fit(tinyX, tinyY, quiet)).rejects.toThrow('This model is already being trained: await the first fit before starting another')
    expect((await first).epoch).toEqual([0])
    expect((await model.fit(tinyX, tinyY, quiet)).epoch).toEqual([0])
  })

  it('weights are not read or set during a step, but in callbacks; predictSync always works', async () => {
    const { model, native } = tinyModel()
    const fit = model.fit(tinyX, tinyY, {
      ...quiet, callbacks: [{ onEpochEnd: () => { model.predictSync(tinyX); model.setWeights(model.getWeights()) } }],
    })
    while (native.writers === 0) await new Promise((resolve) => setImmediate(resolve))
    expect((model.predictSync(tinyX) as NDArray).shape).toEqual([20, 2])
    expect(() => model.getWeights()).toThrow('getWeights is not possible while the model is being trained')
    await fit
    const predicting = model.predict(tinyX)
    expect(() => model.setWeights(model.getWeights())).toThrow('setWeights is not possible while the model is predicting')
    model.predictSync(tinyX)
    await predicting
  })

  it('close waits for calls in progress and ends a fit', async () => {
    const { model, native } = tinyModel()
    native.batchesPerVisit = 1
    const fit = model.fit(tinyX, tinyY, { ...quiet, epochs: 1000 }), prediction = model.predict(tinyX)
    while (native.plans.length < 4) await new Promise((resolve) => setImmediate(resolve))
    await model.close()
    expect(native.closed).toBe(true)
    expect((await prediction as NDArray).shape).toEqual([20, 2])
    await fit.then((h) => expect(h.epoch.length).toBeLessThan(1000), (e: Error) => expect(e.message).toContain('closed'))
  })

  it('an error in native code reaches the caller and leaves the model usable', async () => {
    const { model, native } = tinyModel()
    const loop = native.loop.bind(native)
    native.loop = async () => { throw new Error('native') }
    await expect(model.fit(tinyX, tinyY, quiet)).rejects.toThrow('native')
    native.loop = loop
    expect((await model.fit(tinyX, tinyY, quiet)).epoch).toEqual([0])
  })
})
