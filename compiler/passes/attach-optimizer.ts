/**
 * Turns gradients into updates of variables: the optimizer becomes a part of the graph.
 *
 * Before: a forward function with the loss among its outputs, as `differentiate` wants it.
 * After: the function also updates the parameters and the optimizer's own variables; its outputs are the same. Everything
 * reads the values from the start of the call.
 *
 *     %1 = mul(%0, %0) : f32[]                    %1 = mul(%0, %0) : f32[]
 *     output "loss" = %1                          … %4 = the gradient to %0
 *                                          →      %5 = mul(%lr, %4) : f32[]
 *                                                 %6 = sub(%0, %5) : f32[]
 *                                                 output "loss" = %1
 *                                                 update "w" = %6
 */
import type { Graph } from '../ir/graph.js'
import { within } from '../ops/build.js'
import type { OptimizerUpdate } from '../ops/optimizer-update.js'
import { differentiate, gradientName, variableNodes, type DifferentiateSpec } from './differentiate.js'

export type OptimizerSpec = DifferentiateSpec & { readonly update: OptimizerUpdate }

/** @throws ValueError, in Keras' words, when the loss does not depend on a parameter in a differentiable way. */
export function attachOptimizer(graph: Graph, spec: OptimizerSpec): Graph {
  const differentiated = differentiate(graph, spec)
  const variables = variableNodes(differentiated)
  const gradients = new Map(differentiated.outputs.map((o) => [o.name, o.node]))
  const pairs = spec.parameters.map((name) => ({ variable: variables.get(name)!, gradient: gradients.get(gradientName(name))! }))
  const updates = within({ location: null, path: 'optimizer' }, () => spec.update(pairs))
  const names = new Set(spec.parameters.map(gradientName))
  const outputs = differentiated.outputs.filter((o) => !names.has(o.name))
  return { ...differentiated, outputs, updates: [...differentiated.updates, ...updates] }
}
