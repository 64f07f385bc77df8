/**
 * Computes element by element in the parts of a value that is put together, rather than on the whole: there it can join the
 * kernel that makes the part, and the value before it is not stored at all.
 *
 *     %3 = concat(%1, %2) {axis=1} : f32[B,8]      %3 = relu(%1) : f32[B,4]
 *     %4 = relu(%3) : f32[B,8]                  →   %4 = relu(%2) : f32[B,4]
 *                                                   %5 = concat(%3, %4) {axis=1} : f32[B,8]
 *
 * Done where all readers of the whole are such, and all else they read is given or repeated: what another kernel makes would
 * have to be taken apart. Where all readers combine over axes that no part ends on, such as a mean over the positions of
 * channels put together, each part is combined by itself, and the whole is never there.
 *
 *     %3 = concat(%1, %2) {axis=1} : f32[B,8]      %3 = sum(%1) {axes=[0]} : f32[4]
 *     %4 = sum(%3) {axes=[0]} : f32[8]          →   %4 = sum(%2) {axes=[0]} : f32[4]
 *                                                   %5 = concat(%3, %4) {axis=0} : f32[8]
 */
import { equalShapes, sizeOf, equalDims, type Shape } from '../ir/dim.js'
import { keep, rewriteGraph, rootsOf, topological, usersOf, type Graph, type Node } from '../ir/graph.js'
import { concat, reshape, slice, within, remake } from '../ops/build.js'
import { opOf } from '../ops/registry.js'

export function computeInParts(graph: Graph): Graph {
  const order = topological(rootsOf(graph)), whole = new WholeReaders(new Set(rootsOf(graph)), usersOf(order))
  return rewriteGraph(graph, (node, inputs) => {
    const kept = keep(node, inputs)
    if (opOf(node).lowering.kind === 'reduce') return whole.isOnlyCombined(node.inputs[0]!) ? within(node.from, () => combinedInParts(kept, inputs[0]!)) ?? kept : kept
    const from = opOf(node).lowering.kind === 'pointwise' ? inputs.findIndex((input, i) => isInParts(input) && whole.isOnlyComputedWith(node.inputs[i]!)) : -1
    if (from < 0 || !inputs.every((input, i) => i === from || isGiven(input))) return kept
    return within(node.from, () => inside(kept, from, inputs[from]!, inputs))
  })
}

const kindOf = (node: Node): string => opOf(node).lowering.kind

/** Boxes put together, under whatever shape. */
const isInParts = (node: Node): boolean => kindOf(node) === 'tiles' || (kindOf(node) === 'view' && isInParts(node.inputs[0]!))

/** Is there without a kernel, or repeats something smaller: any part of it is read for free. */
export function isGiven(node: Node): boolean {
  const kind = kindOf(node)
  if (kind === 'leaf' || kind === 'generate') return true
  if (kind === 'view') return isGiven(node.inputs[0]!)
  return kind === 'indexMap' && !equalDims(sizeOf(node.inputs[0]!.type.shape), sizeOf(node.type.shape))
}

class WholeReaders {
  constructor(private readonly roots: ReadonlySet<Node>, private readonly users: ReadonlyMap<Node, readonly Node[]>) {}

  /** Does nothing but element-by-element work read the value, and each view on the way to what it shows? */
  isOnlyComputedWith(node: Node): boolean {
    return this.endsInWork(node) && (kindOf(node) !== 'view' || this.isOnlyComputedWith(node.inputs[0]!))
  }

  /** Is everything that reads the value a combination of it that its parts allow? */
  isOnlyCombined(node: Node): boolean {
    return kindOf(node) === 'tiles' && !this.roots.has(node) && this.users.get(node)!.every((user) => partedAxis(user, node) !== null)
  }

  private endsInWork(node: Node): boolean {
    return !this.roots.has(node) && this.users.get(node)!.every((user) => kindOf(user) === 'pointwise' || (kindOf(user) === 'view' && this.endsInWork(user)))
  }
}

/** The axis of the result along which a combination of `value` follows its parts; null where it does not. */
function partedAxis(node: Node, value: Node): number | null {
  const { lowering } = opOf(node), { shape } = value.type
  const [axis, ...others] = shape.map((_, i) => i).filter((i) => value.inputs.some((part) => !equalDims(part.type.shape[i]!, shape[i]!)))
  if (lowering.kind !== 'reduce' || axis === undefined || others.length > 0 || lowering.axes(node).includes(axis)) return null
  return axis - lowering.axes(node).filter((reduced) => reduced < axis).length
}

function combinedInParts(node: Node, value: Node): Node | null {
  const axis = kindOf(value) === 'tiles' ? partedAxis(node, value) : null
  return axis === null ? null : concat(value.inputs.map((part) => remake(node, [part])), axis)
}

/** `node`, with its operand number `from` replaced by `value` and the others as they are there, computed in the parts of `value`. */
function inside(node: Node, from: number, value: Node, operands: readonly Node[]): Node {
  const part = (inner: Node, other: (x: Node) => Node): Node =>
    inside(node, from, inner, operands.map((x, i) => (i === from ? inner : other(x))))
  const { lowering } = opOf(value), [inner] = value.inputs
  if (lowering.kind === 'view' && inner) return reshape(part(inner, (x) => reshaped(x, inner.type.shape)), value.type.shape)
  if (lowering.kind !== 'tiles') return remake(node, operands)
  const offsets = lowering.offsets(value)
  return remake(value, value.inputs.map((x, i) => part(x, (other) => slice(other, offsets[i]!, x.type.shape))))
}

const reshaped = (x: Node, shape: Shape): Node => (equalShapes(x.type.shape, shape) ? x : reshape(x, shape))
