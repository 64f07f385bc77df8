/** `layer.input`, `getOutputShapeAt(1)` and their kin: questions about a layer's calls, with Keras' messages. */
import { AttributeError, RuntimeError, ValueError } from '../../runtime/contract/errors.js'
import type { InboundNode } from './inbound-node.js'
import { shapesText } from './python-text.js'
import { unpackSingleton, type KShape } from './shape.js'
import type { KTensor } from './tensor.js'

export type NodeOwner = { readonly name: string; readonly inboundNodes: readonly InboundNode[] }
type Side = 'inputs' | 'outputs'

const singular = (side: Side): string => side.slice(0, -1)
const accessor = (side: Side): string => `get_${singular(side)}`

function nodeAt(layer: NodeOwner, index: number, what: string): InboundNode {
  const { inboundNodes } = layer
  if (inboundNodes.length === 0) throw new RuntimeError(`The layer has never been called and thus has no defined ${what}.`)
  const node = inboundNodes[index]
  if (!node) throw new ValueError(`Asked to get ${what} at node ${index}, but the layer has only ${inboundNodes.length} inbound nodes.`)
  return node
}

export const tensorsAt = (layer: NodeOwner, index: number, side: Side): KTensor | KTensor[] =>
  unpackSingleton(nodeAt(layer, index, singular(side))[side])

export const shapesAt = (layer: NodeOwner, index: number, side: Side): KShape | KShape[] =>
  unpackSingleton(nodeAt(layer, index, `${singular(side)} shape`)[side].map((t) => t.shape))

/** The only call's tensors. @throws AttributeError when there is none, or more than one. */
export function onlyTensors(layer: NodeOwner, side: Side): KTensor | KTensor[] {
  const { name, inboundNodes } = layer
  if (inboundNodes.length > 1) {
    throw new AttributeError(`Layer ${name} has multiple inbound nodes, hence the notion of "layer ${singular(side)}" is ill-defined. Use \`${accessor(side)}_at(node_index)\` instead.`)
  }
  if (!inboundNodes[0]) {
    throw new AttributeError(side === 'inputs' ? `Layer ${name} is not connected, no input to return.` : `Layer ${name} has no inbound nodes.`)
  }
  return unpackSingleton(inboundNodes[0][side])
}

/** The shape all calls agree on. @throws AttributeError when they do not, or there is none. */
export function commonShapes(layer: NodeOwner, side: Side): KShape | KShape[] {
  const what = `${singular(side)} shape`
  const { name, inboundNodes } = layer
  const first = inboundNodes[0]
  if (!first) throw new AttributeError(`The layer has never been called and thus has no defined ${what}.`)
  const texts = new Set(inboundNodes.map((n) => shapesText(n[side].map((t) => t.shape))))
  if (texts.size > 1) {
    throw new AttributeError(`The layer "${name} has multiple inbound nodes, with different ${what}s. Hence the notion of "${what}" is ill-defined for the layer. Use \`${accessor(side)}_shape_at(node_index)\` instead.`)
  }
  return unpackSingleton(first[side].map((t) => t.shape))
}
