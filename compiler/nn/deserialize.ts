/** Layers from configurations: `layers.deserialize`. */
import { ValueError } from '../../runtime/contract/errors.js'
import { isConfigObject, type JsonObject } from './configured.js'
import type { Layer } from './layer.js'
import { layerClassOf, type LayerClass } from './layer-table.js'
import { reprText } from './python-text.js'
import { session, type CustomObjects } from './session.js'

const isLayerClass = (x: unknown): x is LayerClass => typeof x === 'function' && 'fromConfig' in x && typeof x.fromConfig === 'function'

/** A custom class comes first. A user's class without `fromConfig` gets the configuration as its only argument. */
function classNamed(name: string): LayerClass {
  const custom = session.customObjects[name]
  const found = isLayerClass(custom) ? custom : layerClassOf(name)
  if (!found) throw new ValueError(`Unknown layer: ${name}`)
  return found
}

/** @throws ValueError `Unknown layer: Dens`. */
export function deserializeLayer(config: unknown, customObjects: CustomObjects = {}): Layer {
  if (!isConfigObject(config)) throw new ValueError(`Improper config format: ${reprText(config)}`)
  return session.withCustomObjects(customObjects, () => classNamed(config.class_name).fromConfig(config.config as JsonObject))
}
