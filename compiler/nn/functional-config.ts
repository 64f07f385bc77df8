/** Configurations of functional models: which call of which layer reads which tensors. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { Json, JsonObject } from './configured.js'
import { deserializeLayer } from './deserialize.js'
import type { InboundNode } from './inbound-node.js'
import { nodeOf, type Network } from './functional.js'
import type { Layer } from './layer.js'
import { unpackSingleton } from './shape.js'
import type { KTensor } from './tensor.js'

/** Models start with a call of their own, which links their inputs to their outputs; it counts even where it is not used. */
const startsWithOwnNode = (layer: Layer): boolean => layer.inboundNodes[0]?.isSource === true && layer.inboundNodes[0].inputs !== layer.inboundNodes[0].outputs

/** The numbers that the calls in this network have in its configuration. */
function keptNodes({ layers, nodes }: Network): Map<InboundNode, number> {
  const kept = new Map<InboundNode, number>()
  for (const layer of layers) {
    let next = startsWithOwnNode(layer) ? 1 : 0
    for (const node of layer.inboundNodes) if (nodes.has(node)) kept.set(node, next++)
  }
  return kept
}

export function functionalConfig(name: string, network: Network): JsonObject {
  const kept = keptNodes(network)
  const place = (t: KTensor): readonly [string, number, number] => [t.history!.layer.name, kept.get(nodeOf(t)!) ?? 0, t.history!.tensorIndex]
  const layers = network.layers.map((layer): Json => ({
    name: layer.name,
    class_name: layer.className,
    config: layer.getConfig(),
    inbound_nodes: layer.inboundNodes.filter((n) => network.nodes.has(n) && !n.isSource)
      .map((n) => n.inputs.map((t): Json => [...place(t), n.arguments])),
  }))
  return { name, layers, input_layers: network.inputs.map(place), output_layers: network.outputs.map(place) }
}

/** One tensor of a configuration: layer, call, output, and arguments of the call. */
type Place = readonly [name: string, node: number, tensor: number, args?: JsonObject]
type LayerEntry = { readonly name: string; readonly inbound_nodes: readonly (readonly Place[])[] }

const damaged = (): never => { throw new ValueError('Improperly formatted model config.') }
const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : damaged())

function toPlace(value: Json): Place {
  const [name, node, tensor, args] = list(value)
  if (typeof name !== 'string' || typeof node !== 'number' || typeof tensor !== 'number') return damaged()
  return [name, node, tensor, (args ?? {}) as JsonObject]
}

/** A single end may be written without the outer list. */
const ends = (value: Json | undefined): Place[] => (typeof list(value)[0] === 'string' ? [toPlace(value!)] : list(value).map(toPlace))

/** Layers connected as the configuration says. @throws ValueError for a damaged one, or unknown layers. */
export function functionalFromConfig(config: JsonObject): { inputs: KTensor[]; outputs: KTensor[]; name: string | null } {
  const entries = list(config['layers']).map((value): LayerEntry => {
    const { name, inbound_nodes } = value as JsonObject
    return { name: String(name), inbound_nodes: list(inbound_nodes).map((node) => list(node).map(toPlace)) }
  })
  const layers = new Map(list(config['layers']).map((value, i) => [entries[i]!.name, deserializeLayer(value)]))
  connectAll(entries, layers)
  const tensor = (place: Place): KTensor => tensorAt(layers, place) ?? damaged()
  const name = config['name']
  return { inputs: ends(config['input_layers']).map(tensor), outputs: ends(config['output_layers']).map(tensor), name: typeof name === 'string' ? name : null }
}

/** Null while the call has not been made. */
const tensorAt = (layers: ReadonlyMap<string, Layer>, [name, node, index]: Place): KTensor | null =>
  (layers.get(name) ?? damaged()).inboundNodes[node]?.outputs[index] ?? null

/** Makes the calls in an order in which their inputs exist, those of one layer in their own order. */
function connectAll(entries: readonly LayerEntry[], layers: ReadonlyMap<string, Layer>): void {
  const open = new Map(entries.map((e) => [e, 0]))
  while (open.size > 0) {
    const before = [...open.values()].reduce((a, b) => a + b, open.size)
    for (const [entry, done] of open) {
      const reached = connectSome(entry, done, layers)
      if (reached === entry.inbound_nodes.length) open.delete(entry)
      else open.set(entry, reached)
    }
    const after = [...open.values()].reduce((a, b) => a + b, open.size)
    if (before === after && open.size > 0) damaged()
  }
}

/** Makes calls from number `from` on while their inputs exist; how many are made then. */
function connectSome(entry: LayerEntry, from: number, layers: ReadonlyMap<string, Layer>): number {
  let at = from
  for (; at < entry.inbound_nodes.length; at++) {
    const places = entry.inbound_nodes[at]!
    const tensors = places.map((place) => tensorAt(layers, place))
    if (!tensors.every((t) => t !== null)) break
    layers.get(entry.name)!.apply(unpackSingleton(tensors), places[0]?.[3] ?? {})
  }
  return at
}

/** The text of `model.to_json()`, as the version of Keras that kcc follows writes it. */
export const modelJson = (serialized: JsonObject): string => JSON.stringify({ ...serialized, keras_version: '2.3.1', backend: 'tensorflow' })
