/**
 * The user's data → one checked array per input or target of the model, in the model's order and element types. The
 * checks and their texts are those of Keras 2.3; nothing in the model is touched before all of them have passed.
 */
import type { DType } from './contract/dtype.js'
import { ArgumentTypeError, ValueError } from './contract/errors.js'
import type { ArrayData, ArrayLike, NestedArray } from './contract/fit-types.js'
import type { ManifestDim } from './contract/manifest.js'
import { convert } from './convert.js'
import { describe, isArrayLike, isShaped, isTypedArray, NDArray, nestedShape, sizeOf } from './ndarray.js'
import { pythonNames, pythonTuple } from './python-text.js'

/** One array the model expects; the first dimension counts the samples and is not checked here. */
export type Expected = { readonly name: string; readonly dtype: DType; readonly shape: readonly ManifestDim[] }
export type DataRole = 'input' | 'target'

/**
 * @param role word used in the messages.
 * @throws ValueError for a wrong number of arrays, an unknown or missing name, a wrong rank, shape or element type.
 */
export function standardizeData(data: ArrayData, expected: readonly Expected[], role: DataRole): NDArray[] {
  const values = arraysOf(data, expected.map((e) => e.name), role)
  if (values.length !== expected.length) throw wrongCount(values, expected.length, role)
  return expected.map((e, i) => standardizeArray(values[i]!, e, role))
}

function arraysOf(data: ArrayData, names: readonly string[], role: DataRole): readonly ArrayLike[] {
  if (data === undefined || data === null) throw new ValueError(`Error when checking model ${role}: no data was given. Need data for each key in: ${pythonNames(names)}`)
  if (isTypedArray(data) || isShaped(data)) return [data]
  if (Array.isArray(data)) return listOf(data as readonly ArrayLike[], names.length, role)
  if (typeof data !== 'object') throw new ArgumentTypeError(`Error when checking model ${role}: data should be an array, or list/dict of arrays. Found: ${describe(data)}`)
  return namedArrays(data as { readonly [name: string]: ArrayLike }, names, role)
}

/**
 * A list is a list of arrays when an element is a typed array or has a shape, or when the model expects several
 * arrays; otherwise it is one array of nested numbers.
 */
function listOf(list: readonly ArrayLike[], expected: number, role: DataRole): readonly ArrayLike[] {
  if (expected === 1 && isArrayLike(list)) return [list]
  const wrong = list.find((v) => !isArrayLike(v))
  if (wrong !== undefined) throw new ArgumentTypeError(`Error when checking model ${role}: data should be an array, or list/dict of arrays. Found: ${describe(wrong)}`)
  return list
}

function namedArrays(data: { readonly [name: string]: ArrayLike }, names: readonly string[], role: DataRole): ArrayLike[] {
  const given = Object.keys(data)
  const missing = names.find((name) => data[name] === undefined || data[name] === null)
  if (missing !== undefined) throw new ValueError(`No data provided for "${missing}". Need data for each key in: ${pythonNames(names)}`)
  const extra = given.find((name) => !names.includes(name))
  if (extra !== undefined) throw new ValueError(`Error when checking model ${role}: unknown name "${extra}". Expected data for: ${pythonNames(names)}`)
  return names.map((name) => data[name]!)
}

function wrongCount(values: readonly ArrayLike[], expected: number, role: DataRole): ValueError {
  const list = `[${values.map((v) => atLeastTwo(NDArray.from(v, Array.isArray(v) ? 'float64' : undefined)).toString()).join(', ')}]`
  return new ValueError(`Error when checking model ${role}: the list of Numpy arrays that you are passing to your model is not the size the model expected. ` +
    `Expected to see ${expected} array(s), but instead got the following list of ${values.length} arrays: ${list.slice(0, 200)}...`)
}

/** Keras makes a column of a vector. */
const atLeastTwo = (array: NDArray): NDArray => (array.rank === 1 ? array.reshape([array.size, 1]) : array)

function standardizeArray(value: ArrayLike, expected: Expected, role: DataRole): NDArray {
  const shape = shapeOf(value, expected, role)
  checkShape(shape, expected, role)
  if (shape[0] === 0) throw new ValueError(`Error when checking ${role}: expected ${expected.name} to hold at least one sample, but got array with shape ${pythonTuple(shape)}`)
  const context = `Error when checking ${role}: for ${expected.name} `
  const data = isTypedArray(value) ? value : isShaped(value) ? value.data : NDArray.from(value as NestedArray, 'float64').data
  if (data.length !== sizeOf(shape)) throw new ValueError(`${context}got ${data.length} elements, which do not fill shape ${pythonTuple(shape)}`)
  return new NDArray(convert(data, expected.dtype, context), shape, expected.dtype)
}

function shapeOf(value: ArrayLike, expected: Expected, role: DataRole): readonly number[] {
  if (isTypedArray(value)) return inferredShape(value.length, expected, role)
  const shape = isShaped(value) ? value.shape : nestedShape(value as NestedArray)
  return shape.length === 1 && expected.shape.length !== 1 ? [shape[0]!, 1] : shape
}

/** A typed array alone takes the shape expected of it, when the sizes of a sample are all known. */
function inferredShape(length: number, expected: Expected, role: DataRole): number[] {
  const sample = expected.shape.slice(1)
  if (sample.some((d) => typeof d !== 'number')) return expected.shape.length === 1 ? [length] : [length, 1]
  const row = sizeOf(sample as number[])
  if (row === 0 || length % row !== 0) throw wrongShape(expected, [length], role)
  return [length / row, ...(sample as number[])]
}

const wrongShape = (expected: Expected, found: readonly number[], role: DataRole): ValueError =>
  new ValueError(`Error when checking ${role}: expected ${expected.name} to have shape ${pythonTuple(expected.shape.slice(1))} but got array with shape ${pythonTuple(found)}`)

function checkShape(shape: readonly number[], expected: Expected, role: DataRole): void {
  if (shape.length !== expected.shape.length) {
    throw new ValueError(`Error when checking ${role}: expected ${expected.name} to have ${expected.shape.length} dimensions, but got array with shape ${pythonTuple(shape)}`)
  }
  const fits = expected.shape.every((d, i) => i === 0 || typeof d !== 'number' || d === shape[i])
  if (!fits) throw wrongShape(expected, shape.slice(1), role)
}

const samplesOf = (array: NDArray): number => array.shape[0] ?? 0
const shapesText = (arrays: readonly NDArray[]): string => `[${arrays.map((a) => pythonTuple(a.shape)).join(', ')}]`
const differ = (arrays: readonly NDArray[]): boolean => arrays.some((a) => samplesOf(a) !== samplesOf(arrays[0]!))

/** Number of samples common to inputs, targets and weights. @throws ValueError when they do not agree. */
export function commonSamples(inputs: readonly NDArray[], targets: readonly NDArray[] = [], weights: readonly (NDArray | null)[] = []): number {
  const given = weights.filter((w) => w !== null)
  if (differ(inputs)) throw new ValueError(`All input arrays (x) should have the same number of samples. Got array shapes: ${shapesText(inputs)}`)
  if (differ(targets)) throw new ValueError(`All target arrays (y) should have the same number of samples. Got array shapes: ${shapesText(targets)}`)
  const samples = samplesOf(inputs[0] ?? targets[0]!)
  const [target, weight] = [targets[0], given[0]]
  if (target && samplesOf(target) !== samples) {
    throw new ValueError(`Input arrays should have the same number of samples as target arrays. Found ${samples} input samples and ${samplesOf(target)} target samples.`)
  }
  if (weight && (differ(given) || samplesOf(weight) !== samples)) {
    throw new ValueError(`Sample_weight arrays should have the same number of samples as target arrays. Got ${samples} input samples and ${samplesOf(weight)} target samples.`)
  }
  return samples
}
