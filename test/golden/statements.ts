/** The failing statements of the vectors in TypeScript, by what they show. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as kcc from '../../compiler/index.js'
import type { Model as KerasModel } from '../../compiler/index.js'
import { deserialize } from '../../compiler/nn/serialization.js'
import type { ArrayData } from '../../runtime/contract/fit-types.js'
import { NDArray } from '../../runtime/index.js'

const { Add, Concatenate, Conv2D, Dense, Embedding, Flatten, Input, Model, Reshape, Sequential, SGD, add, concatenate, loadModel, toCategorical } = kcc

/** A value of a wrong type, as a user without types would pass it. */
export const wrong = (x: unknown): never => x as never
/** numpy's arrays have 64 bits unless told otherwise. */
const zeros = (...shape: number[]): NDArray => NDArray.zeros(shape, 'float64')
const ones = (...shape: number[]): NDArray => new NDArray(zeros(...shape).data.fill(1), shape, 'float64')

/** What must be compiled before it can go wrong. */
export type ModelStatement = { readonly build: () => KerasModel; readonly act: (model: KerasModel) => Promise<unknown> }

const X = zeros(10, 3)
const Y = zeros(10, 2)
const compiled = (model: KerasModel, loss: string): KerasModel => {
  model.compile({ optimizer: 'sgd', loss })
  return model
}
const small = (): KerasModel => compiled(Sequential([Dense(4, { inputShape: [3] }), Dense(2)]), 'mse')
const one = (units: number): KerasModel => Sequential([Dense(units, { inputShape: [3] })])
const classifier = (units: number, loss: string): KerasModel => compiled(Sequential([Dense(units, { activation: 'softmax', inputShape: [3] })]), loss)
function pair(): KerasModel {
  const [a, b] = [Input({ shape: [3] }), Input({ shape: [2] })]
  return Model([a, b], concatenate([a, b]))
}
function named(): KerasModel {
  const a = Input({ shape: [3], name: 'q' })
  return Model(a, Dense(2)(a))
}
function calledTwice(): kcc.Layer {
  const d = Conv2D(2, 3, { name: 'c' })
  d(Input({ shape: [8, 8, 1] }))
  d(Input({ shape: [9, 9, 1] }))
  return d
}
const fit = (x: ArrayData, y: ArrayData, options: Parameters<KerasModel['fit']>[2] = {}) => (model: KerasModel): Promise<unknown> => model.fit(x, y, { verbose: 0, ...options })

export const modelStatements: Readonly<Record<string, ModelStatement>> = {
  'wrong input shape': { build: small, act: fit(zeros(10, 5), Y) },
  'wrong input rank': { build: small, act: (m) => m.predict(zeros(10, 3, 1)) },
  'wrong target shape': { build: small, act: fit(X, zeros(10, 3)) },
  'numbers of samples differ': { build: small, act: fit(X, zeros(8, 2)) },
  'numbers of samples differ between inputs': { build: () => compiled(pair(), 'mse'), act: fit([zeros(4, 3), zeros(5, 2)], zeros(4, 5)) },
  'wrong number of inputs': { build: small, act: fit([X, X], Y) },
  'too few inputs': { build: pair, act: (m) => m.predict(zeros(4, 3)) },
  'unknown input name in a dict': { build: named, act: (m) => m.predict({ r: zeros(4, 3) }) },
  'sparse targets to categorical_crossentropy': { build: () => classifier(4, 'categorical_crossentropy'), act: fit(zeros(6, 3), zeros(6, 1)) },
  'targets with another number of columns': { build: () => classifier(4, 'categorical_crossentropy'), act: fit(zeros(6, 3), zeros(6, 3)) },
  'sample_weight of the wrong length': { build: small, act: fit(X, Y, { sampleWeight: ones(5) }) },
  'sample_weight of rank 2': { build: small, act: fit(X, Y, { sampleWeight: ones(10, 2) }) },
  'class_weight misses a class': {
    build: () => classifier(3, 'sparse_categorical_crossentropy'),
    act: fit(zeros(6, 3), [[0], [1], [2], [0], [1], [2]], { classWeight: { 0: 1, 1: 2 } }),
  },
  'fit before compile': { build: () => one(2), act: fit(zeros(4, 3), zeros(4, 2)) },
}

/** `d` called on two inputs. */
function called(): ReturnType<typeof Dense> {
  const d = Dense(2, { name: 'd' })
  d(Input({ shape: [3] }))
  d(Input({ shape: [3] }))
  return d
}

function twoOutputs(names: readonly (string | null)[] = [null, null]): KerasModel {
  const a = Input({ shape: [3] })
  return Model(a, names.map((name, i) => Dense(i + 1, { name })(a) as ReturnType<typeof Input>))
}

/** Saves the weights of `from` and loads them into `into`. */
async function transfer(from: KerasModel, into: KerasModel, options: { byName?: boolean } = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-golden-'))
  try {
    await from.saveWeights(join(folder, 'w.h5'))
    await into.loadWeights(join(folder, 'w.h5'), options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const built = (): ReturnType<typeof Dense> => {
  const d = Dense(2, { inputShape: [3] })
  Sequential([d])
  return d
}

export const statements: Readonly<Record<string, () => unknown>> = {
  'incompatible rank: Conv2D on 2-D input': () => Conv2D(2, 3)(Input({ shape: [3] })),
  'Embedding with input_length mismatch': () => Embedding(5, 2, { inputLength: 6 })(Input({ shape: [4] })),
  'kernel larger than the input': () => Conv2D(2, 5)(Input({ shape: [2, 2, 1] })),
  'strides and dilation together': () => Conv2D(2, 3, { strides: 2, dilationRate: 2 })(Input({ shape: [8, 8, 1] })),
  'unknown data format': () => Conv2D(2, 3, { dataFormat: wrong('last') }),
  'unknown padding': () => Conv2D(2, 3, { padding: wrong('full') }),
  'layer.input_shape with several shapes': () => calledTwice().inputShape,
  'layer.output_shape with several shapes': () => calledTwice().outputShape,
  'Flatten needs a known shape': () => Flatten()(Input({ shape: [null, 3] })),
  'Flatten on 2-D input': () => Flatten()(Input({ shape: [3] })),
  'Dense needs a known last dimension': () => Dense(2)(Input({ shape: [4, null] })),
  'Reshape to another size': () => Reshape([4, 2])(Input({ shape: [6] })),
  'Concatenate of unequal shapes': () => Concatenate({ axis: 1 })([Input({ shape: [3, 4] }), Input({ shape: [2, 5] })]),
  'Add of unequal shapes': () => Add()([Input({ shape: [3, 4] }), Input({ shape: [2, 5] })]),
  'Add of one input': () => Add()([Input({ shape: [3] })]),
  'Subtract of three inputs': () => kcc.subtract([Input({ shape: [3] }), Input({ shape: [3] }), Input({ shape: [3] })]),
  'Dot of incompatible axes': () => kcc.Dot([2, 2])([Input({ shape: [3, 4] }), Input({ shape: [2, 5] })]),
  'Permute of too few dimensions': () => kcc.Permute([1, 3])(Input({ shape: [3, 4] })),
  'RepeatVector of rank 3': () => kcc.RepeatVector(2)(Input({ shape: [3, 2] })),
  'TimeDistributed on 2-D input': () => kcc.TimeDistributed(Dense(2))(Input({ shape: [3] })),
  'unknown loss': () => one(2).compile({ optimizer: 'sgd', loss: 'msee' }),
  'unknown optimizer': () => one(2).compile({ optimizer: 'sdg', loss: 'mse' }),
  'unknown metric': () => one(2).compile({ optimizer: 'sgd', loss: 'mse', metrics: ['accurracy'] }),
  'unknown activation': () => Dense(2, { activation: 'rellu' }),
  'unknown initializer': () => Dense(2, { kernelInitializer: 'glorot' }),
  'unknown regularizer': () => Dense(2, { kernelRegularizer: 'l3' }),
  'unknown layer in a configuration': () => deserialize({ class_name: 'Dens', config: {} }),
  'unknown keyword argument': () => Dense(2, wrong({ activtion: 'relu' })),
  'predict before build': () => Sequential([Dense(2)]).summary(),
  'first layer is not a layer': () => Sequential().add(wrong(3)),
  'pop of an empty model': () => Sequential().pop(),
  'weights of a model with another number of layers': () => transfer(Sequential([Dense(2, { inputShape: [3] }), Dense(2)]), one(2)),
  'weights of another shape': () => transfer(one(2), one(4)),
  'weights by name of another shape': () =>
    transfer(Sequential([Dense(2, { inputShape: [3], name: 'd' })]), Sequential([Dense(4, { inputShape: [3], name: 'd' })]), { byName: true }),
  'set_weights with too few arrays': () => built().setWeights([zeros(3, 2)]),
  'set_weights of another shape': () => built().setWeights([zeros(2, 3), zeros(2)]),
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
  'loss list of the wrong length': () => twoOutputs().compile({ optimizer: 'sgd', loss: ['mse', 'mse', 'mse'] }),
  'loss of an unknown output name': () => twoOutputs(['p', 'q']).compile({ optimizer: 'sgd', loss: { p: 'mse', r: 'mse' } }),
  'loss_weights of an unknown output name': () => twoOutputs(['p', 'q']).compile({ optimizer: 'sgd', loss: 'mse', lossWeights: { r: 1 } }),
  'no loss': () => one(2).compile({ optimizer: 'sgd', loss: null }),
  'load_model of a file that is not there': () => loadModel('/nonexistent/model.h5'),
  'invalid clip option of an optimizer': () => SGD(wrong({ learning: 0.1 })),
  'to_categorical beyond num_classes': () => toCategorical([0, 1, 5], 3),
}
