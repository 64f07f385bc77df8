/** One call of a layer on tensors: what Keras calls a node, and `layer.getOutputAt(i)` counts. */
import type { JsonObject } from './configured.js'
import type { Layer } from './layer.js'
import type { KTensor } from './tensor.js'

export type InboundNode = {
  readonly layer: Layer
  readonly inputs: readonly KTensor[]
  readonly outputs: readonly KTensor[]
  /** Arguments of the call besides the tensors, as configurations keep them. */
  readonly arguments: JsonObject
  /** An input's or a model's own node: it has no layers before it, although an `InputLayer` lists its tensor as input. */
  readonly isSource: boolean
}
