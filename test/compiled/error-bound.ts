/**
 * How far compiled float32 may be from the exact result: forward error analysis, node by node. Every value carries a
 * bound of its absolute error; an op turns the bounds of its inputs into its own and adds its rounding. A comparison of
 * values that are closer than their errors may go either way: what follows from it gets a bound as large as the choice.
 *
 * Values are computed in double precision. Rounding of one float32 operation: |v| * 2^-24; elementary functions: the
 * 4 units in the last place of the op records; sums of n terms: n roundings of the sum of magnitudes, in any order.
 */
import { topological, rootsOf, type Graph, type Node } from '../../compiler/ir/graph.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { evaluateNode, type Run } from '../../compiler/ops/interpret.js'
import { opOf } from '../../compiler/ops/registry.js'

export type Bounded = { readonly value: Tensor; readonly error: Float64Array }

const unit = 2 ** -24
/** Below the normal numbers roundings are absolute. */
const smallest = 2 ** -140

/** Results of all outputs and updates with the largest error each element may have. */
export function boundedResults(graph: Graph, run: Run): Record<string, Bounded> {
  const known = new Map<Node, Bounded>()
  const exact: Run = { ...run, precision: 'f64' }
  for (const node of topological(rootsOf(graph))) known.set(node, boundedNode(node, node.inputs.map((x) => known.get(x)!), exact))
  return Object.fromEntries([
    ...graph.outputs.map((o) => [o.name, known.get(o.node)!] as const),
    ...graph.updates.map((u) => [`new ${u.variable}`, known.get(u.node)!] as const),
  ])
}

function boundedNode(node: Node, inputs: readonly Bounded[], run: Run): Bounded {
  const value = evaluateNode(node, inputs.map((x) => x.value), run)
  const inherited = inheritedError(node, inputs, value, run)
  if (node.type.dtype !== 'float32') return { value, error: inherited }
  const rounding = roundings(node)
  return { value, error: inherited.map((e, i) => withRounding(e, value.data[i]!, rounding)) }
}

/** An infinity or NaN that is certain is exact. */
function withRounding(error: number, value: number, rounding: number): number {
  if (!Number.isFinite(value)) return Number.isNaN(error) ? 0 : error
  const sum = error + rounding * unit * Math.abs(value) + (rounding > 0 ? smallest : 0)
  return Number.isNaN(sum) ? Infinity : sum
}

/** Roundings of the last step, in halves of a unit in the last place. */
function roundings(node: Node): number {
  const { lowering, cost } = opOf(node)
  switch (lowering.kind) {
    case 'pointwise': return node.op === 'pow' ? 32 : cost === 'costly' ? 8 : exactOps.has(node.op) ? 0 : 1
    case 'generate': return isExact(node) ? 0 : 1
    case 'leaf': case 'view': case 'indexMap': case 'border': case 'tiles': case 'argmax': case 'lookup': return 0
    case 'reduce': return lowering.op === 'max' || lowering.op === 'min' ? 0 : 1
    case 'contract': case 'collect': case 'composed': return 1
  }
}

/** A number that float32 has. */
const isExact = ({ op, attrs }: Node): boolean => op === 'constant' && Math.fround(Number(attrs['value'])) === Number(attrs['value'])

const exactOps: ReadonlySet<string> = new Set(['neg', 'abs', 'relu', 'maximum', 'minimum', 'sign', 'floor', 'select'])

function inheritedError(node: Node, inputs: readonly Bounded[], value: Tensor, run: Run): Float64Array {
  const { lowering } = opOf(node)
  const again = (data: (x: Bounded) => ArrayLike<number>): Float64Array =>
    evaluateNode(node, inputs.map((x) => ({ shape: x.value.shape, data: Float64Array.from(data(x)) })), run).data
  switch (lowering.kind) {
    case 'leaf': case 'generate': return new Float64Array(value.data.length)
    case 'view': case 'indexMap': case 'tiles': return again((x) => x.error)
    case 'argmax': return value.data.map(() => (inputs[0]!.error.some((e) => e > 0) ? Infinity : 0))
    case 'reduce': return reductionError(node, lowering.op, inputs[0]!, value, again, run)
    case 'contract': return contractionError(inputs as [Bounded, Bounded], value, again)
    case 'border': return again((x) => x.error).map((e, i) => (value.data[i] === lowering.value(node) ? 0 : e))
    case 'lookup': return movedError(inputs[1]!, again((x) => (x === inputs[1] ? x.value.data : x.error)))
    case 'collect': return collectionError(inputs as [Bounded, Bounded], value, again)
    case 'composed': return linearError(value, again)
    case 'pointwise': return pointwiseError(node, inputs, value, again, run)
  }
}

type Again = (data: (x: Bounded) => ArrayLike<number>) => Float64Array
const magnitude = (x: Bounded): Float64Array => x.value.data.map(Math.abs)
const reach = (x: Bounded): Float64Array => x.value.data.map((v, i) => Math.abs(v) + x.error[i]!)

/** `values` of the shape of x combined by `op` over the axes of the reduction `node` of x. */
const combinedAs = (node: Node, op: 'max' | 'sum', { value: { shape } }: Bounded, values: Float64Array, run: Run): Tensor =>
  evaluateNode({ ...node, op, type: { ...node.type, dtype: 'float64' } }, [{ shape, data: values }], run)

function reductionError(node: Node, op: 'sum' | 'prod' | 'max' | 'min', x: Bounded, value: Tensor, again: Again, run: Run): Float64Array {
  // An extreme is no further off than the element that is furthest off.
  return op === 'max' || op === 'min' ? combinedAs(node, 'max', x, x.error, run).data.map((e) => Math.max(e, 0)) : combinedError(op, x, value, again)
}

function combinedError(op: 'sum' | 'prod', x: Bounded, value: Tensor, again: Again): Float64Array {
  const terms = x.value.data.length / Math.max(1, value.data.length)
  const far = again(reach), near = again(magnitude)
  // |product of (x + e)| - |product of x|, plus a rounding for each factor.
  if (op === 'prod') return far.map((f, i) => f - near[i]! + terms * unit * f)
  return far.map((f, i) => f - near[i]! + terms * unit * f)
}

/** sum of |a| |b| with the errors of a and b, less without them, plus a rounding for each of the k terms. */
function contractionError([a, b]: [Bounded, Bounded], value: Tensor, again: Again): Float64Array {
  const m = value.shape[0]!, n = value.shape[1]!
  const terms = m * n === 0 ? 0 : Math.round(Math.sqrt((a.value.data.length / m) * (b.value.data.length / n)))
  const far = again(reach), near = again(magnitude)
  return far.map((f, i) => f - near[i]! + (terms + 1) * unit * f)
}

/** Of what was moved, unless the positions themselves are uncertain. */
const movedError = (positions: Bounded, error: Float64Array): Float64Array => (positions.error.some((e) => e > 0) ? error.fill(Infinity) : error)

/** Sums of no more terms than there are positions. */
function collectionError([rows, x]: [Bounded, Bounded], value: Tensor, again: Again): Float64Array {
  const sums = (data: (x: Bounded) => Float64Array): Float64Array => again((input) => (input === rows ? rows.value.data : data(x)))
  const far = sums(reach), near = sums(magnitude)
  return movedError(rows, value.data.map((_, i) => far[i]! - near[i]! + rows.value.data.length * unit * far[i]!))
}

/** Of sums of elements: as many roundings as there are terms, as ones in their place count them. */
function linearError(value: Tensor, again: Again): Float64Array {
  const far = again(reach), near = again(magnitude), terms = again((x) => x.value.data.map(() => 1))
  return value.data.map((_, i) => far[i]! - near[i]! + terms[i]! * unit * far[i]!)
}

/** The reduction to an extreme of `x` that `node` repeats, and the moves from its result to `node`; null for other nodes. */
function extremeOf(x: Node, node: Node, moves: readonly Node[] = []): { readonly extreme: Node; readonly moves: readonly Node[] } | null {
  const { lowering } = opOf(node)
  if (lowering.kind === 'view' || lowering.kind === 'indexMap') return extremeOf(x, node.inputs[0]!, [node, ...moves])
  return lowering.kind === 'reduce' && (lowering.op === 'max' || lowering.op === 'min') && node.inputs[0] === x ? { extreme: node, moves } : null
}

/**
 * Whether an element of x is the extreme of x: both have the same error, so that it is certain where no other comes near, and
 * where all that come near are exact.
 */
function attainedError(x: Bounded, { extreme, moves }: { readonly extreme: Node; readonly moves: readonly Node[] }, run: Run): Float64Array {
  const { lowering } = opOf(extreme)
  const sign = lowering.kind === 'reduce' && lowering.op === 'min' ? -1 : 1
  const overAll = (values: Float64Array, op: 'max' | 'sum'): Float64Array =>
    moves.reduce((at, move) => evaluateNode({ ...move, type: { ...move.type, dtype: 'float64' } }, [at], run), combinedAs(extreme, op, x, values, run)).data
  const high = x.value.data.map((v, i) => sign * v + x.error[i]!)
  const least = overAll(x.value.data.map((v, i) => sign * v - x.error[i]!), 'max')
  const near = high.map((h, i) => Number(h >= least[i]!))
  const rivals = overAll(near, 'sum'), inexact = overAll(near.map((n, i) => (x.error[i]! > 0 ? n : 0)), 'sum')
  return near.map((n, i) => (n > 0 && rivals[i]! > 1 && inexact[i]! > 0 ? 1 : 0))
}

function pointwiseError(node: Node, inputs: readonly Bounded[], value: Tensor, again: Again, run: Run): Float64Array {
  if (inputs.every((x) => x.error.every((e) => e === 0))) return new Float64Array(value.data.length)
  // A value compared with itself asks whether it is NaN.
  if (node.type.dtype === 'bool' && inputs.length > 1 && node.inputs[0] === node.inputs[1]) return new Float64Array(value.data.length)
  const attained = node.op === 'equal' ? extremeOf(node.inputs[0]!, node.inputs[1]!) : null
  if (attained) return attainedError(inputs[0]!, attained, run)
  if (!closedForms.has(node.op)) return cornerError(inputs, value, again)
  const x = inputs.map(() => 0), e = inputs.map(() => 0)
  return value.data.map((v, i) => {
    inputs.forEach((input, k) => { x[k] = input.value.data[i]!; e[k] = input.error[i]! })
    return pointError(node.op, x, e, v)
  })
}

const closedForms: ReadonlySet<string> = new Set([
  'add', 'sub', 'mul', 'div', 'neg', 'abs', 'relu', 'maximum', 'minimum', 'equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual', 'and', 'or', 'not', 'select',
])

function pointError(op: string, x: readonly number[], e: readonly number[], v: number): number {
  const [a, b, c] = x as [number, number, number], [ea, eb, ec] = e as [number, number, number]
  switch (op) {
    case 'add': case 'sub': return ea + eb
    case 'mul': return Math.abs(a) * eb + Math.abs(b) * ea + ea * eb
    case 'div': return Math.abs(b) > eb ? (ea + Math.abs(v) * eb) / (Math.abs(b) - eb) : Infinity
    case 'neg': case 'abs': return ea
    case 'relu': return a + ea <= 0 ? 0 : ea
    case 'maximum': case 'minimum': return Math.max(ea, eb)
    case 'and': case 'or': case 'not': return Math.max(...e)
    case 'select': return (ea > 0 ? Math.abs(b - c) : 0) + Math.max(eb, ec)
    // Comparisons: certain when the operands are further apart than their errors.
    default: return ea + eb > 0 && Math.abs(a - b) <= ea + eb ? 1 : 0
  }
}

/** For functions that rise or fall in every argument: the largest change at the corners of the box of arguments. */
function cornerError(inputs: readonly Bounded[], value: Tensor, again: Again): Float64Array {
  const worst = new Float64Array(value.data.length)
  for (let corner = 0; corner < 2 ** inputs.length; corner++) {
    const sign = new Map(inputs.map((x, k) => [x, (corner >> k) & 1 ? 1 : -1]))
    const moved = again((x) => x.value.data.map((at, i) => at + sign.get(x)! * x.error[i]!))
    moved.forEach((m, i) => { worst[i] = Math.max(worst[i]!, changeOf(m, value.data[i]!)) })
  }
  return worst
}

function changeOf(moved: number, value: number): number {
  if (Object.is(moved, value) || moved === value) return 0
  const change = Math.abs(moved - value)
  return Number.isNaN(change) ? Infinity : change
}

/** How much worse than the analysis says: simplification may order operations otherwise than the graph. */
const slack = 2

export type Comparison = { readonly worst: number; readonly at: number; readonly unknown: number }

/** The largest error in units of its bound; `unknown` elements have no bound. NaN and infinities must be met exactly. */
export function compareBounded(actual: ArrayLike<number>, { value, error }: Bounded): Comparison {
  if (actual.length !== value.data.length) return { worst: Infinity, at: -1, unknown: 0 }
  let worst = 0, at = -1, unknown = 0
  value.data.forEach((expected, i) => {
    if (!(error[i]! < Infinity)) { unknown++; return }
    const ratio = errorRatio(actual[i]!, expected, error[i]!)
    if (ratio > worst) { worst = ratio; at = i }
  })
  return { worst, at, unknown }
}

function errorRatio(actual: number, expected: number, error: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0
  const difference = Math.abs(actual - expected)
  if (Number.isNaN(difference)) return Infinity
  // Values next to the largest float32 may overflow.
  if (!Number.isFinite(difference)) return Math.abs(expected) + error * slack >= 3.4e38 ? 0 : Infinity
  return difference / (error * slack)
}
