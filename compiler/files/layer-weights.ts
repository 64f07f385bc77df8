/** Weights of a model's layers to and from a Keras file: by the order of layers, or by their names. */
import { ValueError } from '../../runtime/contract/errors.js'
import { tupleText } from '../nn/python-text.js'
import type { Weight } from '../nn/weight.js'
import type { LayerWeights, NamedArray } from './keras-h5.js'

export type WeightedLayer = { readonly name: string; readonly weights: readonly Weight[] }
export type WeightedModel = { readonly layers: readonly WeightedLayer[] }
/** Told what is skipped, in Keras' words. */
export type Warn = (text: string) => void

export const namedArrays = (weights: readonly Weight[]): NamedArray[] =>
  weights.map((w) => ({ name: w.name, value: { dtype: w.dtype, shape: w.shape, data: w.read() } }))

/** All layers, also those without weights. */
export const layerWeights = (model: WeightedModel): LayerWeights[] =>
  model.layers.map((layer) => ({ name: layer.name, weights: namedArrays(layer.weights) }))

type Assignment = { readonly weight: Weight; readonly saved: NamedArray }
const write = (assignments: readonly Assignment[]): void => assignments.forEach(({ weight, saved }) => weight.write(saved.value.data))

/** Pairs the layers that have weights, in order. @throws ValueError in Keras' words; then nothing is changed. */
export function assignByOrder(model: WeightedModel, file: readonly LayerWeights[]): void {
  const layers = model.layers.filter((l) => l.weights.length > 0), saved = file.filter((l) => l.weights.length > 0)
  if (saved.length !== layers.length) {
    throw new ValueError(`You are trying to load a weight file containing ${saved.length} layers into a model with ${layers.length} layers.`)
  }
  write(layers.flatMap((layer, k) => {
    const { name, weights } = saved[k]!
    if (weights.length !== layer.weights.length) {
      throw new ValueError(`Layer #${k} (named "${layer.name}" in the current model) was found to correspond to layer ${name} in the save file. ` +
        `However the new layer ${layer.name} expects ${layer.weights.length} weights, but the saved weights have ${weights.length} elements.`)
    }
    return paired(layer, weights).map((a) => requireShape(a, layer, k))
  }))
}

/**
 * Pairs layers of equal names; others keep their weights. `skipMismatch` also leaves those alone that do not fit.
 * @throws ValueError in Keras' words; then nothing is changed.
 */
export function assignByName(model: WeightedModel, file: readonly LayerWeights[], skipMismatch: boolean, warn: Warn): void {
  write(file.flatMap(({ name, weights }, k) => model.layers.filter((layer) => layer.name === name).flatMap((layer) => {
    if (weights.length !== layer.weights.length) {
      if (!skipMismatch) throw new ValueError(`Layer #${k} (named "${layer.name}") expects ${layer.weights.length} weight(s), but the saved weights have ${weights.length} element(s).`)
      warn(`Skipping loading of weights for layer ${layer.name} due to mismatch in number of weights (${layer.weights.length} vs ${weights.length}).`)
      return []
    }
    const pairs = paired(layer, weights)
    return skipMismatch ? pairs.filter((a) => fits(a) || skip(a, layer, warn)) : pairs.map((a) => requireShape(a, layer, k))
  })))
}

const paired = (layer: WeightedLayer, weights: readonly NamedArray[]): Assignment[] =>
  layer.weights.map((weight, i) => ({ weight, saved: weights[i]! }))

const fits = ({ weight, saved }: Assignment): boolean => weight.shape.join() === saved.value.shape.join()

function skip({ weight, saved }: Assignment, layer: WeightedLayer, warn: Warn): false {
  warn(`Skipping loading of weights for layer ${layer.name} due to mismatch in shape (${tupleText(weight.shape)} vs ${tupleText(saved.value.shape)}).`)
  return false
}

function requireShape(assignment: Assignment, layer: WeightedLayer, k: number): Assignment {
  const { weight, saved } = assignment
  if (fits(assignment)) return assignment
  throw new ValueError(`Layer #${k} (named "${layer.name}"), weight ${String(weight)} has shape ${tupleText(weight.shape)}, but the saved weight has shape ${tupleText(saved.value.shape)}.`)
}

/**
 * Sets the optimizer's state. Files of Keras 2.2 lack the leading `iterations` of some optimizers; it counts from 0 then.
 * @throws ValueError when number or shapes differ; then nothing is changed.
 */
export function assignOptimizer(weights: readonly Weight[], saved: readonly NamedArray[]): void {
  const missing = weights.length - saved.length
  const leading = weights[0]
  if (missing !== 0 && !(missing === 1 && leading?.shape.length === 0)) {
    throw new ValueError(`the optimizer has ${weights.length} weights, the saved state has ${saved.length}`)
  }
  const pairs = saved.map((array, i): Assignment => ({ weight: weights[i + missing]!, saved: array }))
  const wrong = pairs.find((pair) => !fits(pair))
  if (wrong) throw new ValueError(`Optimizer weight shape ${tupleText(wrong.weight.shape)} not compatible with provided weight shape ${tupleText(wrong.saved.value.shape)}`)
  if (missing === 1) leading?.write(Int32Array.of(0))
  write(pairs)
}
