/**
 * Computes ahead what depends on constants only.
 *
 * Before: any verified graph. Constants have one value for all elements.
 * After: no op has only constants as inputs and a result whose elements are all equal (results of ops that combine elements
 * are looked at up to `sizeLimit` elements). Values are rounded as the op itself would round them.
 *
 *     %0 = constant() {value=2, dtype, shape} : f32[B,3]       %0 = constant() {value=1.4142135381698608, dtype, shape} : f32[B,3]
 *     %1 = sqrt(%0) : f32[B,3]                            →
 */
import { isStatic, sizeOf } from '../ir/dim.js'
import { keep, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { constant, remake, within } from '../ops/build.js'
import { evaluateNode, evaluateNodes } from '../ops/interpret.js'
import { constantOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

const sizeLimit = 4096

export const foldConstants = (graph: Graph): Graph =>
  rewriteGraph(graph, (node, inputs) => {
    const kept = keep(node, inputs)
    const value = inputs.length > 0 ? foldedValue(kept) : null
    return value === null ? kept : within(node.from, () => constant(value, node.type))
  })

/** The value that all elements of a node of constants have, or null. */
function foldedValue(node: Node): number | null {
  const values = node.inputs.map(constantOf)
  if (!values.every((v) => v !== null)) return null
  const { kind } = opOf(node).lowering
  switch (kind) {
    case 'pointwise': return pointwiseValue(node, values)
    case 'view': case 'indexMap': return values[0]!
    case 'tiles': return values.every((v) => Object.is(v, values[0])) ? values[0]! : null
    case 'border': case 'reduce': case 'argmax': case 'contract': case 'lookup': case 'collect': case 'composed': return combinedValue(node)
    case 'generate': case 'leaf': return null
  }
}

/** One element stands for all, so that sizes need not be known. */
function pointwiseValue(node: Node, values: readonly number[]): number {
  const elements = values.map((v, i) => constant(v, { dtype: node.inputs[i]!.type.dtype, shape: [] }))
  const element = remake(node, elements)
  return evaluateNodes([element], { inputs: {} }).get(element)!.data[0]!
}

function combinedValue(node: Node): number | null {
  const sizes = [node, ...node.inputs].map((n) => sizeOf(n.type.shape))
  if (!sizes.every((s) => isStatic(s) && s <= sizeLimit)) return null
  const inputs = node.inputs.map((x) => evaluateNode(x, [], { inputs: {} }))
  const { data } = evaluateNode(node, inputs, { inputs: {} })
  return data.length > 0 && data.every((v) => Object.is(v, data[0])) ? data[0]! : null
}
