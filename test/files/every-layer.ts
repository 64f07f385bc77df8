/** One small model for each class in the registry of layers, and one for each of its options: found, not listed. */
import type { JsonObject } from '../../compiler/nn/configured.js'
import { layerTable } from '../../compiler/nn/layer-table.js'
import type { Layer, Tensors } from '../../compiler/nn/layer.js'
import { Dense, Input, Lambda, TimeDistributed } from '../../compiler/nn/layers/index.js'
import { Model, type ModelClass } from '../../compiler/nn/model.js'
import type { AnyOption } from '../../compiler/nn/option.js'
import { Sequential } from '../../compiler/nn/sequential.js'
import { clearSession } from '../../compiler/nn/session.js'
import type { KTensor } from '../../compiler/nn/tensor.js'
import { elementCount } from '../../compiler/ops/strides.js'
import { randomSource } from '../ops/values.js'

type Record = { readonly positional: readonly string[]; readonly options: Readonly<{ [name: string]: AnyOption }> }
type Options = Readonly<{ [name: string]: unknown }>

export const recordOf = (className: string): Record | null => {
  const found = layerTable[className] as unknown as { readonly record?: Record }
  return found.record ?? null
}

/** Values of required options, by their names. */
const required: Options = {
  units: 3, filters: 2, kernelSize: 2, rate: 0.25, stddev: 0.5, n: 2, dims: [2, 1], targetShape: [2, -1], axes: 1, activation: 'tanh', inputDim: 7, outputDim: 3,
}

/** Layers that are not made of a record. */
const others: Readonly<{ [className: string]: () => Layer }> = {
  Lambda: () => Lambda((x: KTensor) => x),
  TimeDistributed: () => TimeDistributed(Dense(3)),
  Model: () => { const x = Input({ shape: [4] }); return Model(x, Dense(3)(x)) },
  Sequential: () => Sequential([Dense(3, { inputShape: [4] })]),
}

/** A layer of the class. @throws Error for a class or a required option of which nothing is known here. */
export function made(className: string, options: Options = {}): Layer {
  const record = recordOf(className)
  if (!record) return (others[className] ?? unknownClass(className))()
  const leading = record.positional.map((name) => (name in options ? options[name] : name in required ? required[name] : unknownClass(`${className}, option ${name}`)))
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !record.positional.includes(name)))
  return (layerTable[className] as unknown as (...args: unknown[]) => Layer)(...leading, rest)
}

function unknownClass(what: string): never { throw new Error(`give a sample of ${what} in test/files/every-layer.ts`) }

const samples: readonly number[][] = [[4], [6, 4], [6, 6, 4], [5, 4, 6, 2]]

/** A model of the layer alone, over the first shape of a sample that it takes; or over two such inputs. */
export function modelOf(layer: () => Layer): ModelClass {
  const errors: unknown[] = []
  for (const shape of samples) {
    for (const count of [1, 2]) {
      clearSession()
      const dtype = recordOf(layer().className)?.options['embeddingsInitializer'] ? 'int32' : 'float32'
      const inputs = Array.from({ length: count }, () => Input({ shape, dtype }))
      try { return Model(inputs, layer()(inputs.length === 1 ? inputs[0]! : (inputs as Tensors))) } catch (error) { errors.push(error) }
    }
  }
  throw new Error(`no shape of a sample suits the layer: ${errors.map(String).join('; ')}`)
}

/** Every class that is called on tensors. */
export const layerNames = (): string[] => Object.keys(layerTable).filter((name) => name !== 'InputLayer')

const candidates: readonly unknown[] = [
  true, false, 2, 0.5, 1, 3, [2, 1], [1, 2], 'same', 'causal', 'channels_first', 'bilinear', 'relu', 'ones', { class_name: 'L1L2', config: { l1: 0, l2: 0.25 } }, 'non_neg', [[1, 2], [0, 1]],
  [[1, 2], [0, 1], [1, 1]], [1], [null, 1], 'he_normal', 'batch',
]

/** For each option the first value that a layer of the class takes and that its configuration shows. */
export function changedOptions(className: string): { readonly option: string; readonly options: Options; readonly config: JsonObject }[] {
  const record = recordOf(className)
  if (!record) return []
  const usual = configText(made(className).getConfig())
  return Object.keys(record.options).flatMap((option) => {
    for (const value of candidates) {
      const options = { [option]: value, ...(option === 'outputPadding' ? { strides: 3 } : {}) }
      try {
        const config = made(className, options).getConfig()
        if (configText(config) !== usual && configText(config) !== configText(made(className, { ...options, [option]: required[option] ?? record.options[option]!.fallback }).getConfig())) return [{ option, options, config }]
      } catch { /* not a value of this option */ }
    }
    return []
  })
}

const configText = ({ name: _, ...config }: JsonObject): string => JSON.stringify(config)

/** Weights that no initializer gives; positive, as a variance must be. */
export function fillWeights(model: ModelClass): void {
  const random = randomSource(3)
  for (const w of model.weights) w.write(Float32Array.from({ length: w.size }, () => 0.25 + random()))
}

/** Numbers for the inputs: class numbers where they are integers. */
export const valuesFor = (model: ModelClass) => Object.fromEntries(model.inputs.map((x, i) => {
  const shape = [2, ...x.shape.slice(1).map(Number)], random = randomSource(i + 5), count = elementCount(shape)
  const data = x.dtype === 'int32' ? Int32Array.from({ length: count }, () => Math.floor(random() * 7)) : Float32Array.from({ length: count }, () => random() - 0.5)
  return [`x_${i}`, { dtype: x.dtype === 'int32' ? 'int32' as const : 'float32' as const, shape, data }]
}))
