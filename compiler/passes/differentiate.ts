/**
 * Adds the gradients of the loss to the outputs of a function.
 *
 * Before: a forward function with a 0-d float output of the name `loss`. `stopGradient` nodes are still there, so this runs
 * before simplification. After: one more output `gradient:<variable>` per parameter; forward values are shared, not repeated.
 *
 *     %0 = variable() {name="w", dtype, shape} : f32[]       %0 = variable() {name="w", dtype, shape} : f32[]
 *     %1 = mul(%0, %0) : f32[]                               %1 = mul(%0, %0) : f32[]
 *     output "loss" = %1                                →    …
 *                                                            output "loss" = %1
 *                                                            output "gradient:w" = %4
 */
import { ValueError } from '../../runtime/contract/errors.js'
import { rootsOf, topological, type Graph, type Node } from '../ir/graph.js'
import { gradients } from '../ops/gradients.js'
import { leafName } from '../ops/leaf.js'
import { opOf } from '../ops/registry.js'
import { eliminateCommon } from './eliminate-common.js'

/** `loss`: name of the output to differentiate. `parameters`: names of variables. */
export type DifferentiateSpec = { readonly loss: string; readonly parameters: readonly string[] }

/** Name of the output that holds the gradient to a variable. */
export const gradientName = (variable: string): string => `gradient:${variable}`

/** @throws ValueError, in Keras' words, when the loss does not depend on a parameter in a differentiable way. */
export function differentiate(graph: Graph, spec: DifferentiateSpec): Graph {
  // One node per variable: a gradient is the sum over all reads.
  const shared = eliminateCommon(graph)
  const variables = variableNodes(shared)
  const loss = shared.outputs.find((o) => o.name === spec.loss)
  if (!loss) throw new ValueError(`differentiate: no output "${spec.loss}", found ${shared.outputs.map((o) => `"${o.name}"`).join(', ')}.`)
  const wrt = spec.parameters.map((name) => variables.get(name) ?? noGradient(null))
  const outputs = gradients(loss.node, null, wrt).map((node, i) => ({ name: gradientName(spec.parameters[i]!), node: node ?? noGradient(wrt[i]!) }))
  return { ...shared, outputs: [...shared.outputs, ...outputs] }
}

/** Nodes that read variables, by variable name. */
export function variableNodes(graph: Graph): Map<string, Node> {
  return new Map(topological(rootsOf(graph)).flatMap((node): [string, Node][] => {
    const { lowering } = opOf(node)
    return lowering.kind === 'leaf' && lowering.holds === 'variable' ? [[leafName(node), node]] : []
  }))
}

function noGradient(variable: Node | null): never {
  throw new ValueError(
    'An operation has `None` for gradient. Please make sure that all of your ops have a gradient defined (i.e. are differentiable). ' +
    'Common ops without gradient: K.argmax, K.round, K.eval.', variable?.from.location ?? null)
}
