/**
 * Functions that are compositions of ops: differentiated, simplified and fused like a user's own. Written so that they
 * are stable where the textbook formula is not.
 */
import type { Shape } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import type { Axes, Operand } from './build.js'

/** x * x. */
export const square = (x: Node): Node => b.mul(x, x)

/** x limited to [low, high]. The gradient passes at the limits, as TensorFlow's maximum and minimum give it. */
export const clip = (x: Node, low: Operand, high: Operand): Node => b.maximum(b.minimum(x, high), low)

/** x less its maximum along `axes`: the same softmax, without overflow. The maximum takes no part in differentiation. */
const shifted = (x: Node, axes: Axes): Node => b.sub(x, b.stopGradient(b.max(x, axes, true)))

/** exp(x) / sum(exp(x)) along `axes`. */
export function softmax(x: Node, axes: Axes = -1): Node {
  const e = b.exp(shifted(x, axes))
  return b.div(e, b.sum(e, axes, true))
}

/** log(softmax(x)) without taking the logarithm of a rounded 0. */
export function logSoftmax(x: Node, axes: Axes = -1): Node {
  const z = shifted(x, axes)
  return b.sub(z, b.log(b.sum(b.exp(z), axes, true)))
}

/** log(sum(exp(x))) along `axes`. */
export function logSumExp(x: Node, axes: Axes = -1, keepDims = false): Node {
  const highest = b.stopGradient(b.max(x, axes, true))
  const sum = b.add(b.log(b.sum(b.exp(b.sub(x, highest)), axes, true)), highest)
  return keepDims ? sum : b.reshape(sum, b.max(x, axes).type.shape)
}

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)). Both parts choose by one comparison, so the gradient at 0 is sigmoid(0). */
export function softplus(x: Node): Node {
  const above = b.greaterEqual(x, 0)
  return b.add(b.select(above, x, 0), b.log1p(b.exp(b.select(above, b.neg(x), x))))
}

/** x / (1 + |x|). */
export const softsign = (x: Node): Node => b.div(x, b.add(b.abs(x), 1))

/** x where it is positive, else alpha * (exp(x) - 1). */
export const elu = (x: Node, alpha = 1): Node => b.select(b.greater(x, 0), x, b.mul(b.expm1(b.minimum(x, 0)), alpha))

/** x * slope below 0. */
export const leakyRelu = (x: Node, slope: number): Node => b.select(b.greater(x, 0), x, b.mul(x, slope))

/** The mean of the squared distance from the mean. */
export const variance = (x: Node, axes: Axes = null, keepDims = false): Node =>
  b.mean(square(b.sub(x, b.mean(x, axes, true))), axes, keepDims)

/** 1 where the last axis equals the class, else 0: shape [...labels, classes] of int32 labels [...]. */
export function oneHot(labels: Node, classes: number): Node {
  const shape = [...labels.type.shape, classes]
  const positions = b.iota(shape, shape.length - 1, labels.type.dtype)
  return b.cast(b.equal(b.expandDims(labels, -1), positions), 'float32')
}

/** Whether fewer than k classes are predicted higher than the true one, an int32 label; a class tied with it is not higher. */
export function inTopK(labels: Node, p: Node, k: number): Node {
  const { shape } = p.type
  const column = b.reshape(labels, [...shape.slice(0, -1), 1])
  const isTrue = b.equal(b.broadcastTo(column, shape), b.iota(shape, shape.length - 1, 'int32'))
  const ofTrue = b.sum(b.select(isTrue, p, 0), [-1], true)
  return b.less(b.sum(b.cast(b.greater(p, ofTrue), 'float32'), [-1]), k)
}

/** To the nearest integer, halves to the even one, as TensorFlow and numpy round. No gradient flows through it. */
export function round(x: Node): Node {
  const whole = b.floor(x)
  const rest = b.sub(x, whole)
  const isOdd = b.notEqual(whole, b.mul(b.floor(b.mul(whole, 0.5)), 2))
  return b.add(whole, b.cast(b.or(b.greater(rest, 0.5), b.and(b.equal(rest, 0.5), isOdd)), x.type.dtype))
}

/** Taylor's series of sin(x) / x in x², from its last coefficient on: within 1e-7 for |x| <= pi / 2. */
const SINE_SERIES = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]

/** sin(x) for |x| <= pi / 2. */
function smallSine(x: Node): Node {
  const y = square(x)
  const [last, ...rest] = SINE_SERIES
  return b.mul(x, rest.reduce<Node>((sum, c, i) => b.add(i === 0 ? sum : b.mul(sum, y), c), b.mul(y, last!)))
}

/** Pi in three parts, of which the first two have so few bits that their multiples are exact up to a thousand turns. */
const PI_PARTS = [3.140625, 9.67502593994140625e-4, 1.509957990978376432e-7]

/** sin(x): less the nearest multiple of pi, whose sign alternates. Within 1e-6 for |x| up to a thousand. */
export function sine(x: Node): Node {
  const turns = b.stopGradient(round(b.mul(x, 1 / Math.PI)))
  const rest = PI_PARTS.reduce<Node>((left, part) => b.sub(left, b.mul(turns, part)), x)
  const isOdd = b.notEqual(b.mul(b.floor(b.mul(turns, 0.5)), 2), turns)
  const value = smallSine(rest)
  return b.select(isOdd, b.neg(value), value)
}

/** cos(x) = sin(pi / 2 - |x|). */
export const cosine = (x: Node): Node => sine(b.sub(Math.PI / 2, b.abs(x)))

/**
 * Standard normal numbers, float32, of random stream `stream`: other ones at every step. By Box and Muller, where the
 * sine of an angle in a half turn has the distribution of that in a full one. No number is beyond 5.8.
 */
export function randomNormal(shape: Shape, stream: number): Node {
  const both = b.randomUniform([2, ...shape], stream)
  const [first, second] = [0, 1].map((i) => b.reshape(b.slice(both, [i, ...shape.map(() => 0)], [1, ...shape]), shape)) as [Node, Node]
  const radius = b.sqrt(b.mul(b.log1p(b.neg(first)), -2))
  return b.mul(radius, smallSine(b.mul(b.sub(second, 0.5), Math.PI)))
}
