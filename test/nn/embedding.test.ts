/** Embedding: indices that are not in the table, shapes, configurations, and weights that are given. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clearSession, Dense, Embedding, Flatten, Input, Lambda, Model, NDArray, Sequential } from '../../compiler/index.js'
import { compileAndLoad } from '../../compiler/engine.js'
import type { KTensor } from '../../compiler/nn/tensor.js'
import { add } from '../../compiler/ops/build.js'
import type { CompiledModel } from '../../runtime/index.js'

const table = [[1, 2], [3, 4], [5, 6]]

/** Two ways to one table: indices as they come, and those computed from them, one higher. */
function twoTables(): Model {
  const words = Input({ shape: [2], name: 'words' })
  const embedding = Embedding(3, 2, { weights: [table], trainable: false, name: 'table' })
  const next = Lambda((x: KTensor) => add(x.node, 1))(words) as KTensor
  const outputs = [embedding(words), Dense(1, { name: 'score' })(Flatten()(embedding(next)))]
  const model = Model({ inputs: words, outputs })
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  return model
}

describe('indices outside the table', () => {
  let model: Model
  let compiled: CompiledModel
  beforeAll(async () => { clearSession(); model = twoTables(); compiled = await compileAndLoad(model) })
  afterAll(() => compiled.close())
  const rows = async (x: number[][]): Promise<number[]> => [...(await model.predict(x) as NDArray[])[0]!.data]
  const y = [NDArray.zeros([1, 2, 2]), NDArray.zeros([1, 1])]
  const wrong = /Error when checking input: the indices of table in words must be in \[0, 3\), but got (3|-1|nan) at element 1/

  it.each([[3], [-1], [NaN]])('%d is refused, and the model goes on', async (bad) => {
    const x = [[0, bad]]
    await expect(model.predict(x)).rejects.toThrow(wrong)
    expect(() => compiled.predictSync(x)).toThrow(wrong)
    expect(() => compiled.predictSync(Float32Array.from(x[0]!))).toThrow(wrong)
    await expect(model.evaluate(x, y, { verbose: 0 })).rejects.toThrow(wrong)
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow(wrong)
    await expect(model.trainOnBatch(x, y)).rejects.toThrow(wrong)
    expect(await rows([[2, 0]])).toEqual([5, 6, 1, 2])
  })

  it('are cut to integers first, as in Keras', async () => {
    expect(await rows([[1.9, -0.5]])).toEqual([3, 4, 1, 2])
  })

  it('give zeros where they are computed', async () => {
    model.getLayer('score').setWeights([[[1], [10], [100], [1000]], [0.5]])
    const [, score] = await model.predict([[0, 2]]) as NDArray[]
    expect([...score!.data]).toEqual([3 + 40 + 0.5])
  })
})

describe('Embedding', () => {
  beforeEach(clearSession)

  it('needs no shape as the first layer', () => {
    const model = Sequential([Embedding(9, 4)])
    expect([model.inputShape, model.outputShape]).toEqual([[null, null], [null, null, 4]])
    expect(Sequential([Embedding(9, 4, { inputLength: 6 })]).outputShape).toEqual([null, 6, 4])
    expect(Sequential([Embedding(9, 4, { inputLength: [6, null] })]).inputShape).toEqual([null, 6, null])
    expect(Sequential([Embedding(9, 4, { batchInputShape: [2, 5] })]).outputShape).toEqual([2, 5, 4])
  })

  it('has the configuration of Keras', () => {
    expect(Embedding(9, 4, { inputLength: 6 }).getConfig()).toEqual({
      name: 'embedding_1', trainable: true, batch_input_shape: [null, 6], dtype: 'float32', input_dim: 9, output_dim: 4,
      embeddings_initializer: { class_name: 'RandomUniform', config: { minval: -0.05, maxval: 0.05, seed: null } },
      embeddings_regularizer: null, activity_regularizer: null, embeddings_constraint: null, mask_zero: false, input_length: 6,
    })
  })

  it('takes weights of its shape', () => {
    const model = Sequential([Embedding(3, 2, { weights: [table] })])
    expect([...model.getWeights()[0]!.data]).toEqual([1, 2, 3, 4, 5, 6])
    expect(() => Sequential([Embedding(4, 2, { weights: [table] })])).toThrow(/\(4, 2\).*\(3, 2\)|\(3, 2\).*\(4, 2\)/)
  })

  it('refuses what it cannot do', () => {
    const x = Input({ shape: [5] })
    expect(() => Embedding(9, 4, { inputLength: 6 })(x)).toThrow('"input_length" is 6, but received input has shape (None, 5)')
    expect(() => Embedding(9, 4, { inputLength: [5, 2] })(x)).toThrow('"input_length" is [5, 2], but received input has shape (None, 5)')
    expect(() => Embedding(9, 4, { maskZero: true })).toThrow('`mask_zero` must be false: layers do not pass on masks yet')
    expect(() => Embedding(0, 4)).toThrow('`input_dim` must be an integer of at least 1. Found: 0')
    expect(() => Embedding(9, 4, { inputLength: 0 })).toThrow('`input_length` must be a positive integer')
  })
})
