/** Layer classes by the names that configurations use. Filled where layers are defined. */
import type { JsonObject } from './configured.js'
import type { Layer } from './layer.js'

export type LayerClass = { fromConfig(config: JsonObject): Layer }

const classes = new Map<string, LayerClass>()

export const registerLayer = (className: string, layerClass: LayerClass): void => void classes.set(className, layerClass)
export const layerClassOf = (className: string): LayerClass | undefined => classes.get(className)
export const layerClassNames = (): string[] => [...classes.keys()]
