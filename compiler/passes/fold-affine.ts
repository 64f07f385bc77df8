/**
 * Gathers what is multiplied with and added to a sum, so that one multiplication and one addition are left for each of its
 * elements: the rest is computed once for each channel. This is batch normalisation folded into the product before it.
 *
 *     %2 = add(%1, broadcastTo(%b)) : f32[B,8]               %5 = mul(%b, %s) : f32[8]
 *     %3 = mul(%2, broadcastTo(%s)) : f32[B,8]         →     %6 = add(%5, %t) : f32[8]
 *     %4 = add(%3, broadcastTo(%t)) : f32[B,8]               %7 = mul(%1, broadcastTo(%s)) : f32[B,8]
 *                                                            %8 = add(%7, broadcastTo(%6)) : f32[B,8]
 *
 * Where: %1 is made of sums (a product, a convolution, pooling) and perhaps functions of elements; %b, %s and %t are repeated
 * along other axes and made of variables, inputs and scalars alone. The statistics of a batch are sums of the values that they
 * normalise, so that nothing changes in a training step, where their gradients need the values in between. Those with a
 * second reader stay.
 *
 * Rounding: x·s + (b·s + t) is rounded at the size of b·s where ((x + b)·s) + t is rounded at the size of (x + b)·s. If |x| is at
 * least half of |b|, that is no more than twice what the rounding of the sum x has brought already; if not, |x + b| is as
 * large as |b|. So an operand that is exact, an input, is none whose chain is gathered. Products of vectors alone that leave
 * the range of a float are not looked for.
 *
 * Why the factor is not multiplied into the weights, `x·(W·s)`: weights may change between two calls, so that each call would
 * pass over all of W, while one multiply-add at the end of a product of K terms is 1/K of its work.
 */
import { divideDims, equalShapes, isStatic, sizeOf, type Shape } from '../ir/dim.js'
import { keep, readOnce, rewriteGraph, rootsOf, topological, usersOf, type Graph, type Node } from '../ir/graph.js'
import { composed, plus, times, unchanged } from '../ops/affine.js'
import { within } from '../ops/build.js'
import type { Affine, Operand } from '../ops/define-op.js'
import { argumentOf, constantOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'
import { RoundedValues, remembered } from './rounded-values.js'

/** `affine` of the value `wide`, whose other operand is narrow: of far fewer elements than it is read at. */
type Step = { readonly wide: Node; readonly narrow: Operand | null; readonly affine: Affine }

/** A narrow element is read at so many places at least. */
const leastRepeats = 8
/** So many operations become one that a kernel for the vectors, of one launch, is worth it. */
const longChain = 3

export function foldAffine(graph: Graph): Graph {
  const chains = new Chains(graph)
  return rewriteGraph(graph, (node, inputs) => chains.folded(node, inputs) ?? keep(node, inputs))
}

class Chains {
  private readonly once: ReadonlySet<Node>
  private readonly users: ReadonlyMap<Node, readonly Node[]>
  private readonly rebuilt = new Map<Node, Node>()
  private readonly steps = new Map<Node, Step | null>()
  private readonly rounded = new RoundedValues()
  private readonly given = new Map<Node, boolean>()

  constructor(graph: Graph) {
    this.once = readOnce(graph)
    this.users = usersOf(topological(rootsOf(graph)))
  }

  /** The end of a chain of several steps as one multiplication and one addition; null for any other node. */
  folded(node: Node, inputs: readonly Node[]): Node | null {
    node.inputs.forEach((input, i) => this.rebuilt.set(input, inputs[i]!))
    const steps = this.stepsTo(node), base = steps[0]?.wide
    if (base === undefined || isGathered(steps) || this.isContinued(node) || !this.rounded.has(base)) return null
    return within(node.from, () => gathered(steps, this.rebuilt.get(base)!))
  }

  /** The steps that end in `node`, first to last. */
  private stepsTo(node: Node): Step[] {
    const step = this.stepAt(node)
    if (!step) return []
    return this.isContinued(step.wide) ? [...this.stepsTo(step.wide), step] : [step]
  }

  /** A step whose only reader is another. */
  private isContinued(node: Node): boolean {
    const [user] = this.users.get(node) ?? []
    return this.once.has(node) && user !== undefined && this.stepAt(node) !== null && this.stepAt(user)?.wide === node
  }

  private stepAt(node: Node): Step | null {
    return remembered(this.steps, node, () => within(node.from, () => this.findStep(node)))
  }

  private findStep(node: Node): Step | null {
    const { affine } = opOf(node)
    if (affine === undefined || node.type.dtype === 'int32') return null
    const narrow = node.inputs.map((input) => this.narrow(input)), at = narrow.indexOf(null)
    if (at < 0 || narrow.lastIndexOf(null) !== at) return null
    const others = narrow.filter((operand) => operand !== null), found = affine(at, others)
    return found && { wide: node.inputs[at]!, narrow: others[0] ?? null, affine: found }
  }

  private narrow(node: Node): Operand | null {
    const source = argumentOf(node, 'broadcastTo')
    if (source === null) return constantOf(node)
    return isFewer(source.type.shape, node.type.shape) && this.isGiven(source) ? source : null
  }

  /** Made of variables, inputs and scalars alone, without combining elements. */
  private isGiven(node: Node): boolean {
    return remembered(this.given, node, () => {
      const { lowering, cost } = opOf(node)
      switch (lowering.kind) {
        case 'leaf': return true
        case 'generate': return cost !== 'costly'
        case 'pointwise': case 'view': case 'indexMap': return node.inputs.every((input) => this.isGiven(input))
        default: return false
      }
    })
  }
}

/** All steps as one, unless too little is saved for the vectors to be computed. */
function gathered(steps: readonly Step[], base: Node): Node | null {
  const { factor, offset } = steps.map((step) => step.affine).reduce(composed, unchanged)
  const vectors = [factor, offset].filter(isVector), known = steps.map((step) => step.narrow)
  if (!vectors.every((vector) => isFewer(vector.type.shape, base.type.shape))) return null
  const needsNoKernel = vectors.every((vector) => !isComputed(vector) || known.includes(vector)) || known.some((narrow) => isVector(narrow) && isComputed(narrow))
  if (steps.length < longChain && !needsNoKernel) return null
  const result = plus(times(base, factor), offset)
  return typeof result === 'number' ? null : result
}

/** At most one multiplication, and at most one addition after it. */
function isGathered(steps: readonly Step[]): boolean {
  const [first, second] = steps
  return second === undefined || (steps.length === 2 && first!.affine.offset === 0 && second.affine.factor === 1)
}

const isVector = (operand: Operand | null): operand is Node => operand !== null && typeof operand !== 'number' && operand.type.shape.length > 0
const isComputed = (node: Node): boolean => opOf(node).lowering.kind === 'pointwise'

/** Each element of `from` is read at `leastRepeats` places of `to` or more; sizes that only the data has count as large. */
function isFewer(from: Shape, to: Shape): boolean {
  const repeats = divideDims(sizeOf(to), sizeOf(from))
  return !equalShapes(from, to) && (repeats === null || !isStatic(repeats) || repeats >= leastRepeats)
}
