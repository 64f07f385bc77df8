/**
 * Turns gradients into updates of variables: the optimizer becomes a part of the graph.
 *
 * Before: `differentiate` has added an output `gradient:<variable>` for every parameter.
 * After: those outputs are gone; the function updates the parameters and the optimizer's own variables. Everything reads
 * the values from the start of the call.
 *
 *     output "loss" = %1                          %5 = mul(%lr, %4) : f32[]
 *     output "gradient:w" = %4            →       %6 = sub(%0, %5) : f32[]
 *                                                 output "loss" = %1
 *                                                 update "w" = %6
 */
import type { Graph, Node } from '../ir/graph.js'
import { within } from '../ops/build.js'
import type { OptimizerUpdate } from '../ops/optimizer-update.js'
import { gradientName, variableNodes, type DifferentiateSpec } from './differentiate.js'

export type OptimizerSpec = DifferentiateSpec & { readonly update: OptimizerUpdate }

/** @throws Error when the graph has not been differentiated. */
export function attachOptimizer(graph: Graph, { parameters, update }: OptimizerSpec): Graph {
  const variables = variableNodes(graph)
  const gradients = new Map(graph.outputs.map((o) => [o.name, o.node]))
  const pairs = parameters.map((name) => ({ variable: present(variables.get(name), name), gradient: present(gradients.get(gradientName(name)), name) }))
  const updates = within({ location: null, path: 'optimizer' }, () => update(pairs))
  const names = new Set(parameters.map(gradientName))
  return { ...graph, outputs: graph.outputs.filter((o) => !names.has(o.name)), updates: [...graph.updates, ...updates] }
}

function present(node: Node | undefined, name: string): Node {
  if (!node) throw new Error(`attachOptimizer: no gradient of "${name}" in the graph; differentiate it first`)
  return node
}
