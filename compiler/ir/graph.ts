/**
 * The graph IR: an immutable DAG of single-result nodes. A node is its value. A `Graph` is one function over inputs,
 * variables and run-time scalars; a `Module` is a set of functions over one table of variables.
 * What an op means is in `ops/`; here it is only a name.
 */
import type { DType } from '../../runtime/contract/dtype.js'
import type { SourceLocation } from '../../runtime/contract/errors.js'
import type { Dim, Shape } from './dim.js'
import type { ElementType } from './element-type.js'

export type TensorType = { readonly dtype: ElementType; readonly shape: Shape }

/** Values an attribute can have. Dimensions appear in shapes; everything prints and parses. */
export type AttrValue = Dim | string | boolean | null | readonly AttrValue[]
export type Attrs = { readonly [name: string]: AttrValue }

/** Where a node comes from: the user's line and the path of layers, such as "encoder/dense_1" or "grad(dense_1)". */
export type Provenance = { readonly location: SourceLocation | null; readonly path: string }
export const nowhere: Provenance = { location: null, path: '' }

export type Node = {
  readonly op: string
  readonly inputs: readonly Node[]
  readonly attrs: Attrs
  readonly type: TensorType
  readonly from: Provenance
}

export type Output = { readonly name: string; readonly node: Node }
/** At the end of the call, the variable takes the node's value. Reads inside the function see the old value. */
export type Update = { readonly variable: string; readonly node: Node }

export type Graph = {
  readonly name: string
  /** All inputs of the signature in order (nodes of op "input"), used or not. */
  readonly inputs: readonly Node[]
  readonly outputs: readonly Output[]
  readonly updates: readonly Update[]
}

export type Variable = {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** A `metric` is state that the host keeps and clears; the rest lives as long as the module. */
  readonly role: 'weight' | 'slot' | 'state' | 'metric'
  readonly trainable: boolean
}
export type Scalar = { readonly name: string; readonly value: number }

export type Module = {
  readonly name: string
  readonly variables: readonly Variable[]
  readonly scalars: readonly Scalar[]
  readonly functions: readonly Graph[]
}

/** Roots of a function: what must be computed. */
export const rootsOf = (graph: Graph): Node[] => [...graph.outputs.map((o) => o.node), ...graph.updates.map((u) => u.node)]

/** All nodes reachable from the roots, inputs before users, in an order that depends only on the structure. */
export function topological(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>()
  const order: Node[] = []
  // An explicit stack: graphs of deep models overflow the call stack.
  const stack: { node: Node; next: number }[] = []
  const enter = (node: Node): void => { if (!seen.has(node)) { seen.add(node); stack.push({ node, next: 0 }) } }
  for (const root of roots) {
    enter(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const input = top.node.inputs[top.next++]
      if (input) enter(input)
      else { order.push(top.node); stack.pop() }
    }
  }
  return order
}

/** Users of every node reachable from the roots. */
export function usersOf(order: readonly Node[]): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>(order.map((n) => [n, []]))
  for (const node of order) for (const input of node.inputs) users.get(input)!.push(node)
  return users
}

/** Nodes with one reader that are no result. */
export function readOnce(graph: Graph): ReadonlySet<Node> {
  const roots = rootsOf(graph), uses = new Map<Node, number>()
  const reads = [...roots, ...roots, ...topological(roots).flatMap((node) => node.inputs)]
  for (const node of reads) uses.set(node, (uses.get(node) ?? 0) + 1)
  return new Set([...uses].filter(([, count]) => count === 1).map(([node]) => node))
}

/**
 * Rebuilds a function bottom-up: `rule` is given each node and its rebuilt inputs and returns what stands for it.
 * Returning `keep(node, inputs)` leaves it as it is.
 */
export function rewriteGraph(graph: Graph, rule: (node: Node, inputs: readonly Node[]) => Node): Graph {
  const rebuilt = new Map<Node, Node>()
  const at = (n: Node): Node => rebuilt.get(n)!
  for (const node of topological([...graph.inputs, ...rootsOf(graph)])) rebuilt.set(node, rule(node, node.inputs.map(at)))
  return {
    name: graph.name,
    inputs: graph.inputs.map(at),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: at(o.node) })),
    updates: graph.updates.map((u) => ({ variable: u.variable, node: at(u.node) })),
  }
}

/** The same node over other inputs of the same types; the node itself when they did not change. */
export const keep = (node: Node, inputs: readonly Node[]): Node =>
  inputs.every((n, i) => n === node.inputs[i]) ? node : { ...node, inputs }
