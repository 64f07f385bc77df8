/**
 * Puts what they are made of in the place of ops that are kept whole for differentiation: the transpose of windows has
 * windows for its derivative, while of the parts that it is computed by each would have its own.
 *
 *     %1 = matmul(%x, %w) {transposeB=true} : f32[B,5,3,8]       %1 = pad(%x) {before=[0,2,0], after=[0,2,0]} : f32[B,9,4]
 *     %2 = overlapAdd(%1) {shape=[B,7,8], …} : f32[B,7,8]    →    %2 = windows(%1) {…} : f32[B,7,3,4]
 *                                                                 …
 */
import { keep, rewriteGraph, type Graph } from '../ir/graph.js'
import { within } from '../ops/build.js'
import { opOf } from '../ops/registry.js'

export const expandComposed = (graph: Graph): Graph => rewriteGraph(graph, (node, inputs) => {
  const { lowering } = opOf(node), kept = keep(node, inputs)
  return lowering.kind === 'composed' ? within(node.from, () => lowering.of(kept)) : kept
})
