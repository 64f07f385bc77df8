/** The data of `fit` and `evaluate`, checked and brought into the order of the compiled function. */
import { ValueError } from './contract/errors.js'
import type { ArrayData, ClassWeights, SampleWeight } from './contract/fit-types.js'
import type { ModelManifest } from './contract/manifest.js'
import { checkLabels } from './check-labels.js'
import { NDArray, sizeOf } from './ndarray.js'
import type { ProgramFunction } from './program.js'
import { standardizeWeights } from './sample-weights.js'
import { commonSamples, standardizeData } from './standardize.js'
import type { Expected } from './standardize.js'

export type TrainingData = {
  readonly samples: number
  readonly inputs: readonly NDArray[]
  readonly targets: readonly NDArray[]
  /** One entry per target; null where every sample counts once. */
  readonly weights: readonly (NDArray | null)[]
}

/** Samples a call may have with a fixed batch size, and the batch size to use. */
export function chooseBatchSize(asked: number | null | undefined, fn: ProgramFunction): number {
  const size = asked ?? fn.fixedBatch ?? 32
  if (!Number.isInteger(size) || size < 1) throw new ValueError(`\`batchSize\` must be a positive integer, found ${String(size)}`)
  if (fn.fixedBatch !== null && size !== fn.fixedBatch) {
    throw new ValueError(`The \`batchSize\` argument value ${size} is incompatible with the specified batch size of your Input Layer: ${fn.fixedBatch}`)
  }
  return size
}

/** @throws ValueError when a model with a fixed batch size would get a partial batch. */
export function checkWholeBatches(samples: number, fn: ProgramFunction): void {
  if (fn.fixedBatch === null || samples % fn.fixedBatch === 0) return
  throw new ValueError('In a network with a fixed batch size, you should only pass inputs with a number of samples that can be ' +
    `divided by the batch size. Found: ${samples} samples. Batch size: ${fn.fixedBatch}.`)
}

export function expectedInputs(model: ModelManifest, fn: ProgramFunction): Expected[] {
  return model.inputNames.map((name) => inputNamed(fn, name))
}

function inputNamed(fn: ProgramFunction, name: string): Expected {
  const input = fn.manifest.inputs.find((i) => i.name === name)
  if (input === undefined) throw new ValueError(`the function ${fn.manifest.name} has no input ${name}`)
  return input
}

/** Inputs of `predict` in the order of `model.inputs`. @throws ValueError with Keras' messages. */
export function standardizeInputs(model: ModelManifest, fn: ProgramFunction, x: ArrayData): { inputs: NDArray[]; samples: number } {
  const inputs = standardizeData(x, expectedInputs(model, fn), 'input')
  return { inputs, samples: commonSamples(inputs) }
}

/** @throws ValueError with Keras' messages for anything the model cannot be trained or tested on. */
export function standardizeTraining(
  model: ModelManifest, fn: ProgramFunction, x: ArrayData, y: ArrayData,
  sampleWeight?: SampleWeight | null, classWeight?: ClassWeights | null,
): TrainingData {
  const inputs = standardizeData(x, expectedInputs(model, fn), 'input')
  const targets = standardizeData(y, model.targets.map((t) => ({ name: t.output, dtype: t.dtype, shape: t.shape })), 'target')
  const outputs = model.targets.map((t, i) => ({ output: t.output, target: targets[i]!, temporal: isTemporal(fn, t.output) }))
  const weights = standardizeWeights(sampleWeight, classWeight, outputs)
  const samples = commonSamples(inputs, targets, weights)
  model.targets.forEach((t, i) => checkLabels(targets[i]!, t))
  return { samples, inputs, targets, weights }
}

const weightInput = (fn: ProgramFunction, output: string): Expected | undefined => fn.manifest.inputs.find((i) => i.name === `weight:${output}`)
const isTemporal = (fn: ProgramFunction, output: string): boolean => weightInput(fn, output)?.shape.length === 2

/** The samples `[begin, end)` of all arrays, as views. */
export function sliceTraining(data: TrainingData, begin: number, end: number): TrainingData {
  const rows = (array: NDArray): NDArray => array.rows(begin, end)
  return { samples: end - begin, inputs: data.inputs.map(rows), targets: data.targets.map(rows), weights: data.weights.map((w) => (w === null ? null : rows(w))) }
}

/** All arrays in the order of the function's inputs; outputs without weights get ones. */
export function functionInputs(model: ModelManifest, fn: ProgramFunction, data: TrainingData): NDArray[] {
  const arrays = new Map<string, NDArray>(model.inputNames.map((name, i) => [name, data.inputs[i]!]))
  model.targets.forEach(({ output }, i) => {
    arrays.set(`target:${output}`, data.targets[i]!)
    arrays.set(`weight:${output}`, data.weights[i] ?? ones(data.targets[i]!.shape.slice(0, isTemporal(fn, output) ? 2 : 1)))
  })
  return fn.manifest.inputs.map(({ name }) => {
    const array = arrays.get(name)
    if (array === undefined) throw new ValueError(`the function ${fn.manifest.name} has an input ${name} that is neither an input, a target nor a weight of the model`)
    return array
  })
}

const ones = (shape: readonly number[]): NDArray => new NDArray(new Float32Array(sizeOf(shape)).fill(1), shape)

/**
 * Sum of the weights of an output over the samples `[begin, end)` of an order; without weights, the number of weights
 * there would be.
 */
export function weightSum(model: ModelManifest, data: TrainingData, output: string, order: Int32Array | null, begin: number, end: number): number {
  const weights = data.weights[model.targets.findIndex((t) => t.output === output)] ?? null
  if (weights === null) return end - begin
  const width = weights.rowSize
  let sum = 0
  for (let i = begin; i < end; i++) {
    const row = order === null ? i : order[i]!
    for (let k = 0; k < width; k++) sum += weights.data[row * width + k]!
  }
  return sum
}
