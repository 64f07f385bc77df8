/**
 * The verifier of the graph IR. Run between all passes in tests; a fault names the invariant and shows the lines around it.
 *
 * Of a function:
 *  1. Every op exists and accepts its inputs and attributes, and the type of every node is the one inferred from them.
 *  2. Sizes are whole numbers from 0 up, or symbolic.
 *  3. `inputs` are nodes of op "input" with different names.
 *  4. Every node of op "input" that is reachable is one of `inputs`.
 *  5. Every symbol of a shape appears in the shape of an input, so that a call can bind it.
 *  6. Outputs have different names.
 *  7. No variable is updated twice.
 * Of a module also:
 *  8. Functions, variables and scalars each have different names.
 *  9. Every variable that is read or updated is in the table, with the same dtype and shape.
 * 10. Every run-time scalar that is read is in the table.
 */
import { equalShapes, isStatic, symbolsOf } from './dim.js'
import { nodeNames, nodeText, typeText } from './graph-text.js'
import { rootsOf, topological, type Attrs, type Graph, type Module, type Node, type TensorType } from './graph.js'

/** The type rules of ops, which live above the IR. */
export type Infer = (op: string, inputs: readonly TensorType[], attrs: Attrs) => TensorType

/** A graph that breaks an invariant: a fault of kcc, not of the user. */
export class GraphFault extends Error {
  constructor(readonly invariant: number, message: string) {
    super(message)
    this.name = 'GraphFault'
  }
}

/** @throws GraphFault */
export function verifyGraph(graph: Graph, infer: Infer): void {
  const order = topological([...graph.inputs, ...rootsOf(graph)])
  const fail = faultIn(graph, order)
  for (const node of order) {
    verifyType(node, infer, fail)
    if (node.op === 'input' && !graph.inputs.includes(node)) fail(4, 'an input that is not in the signature', node)
  }
  verifySignature(graph, fail)
  verifySymbols(graph, order, fail)
  const twice = (names: readonly string[]): string | undefined => names.find((n, i) => names.indexOf(n) !== i)
  const output = twice(graph.outputs.map((o) => o.name)), update = twice(graph.updates.map((u) => u.variable))
  if (output !== undefined) fail(6, `two outputs named "${output}"`)
  if (update !== undefined) fail(7, `variable "${update}" is updated twice`)
}

/** @throws GraphFault */
export function verifyModule(module: Module, infer: Infer): void {
  const tables = { function: module.functions, variable: module.variables, scalar: module.scalars }
  for (const [what, entries] of Object.entries(tables)) {
    const names = entries.map((e) => e.name)
    const twice = names.find((n, i) => names.indexOf(n) !== i)
    if (twice !== undefined) throw new GraphFault(8, `module "${module.name}": two ${what}s named "${twice}" (invariant 8)`)
  }
  for (const graph of module.functions) {
    verifyGraph(graph, infer)
    verifyTables(module, graph)
  }
}

type Fail = (invariant: number, message: string, node?: Node) => never

/** Throws with the lines around `node`, which is marked. */
const faultIn = (graph: Graph, order: readonly Node[]): Fail => (invariant, message, node) => {
  const names = nodeNames(order)
  const at = node ? order.indexOf(node) : -1
  const around = order.map((n, i) => ({ i, text: `${i === at ? '>' : ' '} ${nodeText(n, (x) => names.get(x) ?? '%?')}` }))
    .filter(({ i }) => at >= 0 && Math.abs(i - at) <= 3).map(({ text }) => text)
  throw new GraphFault(invariant, [`function "${graph.name}": ${message} (invariant ${invariant})`, ...around].join('\n'))
}

function verifyType(node: Node, infer: Infer, fail: Fail): void {
  if (node.type.shape.some((d) => isStatic(d) && (!Number.isInteger(d) || d < 0))) fail(2, `a size of ${typeText(node.type)} is not a whole number from 0 up`, node)
  let expected: TensorType
  try {
    expected = infer(node.op, node.inputs.map((x) => x.type), node.attrs)
  } catch (error) {
    return fail(1, error instanceof Error ? error.message : String(error), node)
  }
  const agrees = expected.dtype === node.type.dtype && equalShapes(expected.shape, node.type.shape)
  if (!agrees) fail(1, `expected the type ${typeText(expected)}, found ${typeText(node.type)}`, node)
}

function verifySignature(graph: Graph, fail: Fail): void {
  const names = new Set<unknown>()
  for (const node of graph.inputs) {
    if (node.op !== 'input') fail(3, 'a node of the signature is not an input', node)
    if (names.has(node.attrs.name)) fail(3, `two inputs named ${JSON.stringify(node.attrs.name)}`, node)
    names.add(node.attrs.name)
  }
}

function verifySymbols(graph: Graph, order: readonly Node[], fail: Fail): void {
  const bound = new Set(graph.inputs.flatMap((n) => n.type.shape.flatMap(symbolsOf)))
  for (const node of order) {
    const free = node.type.shape.flatMap(symbolsOf).find((s) => !bound.has(s))
    if (free !== undefined) fail(5, `no input has the dimension ${free}`, node)
  }
}

function verifyTables(module: Module, graph: Graph): void {
  const order = topological(rootsOf(graph))
  const fail = faultIn(graph, order)
  const verifyVariable = (name: unknown, node: Node): void => {
    const entry = module.variables.find((v) => v.name === name)
    if (!entry) return fail(9, `no variable ${JSON.stringify(name)} in the table`, node)
    if (entry.dtype !== node.type.dtype || !equalShapes(entry.shape, node.type.shape)) fail(9, `variable "${entry.name}" is ${typeText(entry)}, found ${typeText(node.type)}`, node)
  }
  for (const node of order) {
    if (node.op === 'variable') verifyVariable(node.attrs.name, node)
    if (node.op === 'scalar' && !module.scalars.some((s) => s.name === node.attrs.name)) fail(10, `no scalar ${JSON.stringify(node.attrs.name)} in the table`, node)
  }
  for (const update of graph.updates) verifyVariable(update.variable, update.node)
}
