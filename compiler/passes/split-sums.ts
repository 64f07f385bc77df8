/**
 * Takes sums apart that would need a pass of their own over the data, because what they sum waits for other sums over the
 * same elements. In the gradient of batch normalisation:
 *
 *     %3 = mul(%g, broadcastTo(%f)) : f32[B,8]             %6 = sum(%g, axes=[0]) : f32[8]
 *     %4 = mul(%d, broadcastTo(%c)) : f32[B,8]             %7 = sum(%d, axes=[0]) : f32[8]
 *     %5 = add(%3, %4) : f32[B,8]                     →    %8 = add(mul(%6, %f), mul(%7, %c)) : f32[8]
 *     %9 = sum(%5, axes=[0]) : f32[8]
 *
 * where %c is made of a sum over %g: now all sums over %g and %d can be found in one pass. So is a sum of what is summed already,
 * times a factor. Factors and offsets must be the same
 * for all elements that are summed. An offset must itself be rounded as a sum is: then x + %c carries that rounding for all
 * elements alike, and the sum over it may.
 */
import { isStatic, shapeText, sizeOf, type Shape } from '../ir/dim.js'
import { keep, rewriteGraph, rootsOf, topological, type Graph, type Node } from '../ir/graph.js'
import type { ReduceOp } from '../ir/loop.js'
import { isUnit } from '../ops/access.js'
import { composed, plus, times, unchanged } from '../ops/affine.js'
import * as b from '../ops/build.js'
import type { Affine, Operand } from '../ops/define-op.js'
import { argumentOf, constantOf } from '../ops/patterns.js'
import { opOf } from '../ops/registry.js'
import { RoundedValues } from './rounded-values.js'

/** What is summed is the sum of these terms, each `affine` of a value with an element at every place. */
type Term = { readonly wide: Node; readonly affine: Affine }
type Summing = { readonly shape: Shape; readonly axes: readonly number[] }

export function splitSums(graph: Graph): Graph {
  const sums = new Sums(graph)
  return rewriteGraph(graph, (node, inputs) => sums.rewritten(node, inputs))
}

class Sums {
  private readonly order: readonly Node[]
  private readonly rounded = new RoundedValues()
  private readonly rebuilt = new Map<Node, Node>()
  private readonly levels = new Map<string, ReadonlyMap<Node, number>>()
  private readonly summed = new Map<string, Set<Node>>()

  constructor(graph: Graph) {
    this.order = topological(rootsOf(graph))
    for (const node of this.order) {
      const summing = summingOf(node), key = summing && keyOf(summing)
      if (key !== null) this.summed.set(key, (this.summed.get(key) ?? new Set()).add(node.inputs[0]!))
    }
  }

  rewritten(node: Node, inputs: readonly Node[]): Node {
    node.inputs.forEach((input, i) => this.rebuilt.set(input, inputs[i]!))
    const summing = summingOf(node)
    const split = summing && node.type.dtype !== 'int32' ? b.within(node.from, () => this.split(node.inputs[0]!, summing)) : null
    return split ?? keep(node, inputs)
  }

  /** The sum of `summed` from sums of its terms; null when it waits for nothing that they do not wait for. */
  private split(summed: Node, summing: Summing): Node | null {
    const terms = this.partsOf(summed, this.levelsOf(summing).get(summed) ?? 0, summing, unchanged)
    if (terms === null) return null
    const count = sizeOf(summing.axes.map((axis) => summing.shape[axis]!))
    const total = terms.map(({ wide, affine }) => {
      const offset = times(keptOperand(affine.offset, summing), isStatic(count) ? count : b.cast(b.dimension(count), summed.type.dtype))
      return plus(times(this.sumOf(wide, summing), keptOperand(affine.factor, summing)), affine.offset === 0 ? 0 : offset)
    }).reduce(plus)
    return typeof total === 'number' ? null : total
  }

  private sumOf(wide: Node, summing: Summing): Node {
    return this.split(wide, summing) ?? b.sum(this.rebuilt.get(wide) ?? wide, summing.axes)
  }

  /**
   * How many sums over these axes of a value of this shape come one after the other before a node. A level is a pass over
   * the data.
   */
  private levelsOf(summing: Summing): ReadonlyMap<Node, number> {
    const key = keyOf(summing), known = this.levels.get(key)
    if (known) return known
    const levels = new Map<Node, number>()
    for (const node of this.order) {
      const own = summingOf(node), below = node.inputs.reduce((most, input) => Math.max(most, levels.get(input) ?? 0), 0)
      levels.set(node, own && keyOf(own) === key ? below + 1 : below)
    }
    this.levels.set(key, levels)
    return levels
  }

  /** Terms below `level`, or whose sum is wanted anyway. */
  private termsOf(node: Node, level: number, summing: Summing, outer: Affine): Term[] | null {
    const isThere = (this.levelsOf(summing).get(node) ?? 0) < level || this.summed.get(keyOf(summing))!.has(node)
    return isThere ? [{ wide: node, affine: outer }] : this.partsOf(node, level, summing, outer)
  }

  private partsOf(node: Node, level: number, summing: Summing, outer: Affine): Term[] | null {
    const { affine } = opOf(node)
    if (affine === undefined) return null
    const narrow = node.inputs.map((input) => this.narrow(input, summing)), wide = node.inputs.filter((_, i) => narrow[i] === null)
    if (wide.length === 0) return null
    const [at, second] = narrow.flatMap((operand, i) => (operand === null ? [i] : []))
    if (second !== undefined) return this.bothTerms(node, level, summing, outer)
    const others = narrow.filter((operand) => operand !== null), own = affine(at!, others)
    if (!own || !this.mayOffset(own, others)) return null
    return this.termsOf(node.inputs[at!]!, level, summing, composed(own, outer))
  }

  /** Of a sum or difference of two values. */
  private bothTerms(node: Node, level: number, summing: Summing, outer: Affine): Term[] | null {
    const [x, y] = node.inputs as [Node, Node], { affine } = opOf(node)
    const factors = [affine!(0, [y])?.factor, affine!(1, [x])?.factor]
    if (!factors.every((factor) => typeof factor === 'number')) return null
    const terms = [x, y].map((input, i) => this.termsOf(input, level, summing, { factor: times(factors[i]!, outer.factor), offset: i === 0 ? outer.offset : 0 }))
    return terms.every((list) => list !== null) ? terms.flat() : null
  }

  /** What is repeated along all axes of the sum, as it is after this pass. */
  private narrow(node: Node, summing: Summing): Operand | null {
    const operand = narrowOf(node, summing)
    return typeof operand === 'number' ? operand : operand && (this.rebuilt.get(operand) ?? operand)
  }

  private mayOffset({ offset }: Affine, others: readonly Operand[]): boolean {
    return offset === 0 || others.every((other) => typeof other !== 'number' && this.rounded.has(other))
  }
}

const additive: ReadonlySet<ReduceOp> = new Set<ReduceOp>(['sum'])
const reductionOf = ({ op }: { readonly op: ReduceOp }): ReduceOp => op

function summingOf(node: Node): Summing | null {
  const { lowering } = opOf(node)
  return lowering.kind === 'reduce' && additive.has(reductionOf(lowering)) ? { shape: node.inputs[0]!.type.shape, axes: lowering.axes(node) } : null
}

const keyOf = ({ shape, axes }: Summing): string => `${shapeText(shape)} ${axes.join()}`

/** The value that is repeated along all axes of the sum, or null. */
function narrowOf(node: Node, { shape, axes }: Summing): Operand | null {
  const value = constantOf(node), source = argumentOf(node, 'broadcastTo')
  if (value !== null) return value
  if (source === null || node.type.shape.length !== shape.length) return null
  const own = aligned(source, shape)
  return axes.every((axis) => isUnit(own[axis]!)) ? source : null
}

/** The shape with leading axes of size one, as many as `shape` has axes. */
const aligned = ({ type }: Node, shape: Shape): Shape => [...shape.slice(type.shape.length).map(() => 1), ...type.shape]

/** A narrow operand without the axes of the sum. */
function keptOperand(operand: Operand, { shape, axes }: Summing): Operand {
  if (typeof operand === 'number') return operand
  return b.reshape(operand, aligned(operand, shape).filter((_, i) => !axes.includes(i)))
}
