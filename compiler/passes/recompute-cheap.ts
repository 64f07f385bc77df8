/**
 * Gives every reader of a cheap value one of its own, so that it is computed where it is read instead of being stored:
 * a value made of positions and constants alone, or of overlapping windows, which is larger than what it is made of.
 *
 *     %1 = iota() : i32[B,9]                  %1 = iota() : i32[B,9]
 *     %2 = mul(%1, 2) : i32[B,9]              %2 = mul(%1, 2) : i32[B,9]
 *     %3 = min(%2, axes=[1]) : i32[B]    →    %3 = min(%2, axes=[1]) : i32[B]
 *     %4 = equal(%2, %5) : bool[B,9]          %6 = mul(%1, 2) : i32[B,9]
 *                                             %4 = equal(%6, %5) : bool[B,9]
 */
import { keep, rewriteGraph, rootsOf, type Graph, type Node } from '../ir/graph.js'
import { isUnit, readsEachOnce } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf } from './kernel-groups.js'

/** Longer chains are worth their memory. */
const longestChain = 4

export function recomputeCheap(graph: Graph): Graph {
  const roots = new Set(rootsOf(graph))
  return rewriteGraph(graph, (node, inputs) => keep(node, inputs.map((input) => (roots.has(input) ? input : ownCopy(input)))))
}

/** A new node for a value that is to be computed again, the node itself for any other. Single elements cost nothing to store. */
const ownCopy = (node: Node): Node =>
  (!node.type.shape.every(isUnit) && isCheap(node, longestChain) ? { ...node, inputs: node.inputs.map(ownCopy) } : node)

/** Pointwise, and made of nothing that would have to be stored at its size. */
function isCheap(node: Node, longest: number): boolean {
  const { lowering, cost } = opOf(node)
  if (lowering.kind !== 'pointwise' || cost === 'costly' || longest === 0) return false
  return accessesOf(node).every((access) => {
    const { source } = access
    const made = opOf(source)
    if (made.lowering.kind === 'generate') return made.cost !== 'costly'
    return !readsEachOnce(access) || isCheap(source, longest - 1)
  })
}
