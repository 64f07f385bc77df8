/** The graph of layers between a model's inputs and outputs, in the order Keras gives it. */
import { ValueError } from '../../runtime/contract/errors.js'
import { captureLocation } from '../support/capture.js'
import type { InboundNode } from './inbound-node.js'
import type { Layer } from './layer.js'
import { reprText } from './python-text.js'
import type { RunScope } from './run-scope.js'
import type { KTensor } from './tensor.js'

export type Network = {
  readonly inputs: readonly KTensor[]
  readonly outputs: readonly KTensor[]
  /** Calls by depth, those furthest from the outputs first: each comes after what it reads. */
  readonly nodesByDepth: readonly (readonly InboundNode[])[]
  readonly nodes: ReadonlySet<InboundNode>
  /** Layers from the deepest on, those of one depth in the order in which the outputs' traversal met them. */
  readonly layers: readonly Layer[]
}

/** The call that made a tensor; null for tensors that no layer returned. */
export const nodeOf = (tensor: KTensor): InboundNode | null =>
  tensor.history?.layer.inboundNodes[tensor.history.nodeIndex] ?? null

/** The calls a call reads from. */
const sourcesOf = (node: InboundNode): InboundNode[] => (node.isSource ? [] : node.inputs.map(requireNode))

function requireNode(tensor: KTensor): InboundNode {
  const node = nodeOf(tensor)
  if (!node) throw new ValueError(`Output tensors to a Model must be the output of a Keras \`Layer\` (thus holding past layer metadata). Found: ${String(tensor)}`, captureLocation())
  return node
}

type Walk = { readonly finished: InboundNode[]; readonly layerOrder: Map<Layer, number> }

/** Depth first from the outputs: calls after all they read; layers as they are met. An explicit stack, for deep models. */
function walk(outputs: readonly KTensor[]): Walk {
  const finished = new Set<InboundNode>()
  const layerOrder = new Map<Layer, number>()
  const stack: { node: InboundNode; sources: InboundNode[]; next: number }[] = []
  const enter = (node: InboundNode): void => {
    if (finished.has(node)) return
    if (!layerOrder.has(node.layer)) layerOrder.set(node.layer, layerOrder.size)
    stack.push({ node, sources: sourcesOf(node), next: 0 })
  }
  for (const output of outputs) {
    enter(requireNode(output))
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const source = top.sources[top.next++]
      if (source) enter(source)
      else finished.add(stack.pop()!.node)
    }
  }
  return { finished: [...finished], layerOrder }
}

/** Distance from the outputs: of a call, and of a layer the largest of its calls that were seen so far. */
function depthsOf(finished: readonly InboundNode[]): { nodes: Map<InboundNode, number>; layers: Map<Layer, number> } {
  const nodes = new Map<InboundNode, number>()
  const layers = new Map<Layer, number>()
  for (const node of [...finished].reverse()) {
    const depth = Math.max(nodes.get(node) ?? 0, layers.get(node.layer) ?? 0)
    layers.set(node.layer, depth)
    nodes.set(node, depth)
    for (const source of sourcesOf(node)) nodes.set(source, Math.max(depth + 1, nodes.get(source) ?? 0))
  }
  return { nodes, layers }
}

/** Keys by falling depth; within one depth in their order in the map. */
function byDepth<T>(depths: ReadonlyMap<T, number>): T[][] {
  const levels = new Map<number, T[]>()
  for (const [key, depth] of depths) levels.set(depth, [...(levels.get(depth) ?? []), key])
  return [...levels.entries()].sort(([a], [b]) => b - a).map(([, keys]) => keys)
}

/** @throws ValueError in Keras' words: inputs given twice, a disconnected graph, names used twice. */
export function mapNetwork(inputs: readonly KTensor[], outputs: readonly KTensor[]): Network {
  if (new Set(inputs).size !== inputs.length) {
    throw new ValueError(`The list of inputs passed to the model is redundant. All inputs should only appear once. Found: [${inputs.map(String).join(', ')}]`, captureLocation())
  }
  const { finished, layerOrder } = walk(outputs)
  const depths = depthsOf(finished)
  for (const input of inputs) addUnused(input, depths, layerOrder)
  const nodesByDepth = byDepth(depths.nodes)
  const order = (layer: Layer): number => layerOrder.get(layer) ?? -1
  const layers = byDepth(depths.layers).flatMap((level) => level.sort((a, b) => order(a) - order(b)))
  checkConnected(inputs, nodesByDepth)
  checkNames(layers)
  return { inputs, outputs, nodesByDepth, nodes: new Set(nodesByDepth.flat()), layers }
}

/** An input that no output needs is part of the model all the same. */
function addUnused(input: KTensor, depths: ReturnType<typeof depthsOf>, layerOrder: Map<Layer, number>): void {
  const node = requireNode(input)
  if (depths.layers.has(node.layer)) return
  depths.layers.set(node.layer, 0)
  depths.nodes.set(node, 0)
  layerOrder.set(node.layer, -1)
}

function checkConnected(inputs: readonly KTensor[], nodesByDepth: readonly (readonly InboundNode[])[]): void {
  const available = new Set(inputs)
  const complete: string[] = []
  for (const node of nodesByDepth.flat()) {
    const missing = node.inputs.find((t) => !available.has(t))
    if (missing) {
      throw new ValueError(`Graph disconnected: cannot obtain value for tensor ${String(missing)} at layer "${node.layer.name}". The following previous layers were accessed without issue: ${reprText(complete)}`, captureLocation())
    }
    for (const t of node.outputs) available.add(t)
    complete.push(node.layer.name)
  }
}

function checkNames(layers: readonly Layer[]): void {
  for (const { name } of layers) {
    const count = layers.filter((l) => l.name === name).length
    if (count > 1) throw new ValueError(`The name "${name}" is used ${count} times in the model. All layer names should be unique.`, captureLocation())
  }
}

/** Runs all layers between `inputs`, which stand for the network's inputs, and the outputs. */
export function runNetwork(network: Network, inputs: readonly KTensor[], scope: RunScope): KTensor[] {
  const values = new Map<KTensor, KTensor>(network.inputs.map((t, i) => [t, inputs[i]!]))
  for (const node of network.nodesByDepth.flat()) {
    if (node.isSource) continue
    const results = node.layer.run(node.inputs.map((t) => values.get(t)!), node.arguments, scope)
    node.outputs.forEach((t, i) => values.set(t, results[i]!))
  }
  return network.outputs.map((t) => values.get(t)!)
}
