/** K functions against the values Keras' backend gave. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as K from '../../compiler/nn/backend.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { readNpz } from '../../compiler/files/npz.js'
import { input } from '../../compiler/ops/build.js'
import { backendFunctions, backendInputs, type BackendTensors } from '../golden/backend-functions.js'
import { evaluate, golden, hasGolden, toTensor } from './training-shared.js'

describe.skipIf(!hasGolden)('K functions', () => {
  const file = (name: string): string => join(golden, 'preprocessing', name)
  const { cases: vectors, rtol, atol } = JSON.parse(readFileSync(file('backend.json'), 'utf8')) as { cases: { key: string; python: string }[]; rtol: number; atol: number }
  const arrays = readNpz(readFileSync(file('backend.npz')))
  const tensors = Object.fromEntries(backendInputs.map((name) => [name, new KTensor(input(name, { dtype: 'float32', shape: arrays[`in_${name}`]!.shape }))])) as BackendTensors
  const values = Object.fromEntries(backendInputs.map((name) => [name, toTensor(arrays[`in_${name}`]!)]))

  it.each(Object.keys(backendFunctions))('%s', (python) => {
    const vector = vectors.find((v) => v.python === python)
    if (!vector) throw new Error(`no vector for ${python}`)
    const result = backendFunctions[python]!(tensors), want = toTensor(arrays[vector.key]!)
    const got = evaluate(result.node, values)
    expect(got.shape).toEqual(want.shape)
    got.data.forEach((value, i) => expect(Math.abs(value - want.data[i]!)).toBeLessThanOrEqual(atol + rtol * Math.abs(want.data[i]!)))
  })
})

it('the mean of a bool tensor is how often it holds, as in Keras', () => {
  const x = new KTensor(input('x', { dtype: 'float32', shape: [4] }))
  const values = { x: { shape: [4], data: Float64Array.of(-1, 2, 3, 4) } }
  expect([...evaluate(K.mean(K.greater(x, 0)).node, values).data]).toEqual([0.75])
  expect([...evaluate(K.variance(K.greater(x, 0)).node, values).data]).toEqual([0.1875])
})
