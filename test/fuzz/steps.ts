/** What a random function is made of: patterns of models and of their gradients, and corners of shapes. */
import { equalDims, isStatic, type Shape } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { clip, logSoftmax, softmax, square, variance } from '../../compiler/ops/compositions.js'
import type { Draw } from './draw.js'
import { indexingSteps } from './indexing-steps.js'

type Step = (d: Draw) => Node | null
type Unary = (x: Node) => Node

const sized = (x: Node, axis: number): number => Number(x.type.shape[axis])
const orNull = (x: Node | null, make: (x: Node) => Node | null): Node | null => (x ? make(x) : null)
const withAxis = (shape: Shape, axis: number, size: Shape[number]): Shape => shape.map((s, i) => (i === axis ? size : s))

const activations: readonly Unary[] = [b.tanh, b.sigmoid, b.relu, b.neg, b.abs, (x) => clip(x, -1, 1), (x) => square(b.tanh(x)), (x) => x]
const curves: readonly Unary[] = [
  (x) => b.exp(b.minimum(x, 1)), (x) => b.expm1(b.minimum(x, 1)), (x) => b.log1p(b.relu(x)), (x) => b.log(b.add(b.abs(x), 0.5)),
  (x) => b.sqrt(b.add(b.abs(x), 0.25)), (x) => b.pow(b.add(b.abs(x), 0.5), 1.5),
]

function dropout(d: Draw, x: Node): Node {
  const keep = b.greaterEqual(d.uniform(x.type.shape), 0.25)
  return d.of([b.select(keep, b.mul(x, 4 / 3), 0), b.div(b.mul(x, b.cast(keep, 'float32')), 0.75)])
}

/** A product with work on operands and result, as layers make them. */
function dense(d: Draw, x: Node): Node {
  const width = d.of([1, 2, 3, 5, 8, 16, 17])
  const operand = d.chance(0.4) ? d.of(activations)(x) : d.chance(0.2) ? dropout(d, x) : x
  const flip = d.chance(0.3)
  const kernel = d.variable(flip ? [width, sized(x, 1)] : [sized(x, 1), width])
  const weights = d.chance(0.25) ? b.tanh(kernel) : kernel
  let y = b.matmul(operand, weights, { transposeB: flip })
  if (d.chance(0.7)) y = b.add(y, d.variable([width]))
  if (d.chance(0.6)) y = d.of(activations)(y)
  if (d.chance(0.3)) y = dropout(d, y)
  return d.chance(0.3) ? b.mul(y, b.sigmoid(d.beside(y))) : b.mul(y, 0.5)
}

/** Xᵀ·Y over the shared first axis: what a gradient of weights is. */
function gram(d: Draw, x: Node): Node | null {
  const y = d.node((n) => n.type.shape.length === 2 && equalDims(n.type.shape[0]!, x.type.shape[0]!))
  return y ? b.mul(b.matmul(d.of(activations)(x), d.chance(0.5) ? b.tanh(y) : y, { transposeA: true }), 0.1) : null
}

const reductions = [b.sum, b.mean, b.max, b.min] as const
const reduce = (d: Draw, x: Node): Node => {
  const axes = d.axes(x), keep = d.chance(0.5)
  return d.chance(0.15) ? b.prod(b.add(b.mul(b.tanh(x), 0.1), 1), axes, keep) : b.mul(d.of(reductions)(x, axes, keep), 0.5)
}

function normalize(d: Draw, x: Node): Node {
  const axis = d.axis(x)
  const centred = b.sub(x, b.mean(x, axis, true))
  return b.div(centred, b.sqrt(b.add(variance(x, axis, true), 0.1)))
}

function crossEntropy(d: Draw, x: Node): Node {
  const classes = b.iota(x.type.shape, 1, 'int32')
  const hot = b.cast(b.equal(classes, b.broadcastTo(b.expandDims(d.labels, 1), x.type.shape)), 'float32')
  return b.neg(b.sum(b.mul(hot, logSoftmax(x)), 1, d.chance(0.5)))
}

function cut(d: Draw, x: Node, axis: number): Node {
  const begin = d.whole(sized(x, axis)), size = 1 + d.whole(sized(x, axis) - begin)
  return b.slice(x, withAxis(x.type.shape.map(() => 0), axis, begin), withAxis(x.type.shape, axis, size))
}

function join(d: Draw, x: Node): Node {
  const parts = [x, d.like(x), ...(d.chance(0.3) ? [d.of(activations)(x)] : [])]
  return b.concat(parts, d.axis(x))
}

function reshaped(d: Draw, x: Node): Node | null {
  const { shape } = x.type, lasts = shape.at(-1)
  return d.of<() => Node | null>([
    () => b.reshape(x, [-1]),
    () => (lasts !== undefined && isStatic(lasts) && lasts > 0 ? b.reshape(x, [-1, lasts]) : null),
    () => (lasts !== undefined && isStatic(lasts) && lasts % 2 === 0 && lasts > 0 ? b.reshape(x, [...shape.slice(0, -1), 2, lasts / 2]) : null),
    () => b.expandDims(x, d.whole(shape.length + 1)),
    () => b.squeeze(x),
  ])()
}

const shuffled = (d: Draw, length: number): number[] => {
  const perm = Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) { const j = d.whole(i + 1); [perm[i], perm[j]] = [perm[j]!, perm[i]!] }
  return perm
}

/** Masks of several comparisons, joined. */
function mask(d: Draw, x: Node): Node {
  const compare = d.of([b.greater, b.less, b.greaterEqual, b.lessEqual, b.notEqual, b.equal])
  const first = compare(d.of(d.inputs.filter((n) => n.type.dtype === 'float32')), d.of([0, 0.25, -0.5]))
  const wide = (m: Node): Node | null => { try { return b.broadcastTo(m, x.type.shape) } catch { return null } }
  const own = b.greater(b.add(d.uniform(x.type.shape), 0), 0.5)
  const other = wide(first)
  return other ? d.of([b.and(own, other), b.or(other, b.not(own)), other]) : own
}

export const steps: readonly Step[] = [
  (d) => { const x = d.any(); return d.of([b.add, b.sub, b.maximum, b.minimum])(x, d.beside(x)) },
  (d) => { const x = d.any(); return b.mul(x, b.tanh(d.beside(x))) },
  (d) => { const x = d.any(); return b.div(x, b.add(b.abs(d.beside(x)), 1)) },
  (d) => d.of(activations)(d.any()),
  (d) => d.of(curves)(d.any()),
  (d) => d.of([b.add, b.mul, b.sub])(d.any(), d.of([0, 1, -1, 0.5, 0.3, 2])),
  (d) => orNull(d.matrix(), (x) => dense(d, x)),
  (d) => orNull(d.matrix(), (x) => dense(d, x)),
  (d) => orNull(d.matrix(), (x) => gram(d, x)),
  (d) => orNull(d.ranked(), (x) => reduce(d, x)),
  (d) => orNull(d.ranked(), (x) => b.sub(x, d.of(reductions)(x, d.axes(x), true))),
  (d) => orNull(d.ranked(), (x) => softmax(x, d.axis(x))),
  (d) => orNull(d.ranked(), (x) => d.of([logSoftmax, softmax])(d.chance(0.5) ? b.mul(x, 0.5) : x, -1)),
  (d) => orNull(d.ranked(), (x) => normalize(d, x)),
  (d) => orNull(d.node((n) => n.type.shape.length === 2 && equalDims(n.type.shape[0]!, d.labels.type.shape[0]!) && isStatic(n.type.shape[1]!)), (x) => crossEntropy(d, x)),
  (d) => orNull(d.ranked(), (x) => join(d, x)),
  (d) => orNull(d.ranked(), (x) => { const axis = d.staticAxis(x); return axis === null ? null : cut(d, x, axis) }),
  (d) => orNull(d.ranked(), (x) => b.pad(x, x.type.shape.map((s) => (isStatic(s) ? d.whole(3) : 0)), x.type.shape.map((s) => (isStatic(s) ? d.whole(2) : 0)), d.of([0, 1]))),
  (d) => orNull(d.ranked(), (x) => b.transpose(x, shuffled(d, x.type.shape.length))),
  (d) => orNull(d.ranked(), (x) => reshaped(d, x)),
  (d) => dropout(d, d.any()),
  (d) => { const x = d.any(); return b.select(mask(d, x), x, d.of<b.Operand>([0, d.like(x), b.neg(x)])) },
  (d) => b.add(d.any(), b.scalar('s')),
  (d) => b.div(d.any(), b.add(b.dimension(d.labels.type.shape[0]!), 1)),
  (d) => { const x = d.any(), t = d.of(activations)(x); return b.sub(b.mul(t, b.sigmoid(t)), x) },
  (d) => orNull(d.ranked(), (x) => b.mul(b.cast(b.argmax(d.of(d.inputs.filter((n) => n.type.shape.length > 1)), 1), 'float32'), b.mul(b.mean(x), 0.1))),
  (d) => orNull(d.ranked(), (x) => b.add(x, b.mul(b.iota(x.type.shape, d.axis(x), 'float32'), 0.01))),
  (d) => b.mul(b.cast(b.maximum(b.add(b.mul(d.labels, d.of([1, 2, -3])), 1), d.of([0, 2])), 'float32'), 0.1),
  (d) => b.mul(b.cast(b.sum(b.mul(d.labels, d.labels)), 'float32'), 0.01),
  (d) => { const v = d.variables; return v.length > 0 ? b.mul(d.of(activations)(d.of(v)), 0.5) : null },
  (d) => b.broadcastTo(b.sum(b.mul(d.any(), 0.01)), [d.labels.type.shape[0]!, 3]),
  ...indexingSteps,
]
