/** How a model uses what runs it: one engine per compile, weights that follow, several models over the same weights. */
import { optimizerSlots } from '../../compiler/nn/optimizer-slots.js'
import { beforeEach, describe, expect, it } from 'vitest'
import type { TypedArray } from '../../runtime/contract/dtype.js'
import { setEngineFactory, type ModelEngine } from '../../compiler/nn/engine.js'
import { Dense, Input } from '../../compiler/nn/layers/index.js'
import { Model, type ModelClass } from '../../compiler/nn/model.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { clearSession } from '../../compiler/nn/session.js'

/** Keeps variables; "training" adds 1 to all of them. */
class CountingEngine implements ModelEngine {
  readonly variables = new Map<string, TypedArray>()
  readonly scalars = new Map<string, number>()
  closed = false
  async fit(): ReturnType<ModelEngine['fit']> {
    for (const v of this.variables.values()) v.forEach((x, i) => { v[i] = x + 1 })
    return { epoch: [0], history: {}, params: { batchSize: 1, epochs: 1, steps: null, samples: 1, verbose: 0, doValidation: false, metrics: [] } }
  }
  async evaluate(): Promise<number> { return 0 }
  async predict(): ReturnType<ModelEngine['predict']> { return [] }
  async trainOnBatch(): Promise<number> { return 0 }
  async testOnBatch(): Promise<number> { return 0 }
  async predictOnBatch(): ReturnType<ModelEngine['predictOnBatch']> { return [] }
  readVariable(name: string): TypedArray { return this.variables.get(name)?.slice() ?? Int32Array.of(0) }
  writeVariable(name: string, value: TypedArray): void { this.variables.set(name, value.slice()) }
  getScalar(name: string): number { return this.scalars.get(name) ?? 0.25 }
  setScalar(name: string, value: number): void { this.scalars.set(name, value) }
  close(): void { this.closed = true }
}

let engines: CountingEngine[] = []
beforeEach(() => {
  clearSession()
  engines = []
  setEngineFactory(async () => {
    engines.push(new CountingEngine())
    return engines.at(-1)!
  })
})

const options = { optimizer: 'sgd', loss: 'mse' }
const firstWeight = (model: ModelClass): number => model.weights[0]!.read()[0]!
const constantDense = (name: string): ReturnType<typeof Dense> => Dense(1, { name, inputShape: [1], kernelInitializer: 'ones' })

describe('a model and its engine', () => {
  it('trains the weights where they are read', async () => {
    const model = Sequential([constantDense('d')])
    model.compile(options)
    await model.fit([[1]], [[1]])
    await model.fit([[1]], [[1]])
    expect(engines).toHaveLength(1)
    expect(firstWeight(model)).toBe(3)
    model.setWeights([[[10]], [0]])
    await model.fit([[1]], [[1]])
    expect(firstWeight(model)).toBe(11)
  })

  it('keeps weights over a new compile', async () => {
    const model = Sequential([constantDense('d')])
    model.compile(options)
    await model.fit([[1]], [[1]])
    model.optimizer.lr = 0.5
    expect(engines[0]!.scalars.get('lr')).toBe(0.5)
    model.compile(options)
    expect(engines[0]!.closed).toBe(true)
    expect(firstWeight(model)).toBe(2)
    await model.fit([[1]], [[1]])
    expect(engines).toHaveLength(2)
    expect(firstWeight(model)).toBe(3)
  })

  it('starts from restored state, until compiled again', async () => {
    const model = Sequential([constantDense('d')])
    model.compile(options)
    const iterations = () => optimizerSlots(model.training!)[0]!
    iterations().write(Int32Array.of(7))
    await model.predict([[1]])
    expect(engines[0]!.variables.get('SGD/iterations:0')).toEqual(Int32Array.of(7))
    model.close()
    expect(engines[0]!.closed).toBe(true)
    await model.predict([[1]])
    expect(engines[1]!.variables.get('SGD/iterations:0')).toEqual(Int32Array.of(7))
    model.compile(options)
    expect(iterations().read()).toEqual(Int32Array.of(0))
  })

  it('shares weights with other models', async () => {
    const shared = constantDense('shared')
    const x = Input({ shape: [1] })
    const [a, b] = [Model(x, shared(x)), Model(x, Dense(1)(shared(x)))]
    a.compile(options)
    b.compile(options)
    await a.fit([[1]], [[1]])
    await b.fit([[1]], [[1]])
    await a.fit([[1]], [[1]])
    expect(shared.weights[0]!.read()[0]).toBe(4)
  })

  it('is built by the first data when no shape was given', async () => {
    const model = Sequential([Dense(2)])
    model.compile(options)
    await model.fit({ data: new Float32Array(12), shape: [4, 3] }, [[1, 1]])
    expect(model.inputs[0]!.shape).toEqual([null, 3])
    expect(model.metricsNames).toEqual(['loss'])
  })

  it('says what is missing', async () => {
    await expect(Sequential([constantDense('d')]).fit([[1]], [[1]])).rejects.toThrow('You must compile a model before training/testing.')
    await expect(Sequential([Dense(2)]).predict(new Float32Array(4))).rejects.toThrow('The shape of the inputs is not known')
  })
})
