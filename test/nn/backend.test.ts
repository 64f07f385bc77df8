/** K functions against the values Keras' backend gave. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as K from '../../compiler/nn/backend.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { readNpz } from '../../compiler/files/npz.js'
import { input } from '../../compiler/ops/build.js'
import { evaluate, golden, hasGolden, toTensor } from './training-shared.js'

type Tensors = Readonly<Record<'x' | 'y' | 'z' | 'y2', KTensor>>

/** What a vector's Python is in TypeScript. */
const cases: Readonly<Record<string, (t: Tensors) => KTensor>> = {
  'K.abs(x)': ({ x }) => K.abs(x),
  'K.square(x)': ({ x }) => K.square(x),
  'K.sqrt(K.abs(x))': ({ x }) => K.sqrt(K.abs(x)),
  'K.exp(x)': ({ x }) => K.exp(x),
  'K.log(K.abs(x) + 0.1)': ({ x }) => K.log(K.add(K.abs(x), 0.1)),
  'K.logsumexp(x, axis=1)': ({ x }) => K.logsumexp(x, 1),
  'K.logsumexp(x, axis=-1, keepdims=True)': ({ x }) => K.logsumexp(x, -1, true),
  'K.sign(x)': ({ x }) => K.sign(x),
  'K.pow(x, 3)': ({ x }) => K.pow(x, 3),
  'K.clip(x, -0.5, 0.7)': ({ x }) => K.clip(x, -0.5, 0.7),
  'K.maximum(x, y)': ({ x, y }) => K.maximum(x, y),
  'K.minimum(x, y)': ({ x, y }) => K.minimum(x, y),
  'K.greater(x, y)': ({ x, y }) => K.greater(x, y),
  'K.greater_equal(x, x)': ({ x }) => K.greaterEqual(x, x),
  'K.less(x, y)': ({ x, y }) => K.less(x, y),
  'K.less_equal(x, y)': ({ x, y }) => K.lessEqual(x, y),
  'K.sum(x)': ({ x }) => K.sum(x),
  'K.sum(x, axis=0)': ({ x }) => K.sum(x, 0),
  'K.sum(x, axis=[0, 1], keepdims=True)': ({ x }) => K.sum(x, [0, 1], true),
  'K.prod(x, axis=-1)': ({ x }) => K.prod(x, -1),
  'K.mean(x, axis=1)': ({ x }) => K.mean(x, 1),
  'K.mean(x)': ({ x }) => K.mean(x),
  'K.std(x, axis=0)': ({ x }) => K.std(x, 0),
  'K.var(x, axis=1, keepdims=True)': ({ x }) => K.variance(x, 1, true),
  'K.max(x, axis=0)': ({ x }) => K.max(x, 0),
  'K.min(x, axis=1)': ({ x }) => K.min(x, 1),
  'K.any(K.greater(x, 1.0), axis=0)': ({ x }) => K.any(K.greater(x, 1), 0),
  'K.all(K.greater(x, -2.0), axis=1)': ({ x }) => K.all(K.greater(x, -2), 1),
  'K.argmax(x, axis=-1)': ({ x }) => K.argmax(x, -1),
  'K.argmin(x, axis=0)': ({ x }) => K.argmin(x, 0),
  'K.dot(x, K.transpose(y))': ({ x, y }) => K.dot(x, K.transpose(y)),
  'K.dot(z, y2)': ({ z, y2 }) => K.dot(z, y2),
  'K.transpose(x)': ({ x }) => K.transpose(x),
  'K.permute_dimensions(z, (2, 0, 1))': ({ z }) => K.permuteDimensions(z, [2, 0, 1]),
  'K.reshape(z, (-1, 4))': ({ z }) => K.reshape(z, [-1, 4]),
  'K.expand_dims(x, 1)': ({ x }) => K.expandDims(x, 1),
  'K.squeeze(K.expand_dims(x, 1), 1)': ({ x }) => K.squeeze(K.expandDims(x, 1), 1),
  'K.stack([x, y], axis=1)': ({ x, y }) => K.stack([x, y], 1),
  'K.concatenate([x, y], axis=0)': ({ x, y }) => K.concatenate([x, y], 0),
  'K.slice(z, [0, 1, 1], [2, 2, 3])': ({ z }) => K.slice(z, [0, 1, 1], [2, 2, 3]),
  'K.flatten(z)': ({ z }) => K.flatten(z),
  'K.batch_flatten(z)': ({ z }) => K.batchFlatten(z),
  'K.l2_normalize(x, axis=1)': ({ x }) => K.l2Normalize(x, 1),
  'K.l2_normalize(x, axis=0)': ({ x }) => K.l2Normalize(x, 0),
  'K.softmax(x)': ({ x }) => K.softmax(x),
  'K.softplus(x)': ({ x }) => K.softplus(x),
  'K.softsign(x)': ({ x }) => K.softsign(x),
  'K.elu(x)': ({ x }) => K.elu(x),
  'K.hard_sigmoid(x)': ({ x }) => K.hardSigmoid(x),
  'K.sigmoid(x)': ({ x }) => K.sigmoid(x),
  'K.tanh(x)': ({ x }) => K.tanh(x),
  'K.relu(x, alpha=0.1, max_value=1.0)': ({ x }) => K.relu(x, { alpha: 0.1, maxValue: 1 }),
  'K.switch(K.greater(x, y), x, y)': ({ x, y }) => K.switchTo(K.greater(x, y), x, y),
  'K.switch(K.greater(K.sum(x), 0.), x, y)': ({ x, y }) => K.switchTo(K.greater(K.sum(x), 0), x, y),
  'K.zeros_like(x)': ({ x }) => K.zerosLike(x),
  'K.ones_like(x)': ({ x }) => K.onesLike(x),
  "K.cast(x > 0, 'float32')": ({ x }) => K.cast(K.greater(x, 0), 'float32'),
  'K.gradients(K.sum(K.square(x) * y), [x])[0]': ({ x, y }) => K.gradients(K.sum(K.multiply(K.square(x), y)), [x])[0]!,
  'K.gradients(K.sum(K.square(K.gradients(K.sum(K.pow(x, 3)), [x])[0])), [x])[0]':
    ({ x }) => K.gradients(K.sum(K.square(K.gradients(K.sum(K.pow(x, 3)), [x])[0]!)), [x])[0]!,
  'K.stop_gradient(x * 2.)': ({ x }) => K.stopGradient(K.multiply(x, 2)),
}

describe.skipIf(!hasGolden)('K functions', () => {
  const file = (name: string): string => join(golden, 'preprocessing', name)
  const { cases: vectors, rtol, atol } = JSON.parse(readFileSync(file('backend.json'), 'utf8')) as { cases: { key: string; python: string }[]; rtol: number; atol: number }
  const arrays = readNpz(readFileSync(file('backend.npz')))
  const names = ['x', 'y', 'z', 'y2'] as const
  const tensors = Object.fromEntries(names.map((name) => [name, new KTensor(input(name, { dtype: 'float32', shape: arrays[`in_${name}`]!.shape }))])) as Tensors
  const values = Object.fromEntries(names.map((name) => [name, toTensor(arrays[`in_${name}`]!)]))

  it.each(Object.keys(cases))('%s', (python) => {
    const vector = vectors.find((v) => v.python === python)
    if (!vector) throw new Error(`no vector for ${python}`)
    const result = cases[python]!(tensors), want = toTensor(arrays[vector.key]!)
    const got = evaluate(result.node, values)
    expect(got.shape).toEqual(want.shape)
    got.data.forEach((value, i) => expect(Math.abs(value - want.data[i]!)).toBeLessThanOrEqual(atol + rtol * Math.abs(want.data[i]!)))
  })
})
