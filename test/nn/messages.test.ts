/** Keras' own texts for mistakes in layers and models. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { KTensor } from '../../compiler/nn/tensor.js'
import { Add, add, Concatenate, concatenate, Dense, Flatten, Input, Reshape } from '../../compiler/nn/layers/index.js'
import { Model, type ModelClass } from '../../compiler/nn/model.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { deserialize } from '../../compiler/nn/serialization.js'
import { clearSession } from '../../compiler/nn/session.js'
import { mul } from '../../compiler/ops/build.js'
import { golden, hasGolden } from './training-shared.js'

type Message = { what: string; raises: string; message: string }
const messages = hasGolden ? (JSON.parse(readFileSync(join(golden, 'text/messages.json'), 'utf8')) as { messages: Message[] }).messages : []

/** A value of a wrong type, as a user without types would pass it. */
const wrong = (x: unknown): never => x as never
const zeros = (...shape: number[]): { data: Float64Array; shape: number[] } => ({ data: new Float64Array(shape.reduce((a, b) => a * b, 1)), shape })
const small = (): ModelClass => Sequential([Dense(4, { inputShape: [3] }), Dense(2)])

/** `d` called on two inputs. */
function called(): ReturnType<typeof Dense> {
  const d = Dense(2, { name: 'd' })
  d(Input({ shape: [3] }))
  d(Input({ shape: [3] }))
  return d
}

/** By `what` of the vector: the same statement in kcc. */
const statements: Record<string, () => unknown> = {
  'Flatten needs a known shape': () => Flatten()(Input({ shape: [null, 3] })),
  'Flatten on 2-D input': () => Flatten()(Input({ shape: [3] })),
  'Dense needs a known last dimension': () => Dense(2)(Input({ shape: [4, null] })),
  'Reshape to another size': () => Reshape([4, 2])(Input({ shape: [6] })),
  'Concatenate of unequal shapes': () => Concatenate({ axis: 1 })([Input({ shape: [3, 4] }), Input({ shape: [2, 5] })]),
  'Add of unequal shapes': () => Add()([Input({ shape: [3, 4] }), Input({ shape: [2, 5] })]),
  'Add of one input': () => Add()([Input({ shape: [3] })]),
  'unknown loss': () => Sequential([Dense(2, { inputShape: [3] })]).compile({ optimizer: 'sgd', loss: 'msee' }),
  'unknown optimizer': () => Sequential([Dense(2, { inputShape: [3] })]).compile({ optimizer: 'sdg', loss: 'mse' }),
  'unknown metric': () => Sequential([Dense(2, { inputShape: [3] })]).compile({ optimizer: 'sgd', loss: 'mse', metrics: ['accurracy'] }),
  'unknown activation': () => Dense(2, { activation: 'rellu' }),
  'unknown initializer': () => Dense(2, { kernelInitializer: 'glorot' }),
  'unknown regularizer': () => Dense(2, { kernelRegularizer: 'l3' }),
  'unknown layer in a configuration': () => deserialize({ class_name: 'Dens', config: {} }),
  'unknown keyword argument': () => Dense(2, wrong({ activtion: 'relu' })),
  'unknown data format': () => Flatten({ dataFormat: 'last' }),
  'fit before compile': () => Sequential([Dense(2, { inputShape: [3] })]).fit(zeros(4, 3), zeros(4, 2)),
  'predict before build': () => Sequential([Dense(2)]).summary(),
  'first layer is not a layer': () => Sequential().add(wrong(3)),
  'pop of an empty model': () => Sequential().pop(),
  'set_weights with too few arrays': () => {
    const d = Dense(2, { inputShape: [3] })
    Sequential([d])
    d.setWeights([zeros(3, 2)])
  },
  'set_weights of another shape': () => {
    const d = Dense(2, { inputShape: [3] })
    Sequential([d])
    d.setWeights([zeros(2, 3), zeros(2)])
  },
  'layer.output with several nodes': () => called().output,
  'layer.input with several nodes': () => called().input,
  'layer.output of a layer never called': () => Dense(2, { name: 'd' }).output,
  'get_output_at beyond the nodes': () => {
    const d = Dense(2, { name: 'd' })
    d(Input({ shape: [3] }))
    return d.getOutputAt(1)
  },
  'get_layer of an unknown name': () => small().getLayer('nope'),
  'get_layer beyond the end': () => small().getLayer(7),
  'get_layer without arguments': () => small().getLayer(),
  'duplicate layer names': () => {
    const a = Input({ shape: [3] })
    return Model(a, Dense(2, { name: 'd' })(Dense(2, { name: 'd' })(a)))
  },
  'disconnected graph': () => {
    const [a, b] = [Input({ shape: [3], name: 'a' }), Input({ shape: [3], name: 'b' })]
    return Model(a, add([a, b]))
  },
  'non-tensor input of a layer': () => Dense(2)(wrong(zeros(2, 3))),
  'loss list of the wrong length': () => {
    const a = Input({ shape: [3] })
    Model(a, [Dense(1)(a), Dense(2)(a)]).compile({ optimizer: 'sgd', loss: ['mse', 'mse', 'mse'] })
  },
  'loss of an unknown output name': () => {
    const a = Input({ shape: [3] })
    Model(a, [Dense(1, { name: 'p' })(a), Dense(2, { name: 'q' })(a)]).compile({ optimizer: 'sgd', loss: { p: 'mse', r: 'mse' } })
  },
  'no loss': () => Sequential([Dense(2, { inputShape: [3] })]).compile({ optimizer: 'sgd', loss: null }),
}

const attempt = async (statement: () => unknown): Promise<Error> => {
  try {
    await statement()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}

beforeEach(clearSession)

describe.skipIf(!hasGolden)('messages of Keras', () => {
  it.each(Object.entries(statements))('%s', async (what, statement) => {
    const wanted = messages.find((m) => m.what === what)
    expect(wanted, `no vector "${what}"`).toBeDefined()
    const error = await attempt(statement)
    expect(error.message).toBe(wanted!.message)
    expect(error.name).toBe(wanted!.raises)
  })
})

describe('mistakes', () => {
  it('name the user\'s line', async () => {
    const error = await attempt(() => Flatten()(Input({ shape: [3] })))
    expect(error).toHaveProperty('location.file', import.meta.filename)
  })

  it('refuse a tensor that no layer made as an output', () => {
    const a = Input({ shape: [3] })
    expect(() => Model(a, new KTensor(mul(a.node, a.node)))).toThrow('Output tensors to a Model must be the output of a Keras `Layer` (thus holding past layer metadata). Found: Tensor("Mul:0", shape=(?, 3), dtype=float32)')
  })

  it('refuse inputs that are not Input tensors', () => {
    const a = Input({ shape: [3] })
    const h = Dense(2)(a)
    expect(() => Model(h, Dense(1)(h))).toThrow('Input layers to a `Model` must be `InputLayer` objects.')
    expect(() => Model([a, a], h)).toThrow('The list of inputs passed to the model is redundant.')
  })

  it('refuse sizes that no layer can have', () => {
    expect(() => Dense(0)).toThrow('`units` must be an integer of at least 1. Found: 0')
    expect(() => Dense(wrong(undefined))).toThrow("Dense() missing required argument: 'units'")
    expect(() => Dense(2, wrong('relu'))).toThrow('Dense() takes its options in one object')
    expect(() => concatenate([Input({ shape: [3] })])).toThrow('A `Concatenate` layer should be called on a list of at least 2 inputs')
  })
})
