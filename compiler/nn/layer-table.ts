/** Layer classes by the names that configurations use. Filled where layers are defined. */
import type { JsonObject } from './configured.js'
import type { Layer } from './layer.js'

export type LayerClass = { fromConfig(config: JsonObject): Layer }

const classes: Record<string, LayerClass> = {}

export const layerTable: Readonly<Record<string, LayerClass>> = classes
export const registerLayer = (className: string, layerClass: LayerClass): void => { classes[className] = layerClass }
export const layerClassOf = (className: string): LayerClass | null => (Object.hasOwn(classes, className) ? classes[className]! : null)
