/** Loading a Keras file into a model, and running the model's graph plainly. */
import type { FileArray } from '../../compiler/files/file-array.js'
import type { KerasFile } from '../../compiler/files/keras-h5.js'
import { dimText, isStatic, type DimEnv } from '../../compiler/ir/dim.js'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import type { NetworkModel } from '../../compiler/nn/network-model.js'
import type { Weight } from '../../compiler/nn/weight.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { toTensor } from './training-shared.js'

/** Weights of a file's layers, in the file's order, which is that of `trainable` then other weights within a layer. */
export function loadWeightsInto(model: NetworkModel, file: KerasFile): void {
  const layers = model.layers.filter((l) => l.weights.length > 0)
  const stored = file.layers.filter((l) => l.weights.length > 0)
  if (layers.length !== stored.length) throw new Error(`the file has ${stored.length} layers with weights, the model ${layers.length}`)
  layers.forEach((layer, i) => layer.weights.forEach((w, j) => w.write(stored[i]!.weights[j]!.value.data)))
}

export const variablesOf = (weights: readonly Weight[]): Record<string, Tensor> =>
  Object.fromEntries(weights.map((w) => [w.name, { shape: w.shape, data: Float64Array.from(w.read()) }]))

/** The batch, and other sizes that the model leaves open, as the arrays have them. */
const dimsOf = (model: NetworkModel, io: Readonly<Record<string, FileArray>>): DimEnv =>
  Object.fromEntries(model.inputs.flatMap(({ node }, i) =>
    node.type.shape.flatMap((dim, axis) => (isStatic(dim) ? [] : [[dimText(dim), io[`x_${i}`]!.shape[axis]!]]))))

/** Values of `nodes` for the arrays `x_0`, `x_1`, … of a vector. */
export function valuesOf(model: NetworkModel, nodes: readonly Node[], io: Readonly<Record<string, FileArray>>, more: Readonly<Record<string, Tensor>> = {}): Tensor[] {
  const inputs = Object.fromEntries(model.inputNames.map((name, i) => [name, toTensor(io[`x_${i}`]!)]))
  const graph: Graph = { name: 'test', inputs: [], outputs: nodes.map((node, i) => ({ name: String(i), node })), updates: [] }
  const { outputs } = interpret(graph, { inputs: { ...inputs, ...more }, variables: variablesOf(model.weights), dims: dimsOf(model, io) })
  return nodes.map((_, i) => outputs[String(i)]!)
}

/** Outputs in inference mode. */
export const predictions = (model: NetworkModel, io: Readonly<Record<string, FileArray>>): Tensor[] =>
  valuesOf(model, model.runGraph(false).outputs, io)
