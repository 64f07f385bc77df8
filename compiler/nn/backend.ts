/**
 * `K`: Keras' backend functions on symbolic tensors, for losses, metrics, regularizers and layers of one's own. Each is a
 * composition of ops, so it is differentiated, fused and compiled like the built-in ones. Arguments come in Keras' order;
 * `axis` may be a number, a list, or null for all axes; numbers stand for tensors of one value.
 * Source: https://github.com/keras-team/keras/blob/2.3.1/keras/backend/tensorflow_backend.py
 */
import type { DType } from '../../runtime/contract/dtype.js'
import { ValueError } from '../../runtime/contract/errors.js'
import type { Node } from '../ir/graph.js'
import * as b from '../ops/build.js'
import type { Axes } from '../ops/build.js'
import * as c from '../ops/compositions.js'
import { gradients as gradientNodes } from '../ops/gradients.js'
import { hardSigmoid as hardSigmoidOf, relu as reluOf, type ReluOptions } from './activations.js'
import { atCall, operand, tensor, type TensorOrNumber } from './backend-call.js'
import type { KShape } from './shape.js'
import { KTensor, type TensorLike } from './tensor.js'

const unary = (f: (x: Node) => Node) => (x: TensorLike): KTensor => atCall(() => tensor(f(x.node)))
const binary = (f: (a: b.Operand, b: b.Operand) => Node) => (x: TensorOrNumber, y: TensorOrNumber): KTensor =>
  atCall(() => tensor(f(operand(x), operand(y))))
const reduction = (f: (x: Node, axes?: Axes, keepDims?: boolean) => Node) =>
  (x: TensorLike, axis: Axes = null, keepdims = false): KTensor => atCall(() => tensor(f(x.node, axis, keepdims)))

/** x + y, with broadcasting. */
export const add = binary(b.add)
/** x - y, with broadcasting. */
export const subtract = binary(b.sub)
/** x * y, with broadcasting. */
export const multiply = binary(b.mul)
/** x / y, with broadcasting. */
export const divide = binary(b.div)
/** The larger of x and y; NaN where either is NaN. */
export const maximum = binary(b.maximum)
/** The smaller of x and y; NaN where either is NaN. */
export const minimum = binary(b.minimum)
/** Whether x equals y: bool. */
export const equal = binary(b.equal)
/** Whether x differs from y: bool. */
export const notEqual = binary(b.notEqual)
/** Whether x > y: bool. */
export const greater = binary(b.greater)
/** Whether x >= y: bool. */
export const greaterEqual = binary(b.greaterEqual)
/** Whether x < y: bool. */
export const less = binary(b.less)
/** Whether x <= y: bool. */
export const lessEqual = binary(b.lessEqual)
/** x to the power of a number or tensor. */
export const pow = binary(b.pow)
/** Where both bool tensors hold. */
export const logicalAnd = (x: TensorLike, y: TensorLike): KTensor => tensor(b.and(x.node, y.node))
/** Where at least one of two bool tensors holds. */
export const logicalOr = (x: TensorLike, y: TensorLike): KTensor => tensor(b.or(x.node, y.node))
/** Where a bool tensor does not hold. */
export const logicalNot = (x: TensorLike): KTensor => tensor(b.not(x.node))
/** -x. */
export const negative = unary(b.neg)

/** The magnitude of x. */
export const abs = unary(b.abs)
/** x * x. */
export const square = unary(c.square)
/** e to the power of x. */
export const exp = unary(b.exp)
/** -1, 0 or 1. */
export const sign = unary(b.sign)
/** To the nearest integer, halves to the even one. */
export const round = unary(c.round)
/** The sine, within 1e-6 for |x| up to a thousand. */
export const sin = unary(c.sine)
/** The cosine, within 1e-6 for |x| up to a thousand. */
export const cos = unary(c.cosine)
/** The natural logarithm. */
export const log = unary(b.log)
/** The square root; 0 for negative x, as in Keras. */
export const sqrt = unary((x) => b.sqrt(b.maximum(x, 0)))
/** 1 / (1 + exp(-x)). */
export const sigmoid = unary(b.sigmoid)
/** The hyperbolic tangent. */
export const tanh = unary(b.tanh)
/** log(1 + exp(x)). */
export const softplus = unary(c.softplus)
/** x / (1 + |x|). */
export const softsign = unary(c.softsign)
/** 0.2 * x + 0.5, within [0, 1]. */
export const hardSigmoid = (x: TensorLike): KTensor => hardSigmoidOf(x)
/** x, or `alpha` * x below `threshold`, at most `maxValue`. */
export const relu = (x: TensorLike, options: ReluOptions = {}): KTensor => reluOf(x, options)
/** x, or `alpha` * (exp(x) - 1) below 0. */
export const elu = (x: TensorLike, alpha = 1): KTensor => tensor(c.elu(x.node, alpha))
/** exp(x) over its sum along `axis`. */
export const softmax = (x: TensorLike, axis = -1): KTensor => tensor(c.softmax(x.node, axis))
/** x limited to [minValue, maxValue]. */
export const clip = (x: TensorLike, minValue: number, maxValue: number): KTensor => tensor(c.clip(x.node, minValue, Math.max(minValue, maxValue)))

/** Sum along `axis`. */
export const sum = reduction(b.sum)
/** Product along `axis`. */
export const prod = reduction(b.prod)
/** Values whose mean is asked for: a bool counts as 0 or 1. */
const counted = (x: Node): Node => (x.type.dtype === 'bool' ? b.cast(x, 'float32') : x)
/** Mean along `axis`; of a bool tensor how often it holds. */
export const mean = reduction((x, axes, keep) => b.mean(counted(x), axes, keep))
/** Largest value along `axis`. */
export const max = reduction(b.max)
/** Smallest value along `axis`. */
export const min = reduction(b.min)
/** Mean squared distance from the mean along `axis`. */
export const variance = reduction((x, axes, keep) => c.variance(counted(x), axes, keep))
/** Root of the variance along `axis`. */
export const std = reduction((x, axes, keep) => b.sqrt(c.variance(counted(x), axes, keep)))
/** log(sum(exp(x))) without overflow. */
export const logsumexp = reduction(c.logSumExp)
/** Whether some value along `axis` holds. */
export const any = reduction((x, axes, keep) => b.cast(b.max(b.cast(x, 'int32'), axes, keep), 'bool'))
/** Whether all values along `axis` hold. */
export const all = reduction((x, axes, keep) => b.cast(b.min(b.cast(x, 'int32'), axes, keep), 'bool'))
/** Index of the first largest value along an axis: int32. */
export const argmax = (x: TensorLike, axis = -1): KTensor => tensor(b.argmax(x.node, axis))
/** Index of the first smallest value along an axis: int32. */
export const argmin = (x: TensorLike, axis = -1): KTensor => tensor(b.argmax(b.neg(x.node), axis))
/** x over the root of its sum of squares along `axis`. */
export const l2Normalize = (x: TensorLike, axis: Axes = null): KTensor =>
  tensor(b.div(x.node, b.sqrt(b.maximum(b.sum(c.square(x.node), axis, true), 1e-12))))

/** Matrix product over the last axis of x and the last but one of a rank-2 y. @throws ValueError for another rank of y. */
export function dot(x: TensorLike, y: TensorLike): KTensor {
  const right = y.node.type.shape
  if (right.length !== 2) throw new ValueError(`K.dot takes a second tensor of rank 2, found rank ${right.length}`)
  return tensor(b.matmul(x.node, y.node))
}

/** Axes in reverse order. */
export const transpose = (x: TensorLike): KTensor => tensor(b.transpose(x.node))
/** Axes in the order of `pattern`. */
export const permuteDimensions = (x: TensorLike, pattern: readonly number[]): KTensor => tensor(b.transpose(x.node, pattern))
/** The same values in another shape; one size may be -1. */
export const reshape = (x: TensorLike, shape: readonly number[]): KTensor => tensor(b.reshape(x.node, shape))
/** A new axis of size one at `axis`. */
export const expandDims = (x: TensorLike, axis = -1): KTensor => tensor(b.expandDims(x.node, axis))
/** Without the axis of size one at `axis`. */
export const squeeze = (x: TensorLike, axis: number): KTensor => tensor(b.squeeze(x.node, axis))
/** Tensors one after another along an axis. */
export const concatenate = (tensors: readonly TensorLike[], axis = -1): KTensor => tensor(b.concat(tensors.map((t) => t.node), axis))
/** Tensors of one shape side by side along a new axis. */
export const stack = (tensors: readonly TensorLike[], axis = 0): KTensor => tensor(b.concat(tensors.map((t) => b.expandDims(t.node, axis)), axis))
/** The box of `size` that begins at `start`. */
export const slice = (x: TensorLike, start: readonly number[], size: readonly number[]): KTensor => tensor(b.slice(x.node, start, size))
/** All values in one axis. */
export const flatten = (x: TensorLike): KTensor => tensor(b.reshape(x.node, [-1]))
/** All axes but the first in one. */
export const batchFlatten = (x: TensorLike): KTensor => tensor(b.reshape(x.node, [x.node.type.shape[0]!, -1]))
/** The values as another element type; true is 1. */
export const cast = (x: TensorLike, dtype: DType): KTensor => tensor(b.cast(x.node, dtype))
/** 1 at each index's place in a new last axis. */
export const oneHot = (indices: TensorLike, numClasses: number): KTensor => tensor(c.oneHot(indices.node, numClasses))
/** Zeros of the shape and type of x. */
export const zerosLike = unary(b.zerosLike)
/** Ones of the shape and type of x. */
export const onesLike = unary(b.onesLike)
/** `then` where the condition holds, else `otherwise`. A condition of fewer axes chooses for all that lies below one of its elements. */
export const switchTo = (condition: TensorLike, then: TensorOrNumber, otherwise: TensorOrNumber): KTensor => {
  const [chosen, other] = [operand(then), operand(otherwise)], { node } = condition
  const rank = Math.max(...[chosen, other].map((x) => (typeof x === 'number' ? 0 : x.type.shape.length)))
  const missing = node.type.shape.length === 0 ? 0 : Math.max(0, rank - node.type.shape.length)
  return atCall(() => tensor(b.select(b.reshape(node, [...node.type.shape, ...Array.from({ length: missing }, () => 1)]), chosen, other)))
}
/** x, through which no gradient flows. */
export const stopGradient = unary(b.stopGradient)

/** Gradients of a loss (its sum) with respect to tensors; zeros where it does not depend on one. Gradients of gradients work. */
export function gradients(loss: TensorLike, variables: readonly TensorLike[]): KTensor[] {
  const target = loss.node.type.shape.length === 0 ? loss.node : b.sum(loss.node)
  return gradientNodes(target, null, variables.map((v) => v.node)).map((node, i) => tensor(node ?? b.zerosLike(variables[i]!.node)))
}

/** Sizes, with null for those not known before a call. */
export const intShape = (x: KTensor): KShape => x.shape
/** How many elements a tensor of known sizes has. */
export const countParams = (x: KTensor): number => x.shape.reduce<number>((product, d) => product * (d ?? NaN), 1)
/** Number of axes. */
export const ndim = (x: KTensor): number => x.ndim
/** Element type. */
export const dtype = (x: KTensor): DType => x.dtype
/** The small number of Keras' formulas. */
export const epsilon = (): number => 1e-7
/** The element type of weights and results. */
export const floatx = (): DType => 'float32'

// Keras' names for these are words of the language.
export { switchTo as switch, variance as var }

export * from './backend-arrays.js'
export * from './backend-images.js'
export * from './backend-training.js'
export type { TensorOrNumber } from './backend-call.js'
