/** Models and layers from configurations, with all built-in classes known. */
import { ValueError } from '../../runtime/contract/errors.js'
import { deserializeLayer } from './deserialize.js'
import type { Layer } from './layer.js'
import './layers/index.js'
import { ModelClass } from './model.js'
import './sequential.js'
import type { CustomObjects } from './session.js'

/** `layers.deserialize(config)`. @throws ValueError `Unknown layer: Dens`. */
export const deserialize = (config: unknown, customObjects: CustomObjects = {}): Layer => deserializeLayer(config, customObjects)
/** `{class_name, config}` of a layer. */
export const serialize = (layer: Layer): { class_name: string; config: unknown } => ({ class_name: layer.className, config: layer.getConfig() })

/** The model of a configuration, as in an `.h5` file. @throws ValueError for a configuration of something else. */
export function modelFromConfig(config: unknown, customObjects: CustomObjects = {}): ModelClass {
  if (Array.isArray(config)) throw new ValueError('`model_from_config` expects a dictionary, not a list. Maybe you meant to use `Sequential.from_config(config)`?')
  const model = deserializeLayer(config, customObjects)
  if (!(model instanceof ModelClass)) throw new ValueError(`Expected the configuration of a model, found that of the layer ${model.name} (${model.className}).`)
  return model
}

/** @throws SyntaxError for text that is not JSON. */
export const modelFromJson = (text: string, customObjects: CustomObjects = {}): ModelClass => modelFromConfig(JSON.parse(text), customObjects)
