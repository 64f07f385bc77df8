/** Weights of a model in and out: lists in Keras' order, dicts by name, safetensors files. Nothing is written unless all of it fits. */
import { readFileSync } from 'node:fs'
import type { TypedArray } from './contract/dtype.js'
import { FileFormatError, ValueError } from './contract/errors.js'
import type { ArrayLike } from './contract/fit-types.js'
import type { VariableManifest } from './contract/manifest.js'
import { writeFileAtomic } from './atomic-write.js'
import { convert } from './convert.js'
import { isShaped, isTypedArray, NDArray, sizeOf } from './ndarray.js'
import type { Program } from './program.js'
import { pythonTuple } from './python-text.js'
import { decodeSafetensors, encodeSafetensors } from './safetensors.js'

export type WeightValues = readonly ArrayLike[] | { readonly [name: string]: ArrayLike }
type Assignment = { readonly name: string; readonly value: TypedArray }

/** @param names the weights in the order of a list. @throws ValueError with Keras' messages. */
export function setWeights(program: Program, owner: string, names: readonly string[], values: WeightValues): void {
  const given = isList(values) ? pairs(owner, names, values) : Object.entries(values)
  const assignments = given.map(([name, value]) => assignment(program.variable(name), value))
  for (const { name, value } of assignments) program.writeVariable(name, value)
}

const isList = (values: WeightValues): values is readonly ArrayLike[] => Array.isArray(values)

function pairs(owner: string, names: readonly string[], values: readonly ArrayLike[]): (readonly [string, ArrayLike])[] {
  if (values.length !== names.length) {
    const list = `[${values.map((v) => NDArray.from(v, Array.isArray(v) ? 'float64' : undefined).toString()).join(', ')}]`
    throw new ValueError(`You called \`set_weights(weights)\` on layer "${owner}" with a weight list of length ${values.length}, ` +
      `but the layer was expecting ${names.length} weights. Provided weights: ${list.slice(0, 50)}...`)
  }
  return names.map((name, i) => [name, values[i]!] as const)
}

/** A typed array without a shape is taken as it is when it has the right number of elements. */
function assignment({ name, shape, dtype }: VariableManifest, value: ArrayLike): Assignment {
  const context = `Error when setting ${name}: `
  if (isTypedArray(value) && value.length === sizeOf(shape)) return { name, value: convert(value, dtype, context) }
  const array = isTypedArray(value) || isShaped(value) ? NDArray.from(value) : NDArray.from(value, 'float64')
  if (array.rank !== shape.length || array.shape.some((d, i) => d !== shape[i])) {
    throw new ValueError(`Layer weight shape ${pythonTuple(shape)} not compatible with provided weight shape ${pythonTuple(array.shape)}`)
  }
  return { name, value: convert(array.data, dtype, context) }
}

/** Writes variables to a safetensors file. */
export async function saveVariables(program: Program, file: string, names: readonly string[]): Promise<void> {
  const tensors = new Map(names.map((name) => [name, program.readVariable(name)]))
  await writeFileAtomic(file, encodeSafetensors(tensors, { format: 'kcc', model: program.manifest.name }))
}

/**
 * Sets variables from a safetensors file.
 * @param required names that must be in the file. Others of the module are set when they are there.
 * @throws FileFormatError for a damaged file, a missing name, an unknown name, or another shape or type.
 */
export function loadVariables(program: Program, file: string, required: readonly string[]): void {
  const { tensors } = decodeSafetensors(readBytes(file), file)
  const missing = required.filter((name) => !tensors.has(name))
  if (missing.length > 0) throw new FileFormatError(`${file} does not hold ${missing.join(', ')}. It holds: ${[...tensors.keys()].join(', ')}`)
  for (const [name, array] of tensors) checkVariable(program, file, name, array)
  for (const [name, array] of tensors) program.writeVariable(name, array.data)
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new FileFormatError(`cannot read ${file}: ${(error as Error).message}`)
  }
}

function checkVariable(program: Program, file: string, name: string, array: NDArray): void {
  if (!program.hasVariable(name)) throw new FileFormatError(`${file} holds ${name}, which the model ${program.manifest.name} does not have`)
  const { shape, dtype } = program.variable(name)
  if (array.dtype !== dtype || array.rank !== shape.length || array.shape.some((d, i) => d !== shape[i])) {
    throw new FileFormatError(`${file} holds ${name} as ${array.dtype} ${pythonTuple(array.shape)}, but the model has ${dtype} ${pythonTuple(shape)}`)
  }
}
