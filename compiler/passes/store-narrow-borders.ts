/**
 * Puts a border together once, instead of reading it under a condition, where windows run over it and what lies inside is
 * in runs shorter than a vector: every window would ask again for each few elements.
 *
 *     %1 = pad(%x) {before=[0,1,0], after=[0,0,0]} : f32[B,9,3]       %1 = concat(%zero, %x) {axis=1} : f32[B,9,3]
 *     %2 = windows(%1) {…} : f32[B,7,3,3]                        →    %2 = windows(%1) {…} : f32[B,7,3,3]
 */
import { widestVector } from '../ir/cost.js'
import { isStatic } from '../ir/dim.js'
import { constIndex, equalIndex } from '../ir/expr.js'
import { keep, rewriteGraph, rootsOf, topological, type Graph, type Node } from '../ir/graph.js'
import { identityIndex } from '../ops/access.js'
import { within } from '../ops/build.js'
import { opOf } from '../ops/registry.js'

export function storeNarrowBorders(graph: Graph): Graph {
  const overlapping = new Set(topological(rootsOf(graph)).filter(overlaps).map((node) => node.inputs[0]!))
  return rewriteGraph(graph, (node, inputs) => {
    const { lowering } = opOf(node), kept = keep(node, inputs)
    return lowering.kind === 'border' && overlapping.has(node) && isNarrow(node) ? within(node.from, () => lowering.assembled(kept)) : kept
  })
}

/** Does an index map read elements for several places along the same axis? */
function overlaps(node: Node): boolean {
  const { lowering } = opOf(node)
  return lowering.kind === 'indexMap' && lowering.map(identityIndex(node.type.shape.length), node).some((index) => index.terms.length > 1)
}

/** Are runs along the last axis, inside the border, short or bordered themselves? */
function isNarrow(node: Node): boolean {
  const { lowering } = opOf(node), inner = node.inputs[0]!.type.shape, last = inner.length - 1, run = inner[last]
  if (lowering.kind !== 'border' || run === undefined) return false
  const along = lowering.inside(identityIndex(inner.length), node)[last]!
  return (isStatic(run) && run < widestVector) || !equalIndex(along, identityIndex(inner.length)[last] ?? constIndex(0))
}
