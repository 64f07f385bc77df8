/**
 * Rounds what products are made of to the format that a build asks for: `tfloat32`, operands alone; `bfloat16`, operands and
 * what is stored between products (Keras' policy mixed_bfloat16). Sums, and everything that is no product, are float32.
 *
 *     %1 = matmul(%x, %w) : f32[B,8]             %1 = cast(%x) : bf16[B,4]   %2 = cast(%w) : bf16[4,8]
 *     %2 = relu(%1) : f32[B,8]                   %3 = matmul(%1, %2) : f32[B,8]
 *     %3 = matmul(%2, %v) : f32[B,3]        →    %4 = relu(%3) : f32[B,8]
 *     %4 = greater(%2, %zero) : bool[B,8]        %5 = cast(%4) : bf16[B,8]   %6 = cast(%v) : bf16[8,3]
 *                                                %7 = matmul(%5, %6) : f32[B,3]
 *                                                %8 = cast(%5) : f32[B,8]
 *                                                %9 = greater(%8, %zero) : bool[B,8]
 *
 * Between products, a value is rounded where it is an operand of one, or where a chain of functions of elements that began
 * at one ends: at a second reader, or at a sum. Whoever reads it reads what is stored. Not rounded is
 * - what the function ends in: a reader from which an output (a prediction, a loss, a metric) is reached without another
 *   product reads the value as it was;
 * - what reaches no other product: gradients on their way into updates, and the optimizer's own state;
 * - variables and inputs, which are float32; products read them rounded.
 *
 * So it does not depend on what is fused. A training step may round once more than a prediction: where a gradient reads what an activation
 * reads, as it does with elu, the activation is given what is stored too.
 */
import { isShortFloat, roundedTo, type ShortFloat } from '../ir/element-type.js'
import { rewriteGraph, rootsOf, topological, usersOf, type Graph, type Node } from '../ir/graph.js'
import { cast, within } from '../ops/build.js'
import { opOf } from '../ops/registry.js'

/** What operands of products are rounded to, and whether what is stored between them is too. */
export type Rounding = { readonly format: ShortFloat; readonly between: boolean }

export const roundProducts = (rounding: Rounding) => (graph: Graph): Graph => new ProductRounder(graph, rounding).run()

class ProductRounder {
  private readonly places: Places | null
  private readonly rebuilt = new Map<Node, Node>()
  /** Values between products, as they are stored. */
  private readonly stored = new Map<Node, Node>()

  constructor(private readonly graph: Graph, private readonly rounding: Rounding) {
    this.places = rounding.between ? new Places(graph, rounding) : null
  }

  run(): Graph {
    return rewriteGraph(this.graph, (node, inputs) => {
      const read = isProduct(node) ? node.inputs.map((operand) => this.short(operand)) : inputs.map((input, i) => this.read(node.inputs[i]!, input, node))
      const made = sameInputs(read, node.inputs) ? node : { ...node, inputs: read }
      this.rebuilt.set(node, made)
      return made
    })
  }

  /** What `reader`, which is no product, reads of `node`, now `rebuilt`. What moves elements gives what it is given. */
  private read(node: Node, rebuilt: Node, reader: Node): Node {
    if (this.places === null || moves(reader, this.rounding) || this.places.endsIn(reader) || !this.isStored(node)) return rebuilt
    return within(reader.from, () => cast(this.short(node), node.type.dtype))
  }

  private isStored(node: Node): boolean {
    const sources = sourcesOf(node, this.rounding)
    return sources.some((source) => this.places!.has(source)) && sources.every((source) => this.places!.has(source) || isGenerated(source))
  }

  /** `node` in the format of the products. Elements are rounded before they are moved, so that it is this that is stored. */
  private short(node: Node): Node {
    if (isShortFloat(node.type.dtype)) return this.rebuilt.get(node)!
    if (moves(node, this.rounding)) return over(node, node.inputs.map((input) => this.short(input)))
    if (this.places?.has(node) !== true) return this.rounded(node)
    const stored = this.stored.get(node) ?? this.rounded(node)
    this.stored.set(node, stored)
    return stored
  }

  /** One for each reader, which rounds as it reads. */
  private rounded(node: Node): Node {
    return within(node.from, () => cast(this.rebuilt.get(node)!, this.rounding.format))
  }
}

/** Where values between products are rounded. */
class Places {
  private readonly users: ReadonlyMap<Node, readonly Node[]>
  private readonly roots: ReadonlySet<Node>
  /** An output is reached from here without another product. */
  private readonly ending = new Set<Node>()
  /** A product is reached from here. */
  private readonly leading = new Set<Node>()
  private readonly found = new Set<Node>()

  constructor(graph: Graph, private readonly rounding: Rounding) {
    const order = topological(rootsOf(graph)), outputs = new Set(graph.outputs.map((output) => output.node))
    this.users = usersOf(order)
    this.roots = new Set(rootsOf(graph))
    for (const node of [...order].reverse()) this.lookAhead(node, outputs)
    this.findOperands(order)
    this.findEnds(order)
  }

  has(node: Node): boolean {
    return this.found.has(node)
  }

  endsIn(node: Node): boolean {
    return this.ending.has(node)
  }

  private lookAhead(node: Node, outputs: ReadonlySet<Node>): void {
    const users = this.users.get(node)!
    if (outputs.has(node) || users.some((user) => !isProduct(user) && this.ending.has(user))) this.ending.add(node)
    if (users.some((user) => isProduct(user) || this.leading.has(user))) this.leading.add(node)
  }

  private findOperands(order: readonly Node[]): void {
    const operands = order.filter(isProduct).flatMap((product) => product.inputs)
    for (const source of operands.flatMap((operand) => sourcesOf(operand, this.rounding))) if (isComputed(source)) this.found.add(source)
  }

  /** Follows products through functions of elements to where each chain ends. */
  private findEnds(order: readonly Node[]): void {
    const chained = new Set<Node>()
    for (const node of order) {
      const follows = isProduct(node) || (isPointwise(node) && node.inputs.flatMap((input) => sourcesOf(input, this.rounding)).some((source) => chained.has(source)))
      if (!follows || this.found.has(node) || node.type.dtype !== 'float32') continue
      if (this.goesOn(node)) chained.add(node)
      else if (this.leading.has(node) && !this.ending.has(node)) this.found.add(node)
    }
  }

  /** Its one reader computes another element of it. */
  private goesOn(node: Node): boolean {
    const readers = this.readersOf(node)
    return !this.roots.has(node) && readers.size === 1 && [...readers].every(isPointwise)
  }

  /** Past what only moves elements. */
  private readersOf(node: Node): Set<Node> {
    return new Set(this.users.get(node)!.flatMap((user) => (moves(user, this.rounding) ? [...this.readersOf(user)] : [user])))
  }
}

const isProduct = (node: Node): boolean => opOf(node).lowering.kind === 'contract'
const isPointwise = (node: Node): boolean => opOf(node).lowering.kind === 'pointwise'
const isGenerated = (node: Node): boolean => opOf(node).lowering.kind === 'generate'
const isComputed = (node: Node): boolean => !isGenerated(node) && opOf(node).lowering.kind !== 'leaf'

/** Is every element one of an input, or a border that the format holds? */
function moves(node: Node, { format }: Rounding): boolean {
  const { lowering } = opOf(node)
  switch (lowering.kind) {
    case 'indexMap': case 'view': case 'tiles': return true
    case 'border': return Object.is(roundedTo(format, lowering.value(node)), lowering.value(node))
    default: return false
  }
}

/** The values whose elements `node` shows. */
const sourcesOf = (node: Node, rounding: Rounding): readonly Node[] => (moves(node, rounding) ? node.inputs.flatMap((input) => sourcesOf(input, rounding)) : [node])

/** The same op over inputs of other types. */
const over = (node: Node, inputs: readonly Node[]): Node => ({ ...node, inputs, type: opOf(node).infer(inputs.map((input) => input.type), node.attrs) })

const sameInputs = (a: readonly Node[], b: readonly Node[]): boolean => a.every((node, i) => node === b[i])
