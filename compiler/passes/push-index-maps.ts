/**
 * Moves transpositions, slices and the like from a value computed element by element to what it is computed from, when
 * nothing else reads it: there an index map costs nothing, while after it the value would be stored twice.
 *
 *     %1 = mul(%a, %b) : f32[2,3]                   %1 = transpose(%a, perm=[1,0]) : f32[3,2]
 *     %2 = transpose(%1, perm=[1,0]) : f32[3,2]  →   %2 = transpose(%b, perm=[1,0]) : f32[3,2]
 *                                                   %3 = mul(%1, %2) : f32[3,2]
 *
 * Maps that repeat elements stay where they are: before them less is computed. So do maps of a mask that kernels before make
 * from wider elements: a byte is read instead of four.
 */
import { isNeverNegative } from '../ir/dim-bounds.js'
import { equalDims, sizeOf, subtractDims } from '../ir/dim.js'
import { keep, readOnce, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { opOf } from '../ops/registry.js'
import { isGiven } from './compute-in-parts.js'

export function pushIndexMaps(graph: Graph): Graph {
  const once = readOnce(graph)
  return rewriteGraph(graph, (node, inputs) => {
    const [source] = node.inputs, [rebuilt] = inputs
    return source && rebuilt && isPicking(node) && isComputedOnce(source, once) ? through(node, source, rebuilt, once) : keep(node, inputs)
  })
}

const isComputedOnce = (node: Node, once: ReadonlySet<Node>): boolean => opOf(node).lowering.kind === 'pointwise' && once.has(node) && !isMaskOfWider(node, once)

/** A bool for which, without it, wider elements of as many places would be read that a kernel computes. */
function isMaskOfWider(node: Node, once: ReadonlySet<Node>): boolean {
  if (node.type.dtype !== 'bool' || opOf(node).lowering.kind !== 'pointwise' || !once.has(node)) return false
  return node.inputs.some((input) => !isGiven(input) && equalDims(sizeOf(input.type.shape), sizeOf(node.type.shape)) && (input.type.dtype !== 'bool' || isMaskOfWider(input, once)))
}

/** An index map that takes every element at most once. */
function isPicking(node: Node): boolean {
  if (opOf(node).lowering.kind !== 'indexMap') return false
  return isNeverNegative(subtractDims(sizeOf(node.inputs[0]!.type.shape), sizeOf(node.type.shape)))
}

/** `source`, which has become `rebuilt`, read through `map`. */
function through(map: Node, source: Node, rebuilt: Node, once: ReadonlySet<Node>): Node {
  const type = { dtype: source.type.dtype, shape: map.type.shape }
  if (!isComputedOnce(source, once)) return { ...map, inputs: [rebuilt], type }
  return { ...rebuilt, type, inputs: source.inputs.map((input, i) => through(map, input, rebuilt.inputs[i]!, once)) }
}
