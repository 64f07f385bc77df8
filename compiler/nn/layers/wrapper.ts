/** The base of layers around another layer, whose weights and losses are theirs. */
import type { ArrayResult } from '../../../runtime/contract/fit-types.js'
import type { Node } from '../../ir/graph.js'
import type { Json, JsonObject } from '../configured.js'
import { Layer, type LayerOptions } from '../layer.js'
import type { RunScope } from '../run-scope.js'
import type { Weight, WeightInput } from '../weight.js'

export abstract class Wrapper extends Layer {
  /** The layer inside. */
  declare readonly layer: Layer

  constructor(layer: Layer, options: LayerOptions = {}) {
    super(options)
    if (options.trainable !== undefined) layer.trainable = options.trainable
    Object.assign(this, { layer })
    const trainable = { get: () => layer.trainable, set: (value: boolean) => { layer.trainable = value } }
    Object.defineProperty(this, 'trainable', { ...trainable, enumerable: true, configurable: true })
  }

  override get trainableWeights(): Weight[] { return this.layer.trainableWeights }
  override get nonTrainableWeights(): Weight[] { return this.layer.nonTrainableWeights }
  override getWeights(): ArrayResult[] { return this.layer.getWeights() }
  override setWeights(values: readonly WeightInput[]): void { this.layer.setWeights(values) }
  override weightLosses(scope: RunScope): Node[] { return [...super.weightLosses(scope), ...this.layer.weightLosses(scope)] }

  override getConfig(): JsonObject {
    return { ...super.getConfig(), layer: { class_name: this.layer.className, config: this.layer.getConfig() as Json } }
  }
}
