/** `load_model`, `load_weights`, `model_from_json`: models and weights written by Python Keras or by `save`. */
import { readFile } from 'node:fs/promises'
import { ValueError } from '../../runtime/contract/errors.js'
import { optionsOfConfig } from '../nn/compile.js'
import type { TrainingConfig } from '../nn/compile.js'
import { deserializeLayer } from '../nn/deserialize.js'
import type { Layer } from '../nn/layer.js'
import type { LossFunction } from '../nn/losses/loss.js'
import type { Model } from '../nn/model.js'
import { readKerasH5 } from './keras-h5.js'
import type { KerasFile } from './keras-h5.js'
import { assignByName, assignByOrder, assignOptimizer } from './layer-weights.js'
import type { Warn, WeightedModel } from './layer-weights.js'
import { parsePythonJson } from './python-json.js'
import { optimizerSlots } from '../nn/optimizer-slots.js'
import type { SavableModel } from './save.js'

/** A model of the front end, as far as files need it. */
export type LoadedModel = Model & SavableModel

export type LoadOptions = {
  /** The user's own layers, losses, metrics and other functions by the names that the file uses. */
  readonly customObjects?: Readonly<Record<string, unknown>>
  /** Whether to compile the model as the file says; default true. */
  readonly compile?: boolean
  readonly warn?: Warn
}

const userWarning: Warn = (text) => process.emitWarning(text, 'UserWarning')

/**
 * The model in a Keras `.h5` file: architecture, weights, and, when it was compiled, loss, metrics and the optimizer
 * with its state, so that training goes on exactly.
 * @throws FileFormatError for a damaged file, ValueError for what is not known (give it in `customObjects`)
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  const file = await readKerasH5(await readFile(path), path)
  if (file.modelConfig === null) throw new ValueError(`No model found in config file: ${path} holds weights alone. Build the model and use loadWeights.`)
  const model = modelFromConfig(file.modelConfig, options.customObjects)
  assignByOrder(model, file.layers)
  if (options.compile ?? true) compileAsSaved(model, file, options)
  return model
}

function compileAsSaved(model: LoadedModel, file: KerasFile, { customObjects = {}, warn = userWarning }: LoadOptions): void {
  if (file.trainingConfig === null) {
    warn('No training configuration found in the save file, so the model was *not* compiled. Compile it manually.')
    return
  }
  model.compile(optionsOfConfig(file.trainingConfig as TrainingConfig, customObjects as Readonly<Record<string, LossFunction>>))
  if (file.optimizerWeights === null) return
  try {
    assignOptimizer(optimizerSlots(model.training!), file.optimizerWeights)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    warn('Error in loading the saved optimizer state. As a result, your model is starting with a freshly initialized optimizer.')
  }
}

/** The model of a configuration `{class_name, config}`, with fresh weights. @throws ValueError */
export function modelFromConfig(config: unknown, customObjects: Readonly<Record<string, unknown>> = {}): LoadedModel {
  const layer = deserializeLayer(config, customObjects)
  if (!isModel(layer)) throw new ValueError(`The configuration describes a layer (${layer.className}), not a model.`)
  return layer
}

/** The architecture that `model.to_json()` wrote. @throws FileFormatError, ValueError */
export const modelFromJson = (text: string, customObjects: Readonly<Record<string, unknown>> = {}): LoadedModel =>
  modelFromConfig(parsePythonJson(text, 'the model'), customObjects)

const isModel = (layer: Layer): layer is LoadedModel => 'serialize' in layer && 'layers' in layer

export type LoadWeightsOptions = {
  /** Pairs layers by name instead of by order. */
  readonly byName?: boolean
  /** With `byName`: layers whose weights do not fit keep theirs. */
  readonly skipMismatch?: boolean
  readonly warn?: Warn
}

/** Loads weights from a file of weights or of a whole model. @throws FileFormatError, ValueError; then nothing is changed */
export async function loadWeights(model: WeightedModel, path: string, options: LoadWeightsOptions = {}): Promise<void> {
  const { layers } = await readKerasH5(await readFile(path), path)
  if (options.byName) assignByName(model, layers, options.skipMismatch ?? false, options.warn ?? userWarning)
  else if (options.skipMismatch) throw new ValueError('When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.')
  else assignByOrder(model, layers)
}
