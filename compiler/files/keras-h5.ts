/**
 * The `.h5` files of Keras 1 to 2.3: architecture and training configuration as JSON attributes, weights in
 * `model_weights/<layer>/<weight name>`, optimizer state in `optimizer_weights`. A file of weights alone has the layers at its root.
 */
import { FileFormatError } from '../../runtime/contract/errors.js'
import type { FileArray } from './file-array.js'
import { readH5 } from './h5.js'
import type { H5Group } from './h5.js'
import { buildH5 } from './h5-write.js'
import type { H5Writer } from './h5-write.js'
import { parsePythonJson, pythonJson } from './python-json.js'

export type NamedArray = { readonly name: string; readonly value: FileArray }
export type LayerWeights = { readonly name: string; readonly weights: readonly NamedArray[] }

export type KerasFile = {
  /** "2.3.1"; "1" when the file does not say, as Keras assumes. */
  readonly kerasVersion: string
  readonly backend: string | null
  /** `{class_name, config}`; null for a file of weights alone. */
  readonly modelConfig: unknown
  /** Null for a model saved without being compiled. */
  readonly trainingConfig: unknown
  /** All layers in the order of the file, also those without weights. */
  readonly layers: readonly LayerWeights[]
  /** Null when the optimizer's state was not saved. */
  readonly optimizerWeights: readonly NamedArray[] | null
}

/** Reads a Keras file. `path` appears in messages. @throws FileFormatError */
export const readKerasH5 = (bytes: Uint8Array, path: string): Promise<KerasFile> => readH5(bytes, path, (root) => readRoot(root, path))

function readRoot(root: H5Group, path: string): KerasFile {
  const weights = weightsGroup(root, path)
  return {
    kerasVersion: weights.text('keras_version') ?? root.text('keras_version') ?? '1',
    backend: weights.text('backend') ?? root.text('backend'),
    modelConfig: jsonAttribute(root, 'model_config', path),
    trainingConfig: jsonAttribute(root, 'training_config', path),
    layers: readLayers(weights),
    optimizerWeights: root.has('optimizer_weights') ? readArrays(root.group('optimizer_weights')) : null,
  }
}

function weightsGroup(root: H5Group, path: string): H5Group {
  if (root.texts('layer_names') !== null) return root
  if (root.has('model_weights')) return root.group('model_weights')
  throw new FileFormatError(`${path}: not a Keras file (there are neither model_weights nor layer_names in it)`)
}

function jsonAttribute(root: H5Group, name: string, path: string): unknown {
  const text = root.text(name)
  return text === null ? null : parsePythonJson(text, `${path}: ${name}`)
}

const readLayers = (group: H5Group): LayerWeights[] =>
  (group.texts('layer_names') ?? []).map((name) => ({ name, weights: readArrays(group.group(name)) }))

const readArrays = (group: H5Group): NamedArray[] =>
  (group.texts('weight_names') ?? []).map((name) => ({ name, value: group.array(name) }))

/** A whole model as `model.save` of Keras 2.3.1 writes it. */
export function writeKerasH5(file: KerasFile, path: string): Promise<Uint8Array> {
  return buildH5(path, (root) => {
    writeVersion(root, file)
    root.text('model_config', pythonJson(file.modelConfig))
    writeWeights(root.group('model_weights'), file)
    if (file.trainingConfig === null) return
    root.text('training_config', pythonJson(file.trainingConfig))
    if (file.optimizerWeights !== null) writeArrays(root.group('optimizer_weights'), file.optimizerWeights)
  })
}

/** The weights alone, as `model.save_weights` writes them. */
export const writeKerasWeights = (file: Pick<KerasFile, 'kerasVersion' | 'backend' | 'layers'>, path: string): Promise<Uint8Array> =>
  buildH5(path, (root) => writeWeights(root, file))

function writeVersion(group: H5Writer, file: Pick<KerasFile, 'kerasVersion' | 'backend'>): void {
  group.text('keras_version', file.kerasVersion)
  group.text('backend', file.backend ?? 'tensorflow')
}

function writeWeights(group: H5Writer, file: Pick<KerasFile, 'kerasVersion' | 'backend' | 'layers'>): void {
  group.texts('layer_names', file.layers.map((layer) => layer.name))
  writeVersion(group, file)
  for (const layer of file.layers) writeArrays(group.group(layer.name), layer.weights)
}

function writeArrays(group: H5Writer, arrays: readonly NamedArray[]): void {
  group.texts('weight_names', arrays.map((a) => a.name))
  for (const { name, value } of arrays) group.array(name, value)
}
