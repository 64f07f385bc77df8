/**
 * Adding up windows that overlap without holding them, where their elements are made, element by element, of values that
 * belong to a window, to a place inside all windows, or to the element the window was read from: each position then sums
 * over the windows that reach it. So are the gradients by the input of a convolution of each channel by itself, and of
 * pooling with windows that overlap.
 *
 * Position s * q + r, for a stride s, is reached at place r + s * j by window q - j. One sum over j serves all remainders r.
 */
import { isStatic, multiplyDims, type Dim, type Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { integersAttr, numberAttr } from './attrs.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { fitAxis, padAxis } from './pad-axis.js'
import { constantOf, isConstant, isOp } from './patterns.js'
import { reachAll } from './turned-convolution.js'
import { windowReach, type OpName } from './type-rules.js'

/** Along one windowed axis: windows of `size` places, `count` of which reach a position of each remainder; `length` positions of each. */
type Along = { readonly size: number; readonly stride: number; readonly dilation: number; readonly count: number; readonly length: Dim }

/**
 * What is summed: [B, q1, r1, q2, …, j1, j2, …, C]. Remainders have an axis where the stride is not 1; the number of the
 * window that reaches a position rises with j, so that place r + s * (count - 1 - j) is meant.
 */
type Frame = { readonly shape: Shape; readonly along: readonly Along[]; readonly spec: WindowSpec; readonly whole: Shape }

/** `overlapAdd(g, shape, spec)` as one sum, or null where it cannot be one or has no need to. */
export function gatheredWindows(g: Node, shape: Shape, spec: WindowSpec): Node | null {
  const frame = frameOf(g, shape, spec)
  const gathered = frame && new Gathering(frame, g).of(g)
  if (!gathered) return null
  const { along } = frame, [firstJ, rank] = [remainderAxes(along).length + along.length + 1, along.length]
  const sums = b.sum(gathered, along.map((_, i) => firstJ + i))
  const side = b.reshape(sums, [shape[0]!, ...along.map(({ length, stride }) => multiplyDims(length, stride)), ...shape.slice(rank + 1)])
  return along.reduce((at, _, i) => fitAxis(at, i + 1, shape[i + 1]!), side)
}

const remainderAxes = (along: readonly Along[]): readonly Along[] => along.filter(({ stride }) => stride > 1)

function frameOf(g: Node, shape: Shape, spec: WindowSpec): Frame | null {
  const rank = spec.axes.length
  const along = spec.axes.map((_, i) => alongOf(shape[i + 1]!, spec.sizes[i]!, spec.strides[i]!, spec.dilations[i]!))
  if (spec.axes.some((axis, i) => axis !== i + 1) || along.some((a) => a === null)) return null
  const known = along as readonly Along[]
  if (known.every(({ size, stride, dilation }) => windowReach(size, dilation) <= stride)) return null
  const outside = known.flatMap(({ length, stride }) => (stride > 1 ? [length, stride] : [length]))
  return { shape: g.type.shape, along: known, spec, whole: [shape[0]!, ...outside, ...known.map((a) => a.count), ...shape.slice(rank + 1)] }
}

/** Null with strides and dilations together, or where the positions of a remainder cannot be counted. */
function alongOf(length: Dim, size: number, stride: number, dilation: number): Along | null {
  if (stride === 1) return { size, stride, dilation, count: size, length }
  return dilation === 1 && isStatic(length) ? { size, stride, dilation, count: Math.ceil(size / stride), length: Math.ceil(length / stride) } : null
}

/** What gradients of products, means and largest elements are made of: cheap, and element by element. */
const elementwise: ReadonlySet<string> = new Set<OpName>(['add', 'sub', 'mul', 'div', 'neg', 'equal', 'less', 'greater', 'and', 'or', 'not', 'select', 'cast'])

/** Where a value is surely 0: beyond the windows there are, or at places a window does not have. */
type Beyond = 'windows' | 'places'

class Gathering {
  private readonly made = new Map<Node, Node | null>()
  private readonly zeros: Readonly<Record<Beyond, Set<Node>>> = { windows: new Set(), places: new Set() }

  constructor(private readonly frame: Frame, private readonly root: Node) {}

  /** The summands of `g`, or null. Beyond the windows all of them must be 0 by themselves; places that are none are left out. */
  of(g: Node): Node | null {
    const found = this.at(g)
    if (!found || !this.zeros.windows.has(g)) return null
    const partial = this.frame.along.some(({ size, stride, count }) => count * stride !== size)
    return partial && !this.zeros.places.has(g) ? b.select(this.isPlace(), found, 0) : found
  }

  private at(node: Node): Node | null {
    const known = this.made.get(node)
    if (known !== undefined) return known
    const found = this.leaf(node) ?? this.pointwise(node)
    this.made.set(node, found)
    return found
  }

  private pointwise(node: Node): Node | null {
    if (!elementwise.has(node.op)) return null
    const inputs = node.inputs.map((input) => this.at(input))
    if (inputs.some((input) => input === null)) return null
    for (const zeros of [this.zeros.windows, this.zeros.places]) if (isZero(node, zeros)) zeros.add(node)
    return { ...node, inputs: inputs as Node[], type: { ...node.type, shape: this.frame.whole } }
  }

  private leaf(node: Node): Node | null {
    const value = constantOf(node)
    if (value !== null) return this.constant(node, value)
    if (isOp(node, 'iota')) return this.placeNumber(node)
    if (isOp(node, 'windows')) return this.element(node)
    const [source] = node.inputs
    return isOp(node, 'broadcastTo') && source ? this.repeated(node, source) : null
  }

  private constant(node: Node, value: number): Node {
    if (isConstant(node, 0)) Object.values(this.zeros).forEach((zeros) => zeros.add(node))
    return b.constant(value, { dtype: node.type.dtype, shape: this.frame.whole })
  }

  /** A value of each window, of each place in all windows, or a single one. */
  private repeated(node: Node, source: Node): Node | null {
    if (source.type.shape.every((d) => d === 1)) return b.broadcastTo(b.reshape(source, []), this.frame.whole)
    const { shape, along } = this.frame, rank = along.length
    const own = [...shape.slice(source.type.shape.length).map((): Dim => 1), ...source.type.shape]
    const axes = (from: number): Dim[] => own.slice(from, from + rank)
    const isOne = (d: Dim): boolean => d === 1
    const ends = (inside: readonly Dim[]): Dim[] => [own[0]!, ...inside, ...own.slice(2 * rank + 1)]
    if (axes(rank + 1).every(isOne) && axes(1).every((d, i) => !isOne(d) || isOne(shape[i + 1]!))) {
      this.zeros.windows.add(node)
      return this.ofWindows(b.reshape(source, ends(axes(1))))
    }
    if (!axes(1).every(isOne) || !axes(rank + 1).every((d, i) => !isOne(d) || along[i]!.size === 1)) return null
    this.zeros.places.add(node)
    return this.ofPlaces(b.reshape(source, ends(axes(rank + 1))))
  }

  /** [B, windows…, C]: window q - j is at q + count - 1 - j of those with zeros before. */
  private ofWindows(x: Node): Node {
    const { along } = this.frame
    const reached = along.reduce((at, { length, count, dilation }, i) => reachAll(at, i + 1, length, { count, shift: 0, shiftStep: dilation }), x)
    const windowed = b.windows(reached, { axes: along.map((_, i) => i + 1), sizes: along.map((a) => a.count), strides: along.map(() => 1), dilations: along.map((a) => a.dilation) })
    return this.spread(windowed, along.map(({ length, stride }) => (stride > 1 ? [length, 1] : [length])), along.map((a) => a.count))
  }

  /** [B, places…, C]: as many times the stride as there are, with zeros after, and the last first. */
  private ofPlaces(x: Node): Node {
    const { along } = this.frame, rank = along.length
    const filled = along.reduce((at, { size, stride, count }, i) => padAxis(at, i + 1, 0, count * stride - size), x)
    const turned = b.reverse(this.byRemainder(filled), along.map((_, i) => i + 1))
    const order = [0, ...along.map((_, i) => rank + 1 + i), ...along.map((_, i) => i + 1)]
    const remaindersFirst = b.transpose(turned, [...order, ...x.type.shape.slice(rank + 1).map((_, i) => 2 * rank + 1 + i)])
    return this.spread(remaindersFirst, along.map(({ stride }) => (stride > 1 ? [1, stride] : [1])), along.map((a) => a.count))
  }

  /** The element a window was read from is that of the position, whichever window reaches it. */
  private element(node: Node): Node | null {
    const { along, spec } = this.frame, [x] = node.inputs
    const same = (['axes', 'sizes', 'strides', 'dilations'] as const).every((name) => integersAttr(node.attrs, name).every((d, i) => d === spec[name][i]))
    if (!x || !same) return null
    const filled = along.reduce((at, { length, stride }, i) => fitAxis(at, i + 1, multiplyDims(length, stride)), x)
    const rank = along.length, order = [0, ...along.flatMap((_, i) => [i + 1, rank + 1 + i]), ...filled.type.shape.slice(rank + 1).map((_, i) => 2 * rank + 1 + i)]
    return this.spread(b.transpose(this.byRemainder(filled), order), along.map(({ length, stride }) => (stride > 1 ? [length, stride] : [length])), along.map(() => 1))
  }

  /** [B, s * q, …, C] as [B, q, …, s, …, C]. */
  private byRemainder(x: Node): Node {
    const { along } = this.frame, strides = along.map((a) => a.stride)
    return b.windows(x, { axes: along.map((_, i) => i + 1), sizes: strides, strides, dilations: along.map(() => 1) })
  }

  /** [B, …, C] with these sizes for the positions and the windows, repeated over the others. */
  private spread(x: Node, positions: readonly (readonly Dim[])[], windows: readonly Dim[]): Node {
    const first = x.type.shape[0]!, { whole, along } = this.frame
    const others = whole.length - 1 - along.length - positions.flat().length
    const last = others === 0 ? [] : x.type.shape.slice(-others)
    return b.broadcastTo(b.reshape(x, [first, ...positions.flat(), ...windows, ...last]), whole)
  }

  private placeNumber(node: Node): Node | null {
    const i = numberAttr(node.attrs, 'axis') - this.frame.along.length - 1
    return i < 0 || i >= this.frame.along.length ? null : this.place(i, node)
  }

  /** The place along windowed axis `i`. */
  private place(i: number, like: Node): Node {
    const { whole, along } = this.frame, { stride, count } = along[i]!, { dtype } = like.type
    const j = b.iota(whole, 1 + along.length + remainderAxes(along).length + i, dtype)
    const steps = b.mul(b.sub(count - 1, j), stride)
    return stride === 1 ? steps : b.add(steps, b.iota(whole, 2 + i + remainderAxes(along.slice(0, i)).length, dtype))
  }

  private isPlace(): Node {
    const like: Node = b.iota(this.root.type.shape, 0, 'int32')
    return this.frame.along.map(({ size }, i) => b.less(this.place(i, like), size)).reduce((all, one) => b.and(all, one))
  }
}

/** Is the value 0 where the nodes of `zeros` are? */
function isZero({ op, inputs }: Node, zeros: ReadonlySet<Node>): boolean {
  const [first, second, third] = inputs.map((input) => zeros.has(input))
  if (op === 'mul') return first === true || second === true
  if (op === 'neg') return first === true
  if (op === 'add' || op === 'sub') return first === true && second === true
  return op === 'select' && second === true && third === true
}
