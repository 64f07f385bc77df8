/**
 * Cross-entropies, with the numerics of Keras 2.3.1 on TensorFlow: an output that is directly a softmax or a sigmoid is
 * replaced by its logits, which cannot overflow and whose gradient is softmax(z) - t; any other output is clipped.
 */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, broadcastTo, div, equal, exp, expandDims, iota, log, max, mean, mul, neg, select, stopGradient, sub, sum } from '../../ops/build.js'
import { clip, softplus } from '../../ops/compositions.js'
import { defineLoss } from './define-loss.js'
import type { LossOptions, Prediction } from './define-loss.js'
import { EPSILON } from './regression.js'

/** The logits behind a prediction, or null when only probabilities are known. */
function logitsOf(p: Prediction, activation: 'softmax' | 'sigmoid', options: LossOptions): Node | null {
  if (options.from_logits) return p.node
  return p.activation === activation ? p.logits : null
}

const clipped = (p: Node): Node => clip(p, EPSILON, 1 - EPSILON)

/** log(1 + exp(z)) - z t: -t log s - (1 - t) log(1 - s) for s = sigmoid(z), for every z. */
const sigmoidCrossentropy = (t: Node, z: Node): Node => sub(softplus(z), mul(z, t))

/** Of probabilities: clipped, and a further 1e-7 inside the logarithm. */
function binaryOfProbabilities(t: Node, p: Node): Node {
  const q = clipped(p)
  const hit = mul(t, log(add(q, EPSILON)))
  const miss = mul(sub(1, t), log(add(sub(1, q), EPSILON)))
  return neg(add(hit, miss))
}

/** -t log p - (1 - t) log(1 - p) of each element. */
export function binaryByElement(t: Node, p: Prediction, options: LossOptions): Node {
  const logits = logitsOf(p, 'sigmoid', options)
  return logits ? sigmoidCrossentropy(t, logits) : binaryOfProbabilities(t, p.node)
}

export const binaryCrossentropy = defineLoss({
  name: 'binary_crossentropy',
  aliases: [],
  className: 'BinaryCrossentropy',
  instanceName: 'binary_crossentropy',
  doc: 'mean(-t log p - (1 - t) log(1 - p)) over the last axis; smoothing s pulls targets to t (1 - s) + s / 2',
  kind: 'other',
  options: ['from_logits', 'label_smoothing'],
  compute: (t, p, options) => {
    const s = options.label_smoothing
    return mean(binaryByElement(s > 0 ? add(mul(t, 1 - s), 0.5 * s) : t, p, options), [-1])
  },
})

/** Number of classes: the size of the last axis. @throws ValueError when it is not known. */
function classesOf(node: Node): number {
  const size = node.type.shape.at(-1)
  if (typeof size !== 'number') throw new ValueError('Label smoothing needs to know the number of classes, the size of the last axis.')
  return size
}

/** Logits shifted so that the largest of a row is 0, and the logarithm of the sum of their exponentials. */
function shiftedLogits(z: Node): { readonly shifted: Node; readonly logSum: Node } {
  const shifted = sub(z, stopGradient(max(z, [-1], true)))
  return { shifted, logSum: log(sum(exp(shifted), [-1])) }
}

/**
 * sum(t (logSum - z)) whose gradient to z is softmax(z) - t whatever the row of targets sums to: the value and the
 * gradient of TensorFlow's kernel.
 */
function softmaxCrossentropy(t: Node, z: Node): Node {
  const { shifted, logSum } = shiftedLogits(z)
  const excess = stopGradient(mul(sub(sum(t, [-1]), 1), logSum))
  return add(sub(logSum, sum(mul(t, shifted), [-1])), excess)
}

/** log p after dividing by the sum over the classes and clipping. */
const logOfNormalized = (p: Node): Node => log(clipped(div(p, sum(p, [-1], true))))

export const categoricalCrossentropy = defineLoss({
  name: 'categorical_crossentropy',
  aliases: [],
  className: 'CategoricalCrossentropy',
  instanceName: 'categorical_crossentropy',
  doc: '-sum(t log p) over the last axis; smoothing s over C classes pulls targets to t (1 - s) + s / C',
  kind: 'categorical',
  options: ['from_logits', 'label_smoothing'],
  compute: (t, p, options) => {
    const s = options.label_smoothing
    const target = s > 0 ? add(mul(t, 1 - s), s / classesOf(t)) : t
    const logits = logitsOf(p, 'softmax', options)
    return logits ? softmaxCrossentropy(target, logits) : neg(sum(mul(target, logOfNormalized(p.node)), [-1]))
  },
})

/** Class numbers [B, ..., 1] or [B, ...] against logits [B, ..., C]: true at the class of each row. */
function oneHotMask(labels: Node, like: Node): Node {
  const shape = like.type.shape
  const column = labels.type.shape.length === shape.length ? labels : expandDims(labels, -1)
  return equal(broadcastTo(column, shape), iota(shape, shape.length - 1, 'int32'))
}

export const sparseCategoricalCrossentropy = defineLoss({
  name: 'sparse_categorical_crossentropy',
  aliases: [],
  className: 'SparseCategoricalCrossentropy',
  instanceName: 'sparse_categorical_crossentropy',
  doc: '-log p[t] for a class number t; probabilities are clipped, then normalised again, as Keras does',
  kind: 'sparse',
  options: ['from_logits'],
  compute: (t, p, options) => {
    const logits = logitsOf(p, 'softmax', options) ?? log(clipped(p.node))
    const { shifted, logSum } = shiftedLogits(logits)
    return sub(logSum, sum(select(oneHotMask(t, logits), shifted, 0), [-1]))
  },
})
