/**
 * Computes no more of a value than is read: a slice of a product that nothing else reads is the product of slices. The
 * gradient of a convolution by its input is one, as it does not reach into the border that the convolution had.
 *
 *     %2 = matmul(%x, %w) : f32[9,4]                      %1 = slice(%x) {begin=[1,0], size=[7,5]} : f32[7,5]
 *     %3 = slice(%2) {begin=[1,0], size=[7,4]} : f32[7,4]  →  %3 = matmul(%1, %w) : f32[7,4]
 */
import { keep, readOnce, rewriteGraph, type Graph } from '../ir/graph.js'
import { shapeAttr } from '../ops/attrs.js'
import { within } from '../ops/build.js'
import { argumentOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

export function narrowProducts(graph: Graph): Graph {
  const once = readOnce(graph)
  return rewriteGraph(graph, (node, inputs) => {
    const source = argumentOf(node, 'slice'), [rebuilt] = inputs
    const narrow = source && rebuilt && once.has(source) ? opOf(rebuilt).sliced : undefined
    return narrow ? within(rebuilt!.from, () => narrow(rebuilt!, shapeAttr(node.attrs, 'begin'), node.type.shape)) : keep(node, inputs)
  })
}
