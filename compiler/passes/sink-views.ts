/**
 * Moves a reshape from before an op on elements to after it: what makes the value and the op are then one kernel over the
 * shape in which the value is made, and what is reshaped is stored in any case.
 *
 *     %1 = mul(%a, %b) : f32[B,2,4]                        %1 = mul(%a, %b) : f32[B,2,4]
 *     %2 = reshape(%1) : f32[B,8]                          %m = reshape(%mask) : bool[B,2,4]
 *     %3 = select(%mask, %2, 0) : f32[B,8]             →   %2 = select(%m, %1, 0) : f32[B,2,4]
 *                                                          %3 = reshape(%2) : f32[B,8]
 *
 * Nothing else may read the value, and the other operands must be values that lie in memory anyway, or are generated, or masks
 * of a byte for each element: a reshape of them must not cost a kernel of its own.
 */
import { equalShapes, type Shape } from '../ir/dim.js'
import { keep, readOnce, rewriteGraph, rootsOf, topological, usersOf, type Graph, type Node } from '../ir/graph.js'
import { identityIndex, isUnit, resolve } from '../ops/access.js'
import { broadcastTo, remake, reshape, within } from '../ops/build.js'
import { argumentOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

export function sinkViews(graph: Graph): Graph {
  const once = readOnce(graph), users = usersOf(topological([...graph.inputs, ...rootsOf(graph)])), made = new Set<Node>()
  const isStored = (original: Node): boolean => users.get(original)!.some((user) => opOf(user).lowering.kind !== 'pointwise')
  return rewriteGraph(graph, (node, inputs) => {
    const at = opOf(node).lowering.kind === 'pointwise' ? inputs.findIndex((input, i) => isSinking(node.inputs[i]!, input, once, made)) : -1
    if (at < 0) return keep(node, inputs)
    const { shape } = inputs[at]!.inputs[0]!.type
    const below = inputs.map((input, i) => (i === at ? input.inputs[0]! : within(node.from, () => inShape(input, shape, isStored(node.inputs[i]!)))))
    if (!below.every((operand) => operand !== null)) return keep(node, inputs)
    const sunk = within(node.from, () => reshape(remake(node, below), node.type.shape))
    made.add(sunk)
    return sunk
  })
}

/** A reshape that readers cannot look through, of a value made for it alone. */
function isSinking(original: Node, view: Node, once: ReadonlySet<Node>, made: ReadonlySet<Node>): boolean {
  if (opOf(view).lowering.kind !== 'view' || !once.has(original) || resolve(view, identityIndex(view.type.shape.length)).source !== view) return false
  const [source] = view.inputs
  return opOf(source!).lowering.kind !== 'leaf' && (made.has(view) || once.has(original.inputs[0]!))
}

/** Made of nothing but generated elements, such as the mask of a dropout: the same from other generators; null where it is not. */
function generatedIn(node: Node, shape: Shape): Node | null {
  const repeated = argumentOf(node, 'broadcastTo'), { lowering, reshaped } = opOf(node)
  if (repeated?.type.shape.every(isUnit) === true) return broadcastTo(reshape(repeated, []), shape)
  if (lowering.kind === 'generate') return reshaped ? reshaped(node, shape) : null
  const inputs = lowering.kind === 'pointwise' ? node.inputs.map((input) => generatedIn(input, shape)) : [null]
  return inputs.every((input) => input !== null) ? remake(node, inputs) : null
}

/** An operand under another shape, or null where that would cost something. */
function inShape(operand: Node, shape: Shape, isStored: boolean): Node | null {
  const generated = generatedIn(operand, shape), { lowering } = opOf(operand)
  if (generated) return generated
  switch (lowering.kind) {
    case 'view': return equalShapes(operand.inputs[0]!.type.shape, shape) ? operand.inputs[0]! : reshape(operand, shape)
    case 'leaf': case 'contract': case 'reduce': case 'argmax': case 'collect': case 'tiles': return reshape(operand, shape)
    case 'pointwise': return isStored || operand.type.dtype === 'bool' ? reshape(operand, shape) : null
    default: return null
  }
}
