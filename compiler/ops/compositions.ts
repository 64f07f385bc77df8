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

/** Taylor's series of sin(x) / x in x², from its last coefficient on: within 1e-7 for |x| <= pi / 2. */
const SINE_SERIES = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]

/** sin(x) for |x| <= pi / 2. */
function smallSine(x: Node): Node {
  const y = square(x)
  const [last, ...rest] = SINE_SERIES
  return b.mul(x, rest.reduce<Node>((sum, c, i) => b.add(i === 0 ? sum : b.mul(sum, y), c), b.mul(y, last!)))
}

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
