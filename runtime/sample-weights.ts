/**
 * `sampleWeight` and `classWeight` → one float32 array of weights per output, or null where every sample counts once.
 * Texts are those of Keras 2.3.
 */
import { ArgumentTypeError, ValueError } from './contract/errors.js'
import type { ArrayLike, ClassWeight, ClassWeights, NestedArray, SampleWeight } from './contract/fit-types.js'
import { convert } from './convert.js'
import { describe, isArrayLike, isShaped, isTypedArray, NDArray } from './ndarray.js'
import { pythonTuple } from './python-text.js'

/** What the weights of one output must fit: its targets, and whether each time step has a weight of its own. */
export type WeightedTarget = { readonly output: string; readonly target: NDArray; readonly temporal: boolean }

export function standardizeWeights(sampleWeight: SampleWeight | null | undefined, classWeight: ClassWeights | null | undefined, outputs: readonly WeightedTarget[]): (NDArray | null)[] {
  const names = outputs.map((o) => o.output)
  const samples = perOutput<ArrayLike>(sampleWeight ?? null, names, 'sample_weight', isArrayLike)
  const classes = perOutput<ClassWeight>(classWeight ?? null, names, 'class_weight', isClassWeight)
  return outputs.map((output, i) => combine(weightArray(samples[i] ?? null, output), classWeights(classes[i] ?? null, output), output))
}

const isClassWeight = (value: unknown): value is ClassWeight =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((v) => typeof v === 'number')

type PerOutput<T> = T | readonly (T | null)[] | { readonly [output: string]: T | null }

/** Keras' rules for handing one argument to several outputs: a list by position, a dict by name, or the value itself for the only output. */
function perOutput<T>(value: PerOutput<T> | null, names: readonly string[], kind: string, isOne: (v: unknown) => v is T): readonly (T | null)[] {
  if (value === null) return names.map(() => null)
  if (names.length === 1 && isOne(value)) return [value]
  if (Array.isArray(value)) return list(value, names, kind)
  if (typeof value === 'object' && !isTypedArray(value) && !isShaped(value)) {
    const byName = value as { readonly [output: string]: T | null }
    const unknown = Object.keys(byName).find((name) => !names.includes(name))
    if (unknown !== undefined) throw new ValueError(`Unknown entry in ${kind} dictionary: "${unknown}". Only expected the following keys: [${names.map((n) => `'${n}'`).join(', ')}]`)
    return names.map((name) => byName[name] ?? null)
  }
  if (names.length === 1) throw new ArgumentTypeError(`\`${kind}\` type not understood: ${describe(value)}`)
  throw new ArgumentTypeError(`The model has multiple outputs, so \`${kind}\` should be either a list or a dict. Provided \`${kind}\` type not understood: ${text(value)}`)
}

const text = (value: unknown): string => (isTypedArray(value) || isShaped(value) ? NDArray.from(value).toString() : describe(value))

function list<T>(values: readonly (T | null)[], names: readonly string[], kind: string): readonly (T | null)[] {
  if (values.length !== names.length) {
    throw new ValueError(`Provided \`${kind}\` was a list of ${values.length} elements, but the model has ${names.length} outputs. You should provide one \`${kind}\`array per model output.`)
  }
  return values
}

function weightArray(value: ArrayLike | null, output: WeightedTarget): NDArray | null {
  if (value === null) return null
  const array = weightShape(value, output)
  checkWeightShape(array, output)
  const wrong = array.data.findIndex((v) => !Number.isFinite(v))
  if (wrong >= 0) throw new ValueError(`Error when checking sample_weight: the weights of ${output.output} must be finite, but got ${array.data[wrong]} at element ${wrong}`)
  return array
}

/** A typed array without a shape becomes (samples, steps) where each step has a weight. */
function weightShape(value: ArrayLike, { target, temporal }: WeightedTarget): NDArray {
  const context = 'Error when checking sample_weight: '
  if (!isTypedArray(value)) return NDArray.from(value as NestedArray, 'float32')
  const data = convert(value, 'float32', context)
  const shape = temporal ? target.shape.slice(0, 2) : []
  return temporal && data.length === shape[0]! * shape[1]! ? new NDArray(data, shape) : new NDArray(data, [data.length])
}

function checkWeightShape(weights: NDArray, { target, temporal }: WeightedTarget): void {
  const found = pythonTuple(weights.shape)
  if (temporal && weights.rank !== 2) {
    throw new ValueError(`Found a sample_weight array with shape ${found}. In order to use timestep-wise sample weighting, you should pass a 2D sample_weight array.`)
  }
  if (!temporal && weights.rank !== 1) {
    throw new ValueError(`Found a sample_weight array with shape ${found}. In order to use timestep-wise sample weights, you should specify ` +
      'sample_weight_mode="temporal" in compile(). If you just mean to use sample-wise weights, make sure your sample_weight array is 1D.')
  }
  if (weights.shape.some((d, i) => d !== target.shape[i])) {
    throw new ValueError(`Found a sample_weight array with shape ${found} for an input with shape ${pythonTuple(target.shape)}. sample_weight cannot be broadcast.`)
  }
}

/** The weight of each sample's class: the largest column of one-hot targets, else the label itself. */
function classWeights(weights: ClassWeight | null, { output, target }: WeightedTarget): NDArray | null {
  if (weights === null || Object.keys(weights).length === 0) return null
  if (target.rank > 2) throw new ValueError('`class_weight` not supported for 3+ dimensional targets.')
  for (const [label, weight] of Object.entries(weights)) {
    if (!Number.isFinite(weight)) throw new ValueError(`Error when checking class_weight: the weight of class ${label} of ${output} must be finite, but got ${weight}`)
  }
  const labels = labelsOf(target)
  const missing = [...new Set(labels)].filter((label) => weights[label] === undefined).sort((a, b) => a - b)
  if (missing.length > 0) {
    throw new ValueError(`\`class_weight\` must contain all classes in the data. The classes {${missing.join(', ')}} exist in the data but not in \`class_weight\`.`)
  }
  return new NDArray(Float32Array.from(labels, (label) => weights[label]!), [labels.length])
}

function labelsOf(target: NDArray): number[] {
  const columns = target.rowSize
  return Array.from({ length: target.shape[0]! }, (_, row) => (columns === 1 ? target.data[row]! : largest(target, row * columns, columns)))
}

function largest({ data }: NDArray, begin: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (data[begin + i]! > data[begin + best]!) best = i
  return best
}

function combine(samples: NDArray | null, classes: NDArray | null, { temporal }: WeightedTarget): NDArray | null {
  if (samples === null || classes === null) {
    if (classes !== null && temporal) throw new ValueError('`class_weight` not supported with time-step-wise sample weights.')
    return samples ?? classes
  }
  const step = samples.rowSize
  return new NDArray(Float32Array.from(samples.data, (w, i) => w * classes.data[Math.floor(i / step)]!), samples.shape)
}
