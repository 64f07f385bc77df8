/**
 * Computes no more places of a value than are read: where windows of one element lie some steps apart, as those of a 1 × 1
 * convolution with strides do, nothing between them is computed, if nothing else reads it. So the last block of a residual
 * stage leaves out three quarters of its last two convolutions, when the next stage begins with such a convolution.
 *
 *     %1 = matmul(%x, %w) : f32[8,4]                   %1 = windows(%x, axes=[0], sizes=[1], strides=[2]) : f32[4,1,16]
 *     %2 = relu(%1) : f32[8,4]                    →    %2 = matmul(reshape(%1), %w) : f32[4,4]
 *     %3 = windows(%2, axes=[0], sizes=[1],            %3 = reshape(relu(%2)) : f32[4,1,4]
 *                  strides=[2]) : f32[4,1,4]
 */
import { isStatic } from '../ir/dim.js'
import { keep, readOnce, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { integersAttr } from '../ops/attrs.js'
import { remake, reshape, windows, within } from '../ops/build.js'
import { argumentOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

export function thinProducts(graph: Graph): Graph {
  const once = readOnce(graph)
  return rewriteGraph(graph, (node, inputs) => {
    const [source] = node.inputs, [rebuilt] = inputs, steps = stepsOf(node)
    return steps && source && rebuilt && once.has(source) ? within(node.from, () => reshape(thinned(source, rebuilt, steps, once), node.type.shape)) : keep(node, inputs)
  })
}

/** How far apart windows of one element are along each axis of what they are taken of; null for other nodes. */
function stepsOf(node: Node): number[] | null {
  const source = argumentOf(node, 'windows')
  if (source === null || integersAttr(node.attrs, 'sizes').some((size) => size !== 1)) return null
  const axes = integersAttr(node.attrs, 'axes'), strides = integersAttr(node.attrs, 'strides')
  return axes.every((axis) => isStatic(source.type.shape[axis]!)) ? source.type.shape.map((_, axis) => strides[axes.indexOf(axis)] ?? 1) : null
}

/** Every `steps[axis]`-th element of `source`, which has become `rebuilt`. */
function thinned(source: Node, rebuilt: Node, steps: readonly number[], once: ReadonlySet<Node>): Node {
  if (steps.every((step) => step === 1)) return rebuilt
  const op = opOf(rebuilt)
  if (!once.has(source) || op !== opOf(source)) return taken(rebuilt, steps)
  const read = (input: Node, own: readonly number[]): Node => thinned(source.inputs[rebuilt.inputs.indexOf(input)]!, input, own, once)
  return within(rebuilt.from, () => (op.lowering.kind === 'pointwise' ? remake(rebuilt, rebuilt.inputs.map((input) => read(input, steps))) : op.thinned?.(rebuilt, steps, read))) ?? taken(rebuilt, steps)
}

/** The same of a value that is there as a whole. */
function taken(x: Node, steps: readonly number[]): Node {
  const axes = steps.flatMap((step, axis) => (step === 1 ? [] : [axis])), ones = axes.map(() => 1)
  const apart = windows(x, { axes, sizes: ones, strides: axes.map((axis) => steps[axis]!), dilations: ones })
  return reshape(apart, apart.type.shape.filter((_, axis) => axis <= axes.at(-1)! || axis > axes.at(-1)! + axes.length))
}
