/** Everything that has a configuration, found in the registries: configurations, files, and functions of the user's own. */
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadModel } from '../../compiler/files/load.js'
import { saveModel } from '../../compiler/files/save.js'
import * as activations from '../../compiler/nn/activations.js'
import { optionsOfConfig, type TrainingConfig } from '../../compiler/nn/compile.js'
import * as constraints from '../../compiler/nn/constraints.js'
import * as initializers from '../../compiler/nn/initializers.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import { Dense, Lambda } from '../../compiler/nn/layers/index.js'
import { lossDefinitions } from '../../compiler/nn/losses/registry.js'
import type { ModelClass } from '../../compiler/nn/model.js'
import { optimizerSlots } from '../../compiler/nn/optimizer-slots.js'
import { Optimizer } from '../../compiler/nn/optimizers/optimizer.js'
import { optimizerDefinitions } from '../../compiler/nn/optimizers/registry.js'
import * as regularizers from '../../compiler/nn/regularizers.js'
import { deserialize, modelFromConfig } from '../../compiler/nn/serialization.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { clearSession } from '../../compiler/nn/session.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import * as b from '../../compiler/ops/build.js'
import { predictions } from '../nn/layers-shared.js'
import { elementCount } from '../../compiler/ops/strides.js'
import { changedOptions, fillWeights, layerNames, made, modelOf, recordOf, valuesFor } from './every-layer.js'
import { inTemporaryFolder } from './shared.js'

beforeEach(clearSession)

const identity = (x: KTensor): KTensor => x
/** Options with one value that is not refused. */
const single = ['Embedding.maskZero', 'LocallyConnected1D.padding', 'LocallyConnected2D.padding']

describe.each(layerNames())('%s', (name) => {
  const custom = { '<lambda>': identity, identity }

  it('is the same layer from its configuration, whatever its options', () => {
    const variants = [{ option: 'none', options: {} }, ...changedOptions(name)]
    const skipped = Object.keys(recordOf(name)?.options ?? {}).filter((option) => !variants.some((v) => v.option === option) && !required(name, option))
    expect(skipped.filter((option) => !single.includes(`${name}.${option}`)), 'options of which no second value was found').toEqual([])
    if (name === 'Lambda') return
    for (const { option, options } of variants) {
      const layer = made(name, options), config = layer.getConfig()
      const again = deserialize({ class_name: layer.className, config: JSON.parse(JSON.stringify(config)) as object })
      expect(JSON.stringify(again.getConfig()), option).toBe(JSON.stringify(config))
    }
  })

  it('predicts the same after it was saved and loaded', async () => {
    const build = (): ModelClass => modelOf(() => (name === 'Lambda' ? Lambda(identity) : made(name)))
    const model = build()
    fillWeights(model)
    const io = valuesFor(model), wanted = predictions(model, io)
    expect(JSON.stringify(modelFromConfig(JSON.parse(model.toJson()) as object, custom).toJson())).toBe(JSON.stringify(model.toJson()))
    await inTemporaryFolder(async (folder) => {
      await saveModel(model, join(folder, 'm.h5'))
      clearSession() // names of weights are those of a first layer again
      const loaded = await loadModel(join(folder, 'm.h5'), { customObjects: custom, warn: () => undefined })
      expect(loaded.weights.map((w) => [w.name, [...w.read()]])).toEqual(model.weights.map((w) => [w.name, [...w.read()]]))
      expect(predictions(loaded as ModelClass, io)).toEqual(wanted)
    })
  })
})

/** Whether a class has the option by position, with one value that suits every input. */
const required = (className: string, option: string): boolean => recordOf(className)?.positional.includes(option) ?? false

describe('what configurations name', () => {
  const makers = { initializers, regularizers, constraints }
  it.each(Object.entries(makers).flatMap(([kind, module]) => Object.entries(module).filter(([name]) => !/^(get|serialize|deserialize|apply|deferred)/.test(name)).map(([name, make]) => ({ kind: kind as keyof typeof makers, name, make }))))(
    '$kind.$name is the same from its configuration', ({ kind, make }) => {
      const { serialize, deserialize: read } = makers[kind] as { serialize: (f: unknown) => unknown; deserialize: (c: unknown) => unknown }
      const config = serialize((make as () => unknown)())
      expect(config).toMatchObject({ class_name: expect.any(String) as string, config: expect.any(Object) as object })
      expect(serialize(read(JSON.parse(JSON.stringify(config))))).toEqual(config)
    })

  it.each(activations.activationNames)('activation %s has its name', (name) => expect(activations.serialize(activations.get(name))).toBe(name))
})

describe('training', () => {
  const compiled = (optimizer: Optimizer, loss: string): ModelClass => {
    const model = Sequential([Dense(3, { inputShape: [4], name: 'd' })]) as ModelClass
    model.compile({ optimizer, loss, metrics: ['mae'] })
    return model
  }

  it.each(optimizerDefinitions.map((d) => [d.className, d] as const))('%s keeps options and state in files', async (_, definition) => {
    const options = { ...Object.fromEntries(Object.keys(definition.scalars).map((name, i) => [name, 0.125 * (i + 1)])), clipnorm: 2 }
    const model = compiled(new Optimizer(definition, options), 'mse'), slots = optimizerSlots(model.training!)
    slots.forEach((w, i) => w.write(w.dtype === 'int32' ? Int32Array.of(7) : Float32Array.from({ length: w.size }, (__, e) => i + e / 8)))
    await inTemporaryFolder(async (folder) => {
      await saveModel(model, join(folder, 'm.h5'))
      const { training } = await loadModel(join(folder, 'm.h5'))
      expect(training!.optimizer.config()).toEqual(model.training!.optimizer.config())
      expect(optimizerSlots(training!).map((w) => [w.name, w.dtype, w.shape, [...w.read()]])).toEqual(slots.map((w) => [w.name, w.dtype, w.shape, [...w.read()]]))
    })
  })

  it.each(lossDefinitions.flatMap((d) => [d.name, ...d.aliases]))('loss %s', (loss) => {
    const model = compiled(new Optimizer(optimizerDefinitions[0]!), loss), config = model.training!.trainingConfig()
    const again = Sequential([Dense(3, { inputShape: [4], name: 'd' })])
    again.compile(optionsOfConfig(JSON.parse(JSON.stringify(config)) as TrainingConfig))
    expect(again.training!.trainingConfig()).toEqual(config)
  })
})

describe('functions of the user’s own', () => {
  const halved = (x: KTensor) => b.mul(x.node, 0.5)
  const sumOfSquares = (w: KTensor) => b.mul(b.sum(b.mul(w.node, w.node)), 0.1)
  const atMostOne = (w: KTensor) => b.minimum(w.node, 1)
  const counting = (shape: readonly number[]) => ({ data: Float32Array.from({ length: elementCount([...shape]) }, (_, i) => i), shape })
  const distance = (t: KTensor, p: KTensor) => new KTensor(b.mean(b.abs(b.sub(t.node, p.node)), -1))
  const own = { halved, sumOfSquares, atMostOne, counting, distance }
  const build = (): ModelClass => {
    const model = Sequential([Dense(2, { inputShape: [3], activation: halved, kernelInitializer: counting, kernelRegularizer: sumOfSquares, kernelConstraint: atMostOne })]) as ModelClass
    model.compile({ optimizer: 'sgd', loss: distance, metrics: [distance] })
    return model
  }

  it('are written by their names and found in customObjects', async () => {
    const model = build(), config = model.layers[0]!.getConfig()
    expect([config['activation'], config['kernel_initializer'], config['kernel_regularizer'], config['kernel_constraint']]).toEqual(['halved', 'counting', 'sumOfSquares', 'atMostOne'])
    expect(model.training!.trainingConfig()).toMatchObject({ loss: 'distance', metrics: ['distance'] })
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'm.h5')
      await saveModel(model, path)
      const loaded = await loadModel(path, { customObjects: own, warn: () => undefined })
      expect(loaded.layers[0]!.getConfig()).toEqual(config)
      expect(predictions(loaded as ModelClass, valuesFor(model))).toEqual(predictions(model, valuesFor(model)))
      await expect(loadModel(path, { warn: () => undefined })).rejects.toThrow('Unknown activation function:halved')
      await expect(loadModel(path, { customObjects: { ...own, sumOfSquares: undefined }, warn: () => undefined })).rejects.toThrow('Unknown regularizer: sumOfSquares')
    })
  })

  it('do what they say', () => {
    const model = build()
    expect([...model.weights[0]!.read()]).toEqual([0, 1, 2, 3, 4, 5])
    const [y] = predictions(model, { x_0: { dtype: 'float32', shape: [1, 3], data: Float32Array.of(1, 1, 1) } })
    expect([...y!.data]).toEqual([3, 4.5])
    expect(model.runGraph(false).losses).toHaveLength(1)
  })
})

it('every class of the registry is tried', () => expect(layerNames().length).toBe(Object.keys(layerTable).length - 1))
