/** Keras' own texts for mistakes in layers and models: the statements of the golden cases, without compiled code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { KTensor } from '../../compiler/nn/tensor.js'
import { concatenate, Dense, Flatten, Input } from '../../compiler/nn/layers/index.js'
import { Model } from '../../compiler/nn/model.js'
import { clearSession } from '../../compiler/nn/session.js'
import { mul } from '../../compiler/ops/build.js'
import { statements, wrong } from '../golden/statements.js'
import { golden, hasGolden } from './training-shared.js'

type Message = { what: string; raises: string; message: string; note?: string }
const messages = hasGolden ? (JSON.parse(readFileSync(join(golden, 'text/messages.json'), 'utf8')) as { messages: Message[] }).messages : []

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
    // Below Keras, in TensorFlow, only that there is an error counts.
    if (wanted!.note !== undefined) return
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
