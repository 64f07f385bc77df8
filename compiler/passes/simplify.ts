/**
 * Replaces nodes by cheaper equal ones, until no rule applies.
 *
 * Before: any verified graph whose derivatives have been taken (`stopGradient` disappears here).
 * After: the same function, up to the last digit where two constants were joined. The rules are the `simplify` fields of
 * the op records (`ops/algebra.ts` and others), and one that holds for all elementwise ops: computing on the small side of a
 * broadcast.
 *
 *     %2 = broadcastTo(%lr) {shape} : f32[64]            %2 = mul(%lr, %s) : f32[]
 *     %3 = broadcastTo(%s) {shape} : f32[64]      →      %3 = broadcastTo(%2) {shape} : f32[64]
 *     %4 = mul(%2, %3) : f32[64]
 */
import { equalShapes, type Shape } from '../ir/dim.js'
import { keep, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { broadcastShapes, broadcastTo, constant, remake, within } from '../ops/build.js'
import { argumentOf, constantOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'

/** More steps on one node than any chain of rules takes: rules that undo each other. */
const stepLimit = 100

export function simplify(graph: Graph): Graph {
  const finished = new Map<Node, Node>()
  return rewriteGraph(graph, (node, inputs) => simplifyNode(keep(node, inputs), finished))
}

/** The simplest form of `node`. Nodes in `finished` are simple already; others are those a rule has just made. */
function simplifyNode(node: Node, finished: Map<Node, Node>): Node {
  let at = node
  for (let step = 0; !finished.has(at); step++) {
    if (step === stepLimit) throw new Error(`simplification of ${node.op} does not end at ${at.op}`)
    at = keep(at, at.inputs.map((x) => simplifyNode(x, finished)))
    const next = within(at.from, () => opOf(at).simplify?.(at) ?? belowBroadcast(at))
    if (next === null) finished.set(at, at)
    else at = next
  }
  const result = finished.get(at)!
  finished.set(node, result)
  return result
}

/** Where an operand of an elementwise op really comes from; null for one that has its own element at each position. */
const smallShape = (x: Node): Shape | null => (constantOf(x) !== null ? [] : argumentOf(x, 'broadcastTo')?.type.shape ?? null)

/** An elementwise op of broadcast operands, as the broadcast of the op on what they have in common. */
function belowBroadcast(node: Node): Node | null {
  if (opOf(node).lowering.kind !== 'pointwise' || node.inputs.every((x) => constantOf(x) !== null)) return null
  const shapes = node.inputs.map(smallShape)
  if (!shapes.every((s) => s !== null)) return null
  const common = shapes.reduce<Shape>(broadcastShapes, [])
  if (equalShapes(common, node.type.shape)) return null
  const small = node.inputs.map((x) => {
    const value = constantOf(x)
    return value !== null ? constant(value, { dtype: x.type.dtype, shape: common }) : broadcastTo(argumentOf(x, 'broadcastTo')!, common)
  })
  return broadcastTo(remake(node, small), node.type.shape)
}
