/** K functions of training: losses by element, normalization, random tensors, and what differs between training and use. */
import * as b from '../ops/build.js'
import * as c from '../ops/compositions.js'
import { isTraining, made, nextStream, operand, type TensorOrNumber } from './backend-call.js'
import { activationOf } from './activations.js'
import { axesOf, batchDot as batchDotOf, type DotAxes } from './layers/dot.js'
import { dropped } from './layers/core.js'
import { binaryByElement } from './losses/crossentropy.js'
import { defaultLossOptions } from './losses/define-loss.js'
import { categoricalCrossentropy as categorical, sparseCategoricalCrossentropy as sparse } from './losses/functions.js'
import type { KTensor, TensorLike } from './tensor.js'

/** -sum(t log p) over the last axis; with `fromLogits` of softmax(output). */
export const categoricalCrossentropy = (target: TensorLike, output: TensorLike, fromLogits = false): KTensor => categorical(target, output, { fromLogits })
/** -log p at the class number of each row; with `fromLogits` of softmax(output). */
export const sparseCategoricalCrossentropy = (target: TensorLike, output: TensorLike, fromLogits = false): KTensor => sparse(target, output, { fromLogits })
/** -t log p - (1 - t) log(1 - p) of each element; with `fromLogits` of sigmoid(output). */
export const binaryCrossentropy = (target: TensorLike, output: TensorLike, fromLogits = false): KTensor =>
  made(() => binaryByElement(b.cast(target.node, output.node.type.dtype), { node: output.node, ...activationOf(output.node) }, { ...defaultLossOptions, from_logits: fromLogits }))

/** For each row, whether fewer than k predictions are higher than that of its class: bool. */
export const inTopK = (predictions: TensorLike, targets: TensorLike, k: number): KTensor => made(() => c.inTopK(b.cast(targets.node, 'int32'), predictions.node, k))

/**
 * For each sample, products summed over one axis of each of x and y; at least [B, 1]. Without axes, the last of x and the
 * last but one of y, or its last when it has rank 2.
 */
export const batchDot = (x: TensorLike, y: TensorLike, axes: DotAxes | null = null): KTensor => made(() => {
  const ranks = [x.node.type.shape.length, y.node.type.shape.length] as const
  const usual = [ranks[0] - 1, ranks[1] === 2 ? 1 : ranks[1] - 2] as const
  return batchDotOf(x.node, y.node, axesOf(axes ?? usual, ranks))
})

/** (x - mean) / sqrt(variance + epsilon) · gamma + beta, along `axis`; null for no gamma or beta. */
export const batchNormalization = (x: TensorLike, mean: TensorLike, variance: TensorLike, beta: TensorLike | null, gamma: TensorLike | null, axis = -1, epsilon = 1e-3): KTensor => made(() => {
  const { shape } = x.node.type, at = b.normalizeAxis(axis, shape.length, 'batchNormalization')
  const wide = ({ node }: TensorLike) => (node.type.shape.length === 1 ? b.reshape(node, shape.map((d, i) => (i === at ? d : 1))) : node)
  const scaled = b.div(b.sub(x.node, wide(mean)), b.sqrt(b.add(wide(variance), epsilon)))
  const stretched = gamma ? b.mul(scaled, wide(gamma)) : scaled
  return beta ? b.add(stretched, wide(beta)) : stretched
})

/** x · momentum + value · (1 - momentum): what a layer gives to `addUpdate` for a weight that follows `value`. */
export const movingAverageUpdate = (x: TensorLike, value: TensorLike, momentum: number): KTensor =>
  made(() => b.add(b.mul(x.node, momentum), b.mul(value.node, 1 - momentum)))

/** Elements zeroed with probability `level`, the others scaled by 1 / (1 - level): in training and outside of it. */
export const dropout = (x: TensorLike, level: number, noiseShape: readonly (number | null)[] | null = null, seed: number | null = null): KTensor =>
  made(() => dropped(x.node, level, noiseShape, nextStream(seed)))

type Range = { readonly minval?: number; readonly maxval?: number; readonly seed?: number | null }
type Spread = { readonly mean?: number; readonly stddev?: number; readonly seed?: number | null }

/** Uniform numbers in [minval, maxval), others at every step. */
export const randomUniform = (shape: readonly number[], { minval = 0, maxval = 1, seed = null }: Range = {}): KTensor =>
  made(() => b.add(b.mul(b.randomUniform(shape, nextStream(seed)), maxval - minval), minval))
/** Normally distributed numbers, others at every step. */
export const randomNormal = (shape: readonly number[], { mean = 0, stddev = 1, seed = null }: Spread = {}): KTensor =>
  made(() => b.add(b.mul(c.randomNormal(shape, nextStream(seed)), stddev), mean))
/** 1 with probability p, else 0; others at every step. */
export const randomBinomial = (shape: readonly number[], p = 0, seed: number | null = null): KTensor =>
  made(() => b.cast(b.less(b.randomUniform(shape, nextStream(seed)), p), 'float32'))

/** 1 while a training step is made, else 0. */
export const learningPhase = (): number => Number(isTraining())
/** `x` in a training step, else `alt`; each may be a function that makes it. */
export const inTrainPhase = (x: TensorOrNumber | (() => TensorOrNumber), alt: TensorOrNumber | (() => TensorOrNumber)): KTensor => chosen(isTraining() ? x : alt)
/** `x` outside of training steps, else `alt`; each may be a function that makes it. */
export const inTestPhase = (x: TensorOrNumber | (() => TensorOrNumber), alt: TensorOrNumber | (() => TensorOrNumber)): KTensor => chosen(isTraining() ? alt : x)

const chosen = (x: TensorOrNumber | (() => TensorOrNumber)): KTensor => made(() => {
  const value = operand(typeof x === 'function' ? x() : x)
  return typeof value === 'number' ? b.constant(value, { dtype: 'float32', shape: [] }) : value
})
