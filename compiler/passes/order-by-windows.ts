/**
 * Computes a product in the order of the windows that read it, where each element is in one of them and nothing else reads it
 * as it is: the rows of a window are then neighbours, the end of the product can combine them, and the product itself is not
 * stored. A convolution with bias, relu and pooling is one kernel, and its gradient reads what that left in the same order.
 *
 *     %1 = matmul(%x, %w) : f32[B,6,4]                  %1 = windows(%x) {axes=[1], sizes=[2]} : f32[B,3,2,5]
 *     %2 = relu(%1) : f32[B,6,4]                        %2 = matmul(%1, %w) : f32[B,3,2,4]
 *     %3 = windows(%2) {axes=[1], sizes=[2]}        →   %3 = relu(%2) : f32[B,3,2,4]
 *     %4 = max(%3) {axes=[2]} : f32[B,3,4]              %4 = max(%3) {axes=[2]} : f32[B,3,4]
 *
 * Element-by-element work between the two moves along. Where it meets values that were brought out of the same windows, as
 * gradients are, it is done before they are.
 */
import { equalShapes } from '../ir/dim.js'
import { keep, rewriteGraph, rootsOf, topological, usersOf, type Graph, type Node } from '../ir/graph.js'
import { remake, within, type WindowSpec } from '../ops/build.js'
import { opOf } from '../ops/registry.js'
import { exactWindows, intoWindows, outOfWindows, sameWindows, windowsBehind } from '../ops/windows-order.js'
import { isGiven } from './compute-in-parts.js'
import { mostRowsTogether } from './kernel-groups.js'

/** A product that moves into the order of `spec`, with the work that moves along, and the work after which values are brought back. */
type Move = { readonly spec: WindowSpec; readonly along: ReadonlySet<Node>; readonly ends: ReadonlySet<Node> }

export function orderByWindows(graph: Graph): Graph {
  const moves = new Map<Node, Move>(), order = topological(rootsOf(graph)), finder = new MoveFinder(order, new Set(rootsOf(graph)))
  for (const node of order) {
    const move = kindOf(node) === 'contract' ? finder.moveOf(node) : null
    const nodes = move ? [...move.along, ...move.ends] : []
    if (move && nodes.every((each) => !moves.has(each))) for (const each of nodes) moves.set(each, move)
  }
  return moves.size === 0 ? graph : inOrder(graph, moves)
}

const kindOf = (node: Node): string => opOf(node).lowering.kind

class MoveFinder {
  private readonly users: ReadonlyMap<Node, readonly Node[]>

  constructor(order: readonly Node[], private readonly roots: ReadonlySet<Node>) {
    this.users = usersOf(order)
  }

  moveOf(product: Node): Move | null {
    const along = this.workOn(product), readers = [...along].flatMap((node) => this.users.get(node)!).filter((user) => !along.has(user))
    const spec = readers.map(exactWindows).find((found) => found !== null)
    if (!spec || !fits(product, spec) || [...along].some((node) => this.roots.has(node))) return null
    const ends = new Set(readers.filter((reader) => kindOf(reader) === 'pointwise'))
    const known = readers.every((reader) => ends.has(reader) || this.isCombined(reader, spec))
    return known && [...ends].every((end) => meetsWindows(end, along, spec)) ? { spec, along, ends } : null
  }

  /** The product and what is computed from it alone, element by element. */
  private workOn(product: Node): Set<Node> {
    const along = new Set([product])
    for (const node of along) for (const user of this.users.get(node)!) {
      if (kindOf(user) === 'pointwise' && user.inputs.every((input) => along.has(input) || isGiven(input))) along.add(user)
    }
    return along
  }

  /** The same windows, whose elements are worked on and combined. */
  private isCombined(reader: Node, spec: WindowSpec): boolean {
    const own = exactWindows(reader)
    return own !== null && sameWindows(own, spec) && this.users.get(reader)!.every((user) => ['pointwise', 'reduce'].includes(kindOf(user)))
  }
}

/** Windows over the last rows of the product, small enough for its end. */
function fits(product: Node, { axes, sizes }: WindowSpec): boolean {
  const { lowering } = opOf(product)
  if (lowering.kind !== 'contract') return false
  const { outer } = lowering.axes(product).lhs
  return outer.every((axis, i) => axis === i) && axes.at(-1) === outer.length - 1 && axes[0]! > 0 && sizes.reduce((count, size) => count * size, 1) <= mostRowsTogether
}

/** Does it read nothing that would have to be put into the order of the windows? */
const meetsWindows = (end: Node, along: ReadonlySet<Node>, spec: WindowSpec): boolean =>
  end.inputs.every((input) => along.has(input) || isGiven(input) || (equalShapes(input.type.shape, end.type.shape) && windowsBehind(input, spec) !== null))

function inOrder(graph: Graph, moves: ReadonlyMap<Node, Move>): Graph {
  const moved = new Map<Node, Node>()
  return rewriteGraph(graph, (node, inputs) => {
    const shown = exactWindows(node) && moved.get(node.inputs[0]!)
    if (shown) return shown
    const move = moves.get(node)
    if (!move) return keep(node, inputs)
    const inWindows = within(node.from, () => remake(node, node.inputs.map((input, i) => operand(node, i, moved.get(input), inputs[i]!, move.spec))))
    if (move.ends.has(node)) return within(node.from, () => outOfWindows(inWindows, move.spec))
    moved.set(node, inWindows)
    return keep(node, inputs)
  })
}

/** Of a product the rows alone are in the order of the windows. */
function operand(node: Node, i: number, moved: Node | undefined, rebuilt: Node, spec: WindowSpec): Node {
  if (kindOf(node) === 'contract') return i === 0 ? intoWindows(rebuilt, spec) : rebuilt
  return moved ?? windowsBehind(rebuilt, spec) ?? intoWindows(rebuilt, spec)
}
