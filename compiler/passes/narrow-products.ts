/**
 * Computes no more of a value than is read: a slice of a product that nothing else reads is the product of slices. The
 * gradient of a convolution by its input is one, as it does not reach into the border that the convolution had. So are
 * combinations over some axes, and what they are under another shape.
 *
 *     %2 = matmul(%x, %w) : f32[9,4]                      %1 = slice(%x) {begin=[1,0], size=[7,5]} : f32[7,5]
 *     %3 = slice(%2) {begin=[1,0], size=[7,4]} : f32[7,4]  →  %3 = matmul(%1, %w) : f32[7,4]
 */
import { keep, readOnce, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { addDims, type Shape } from '../ir/dim.js'
import { shapeAttr } from '../ops/attrs.js'
import { within } from '../ops/build.js'
import { argumentOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

export function narrowProducts(graph: Graph): Graph {
  const once = readOnce(graph)
  return rewriteGraph(graph, (node, inputs) => {
    const source = argumentOf(node, 'slice'), [rebuilt] = inputs
    const part = source && rebuilt ? narrowed(source, rebuilt, shapeAttr(node.attrs, 'begin'), node.type.shape, once) : null
    return part ?? keep(node, inputs)
  })
}

/** The part of `source`, which has become `rebuilt`, and of what it is made of; null where it stays whole. */
function narrowed(source: Node, rebuilt: Node, begin: Shape, size: Shape, once: ReadonlySet<Node>): Node | null {
  if (!once.has(source) || opOf(source) !== opOf(rebuilt)) return null
  const inner = argumentOf(rebuilt, 'slice')
  if (inner) return narrowed(source.inputs[0]!, inner, begin.map((d, i) => addDims(d, shapeAttr(rebuilt.attrs, 'begin')[i]!)), size, once)
  const { sliced } = opOf(rebuilt)
  const part = sliced ? within(rebuilt.from, () => sliced(rebuilt, begin, size)) : null
  if (!part || part.inputs[0] === rebuilt) return null
  return keep(part, part.inputs.map((input, i) => {
    const whole = argumentOf(input, 'slice'), inner = source.inputs[i]
    const part = whole && inner && whole === rebuilt.inputs[i] ? narrowed(inner, whole, shapeAttr(input.attrs, 'begin'), input.type.shape, once) : null
    return part ?? input
  }))
}
