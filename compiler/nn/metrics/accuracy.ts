/** The accuracies. Source: keras/metrics.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { add, and, argmax, broadcastTo, cast, equal, floor, greater, iota, less, mean, mul, notEqual, or, reshape, select, sub, sum } from '../../ops/build.js'
import { defineMetric } from './define-metric.js'

/** To the nearest integer, halves to the even one, as TensorFlow and numpy round. */
function round(x: Node): Node {
  const whole = floor(x)
  const rest = sub(x, whole)
  const isOdd = notEqual(whole, mul(floor(mul(whole, 0.5)), 2))
  const up = or(greater(rest, 0.5), and(equal(rest, 0.5), isOdd))
  return add(whole, cast(up, 'float32'))
}

const asNumber = (condition: Node): Node => cast(condition, 'float32')

export const binaryAccuracy = defineMetric({
  name: 'binary_accuracy',
  aliases: [],
  className: 'BinaryAccuracy',
  doc: 'mean over the last axis of t == round(p) (p > threshold when that is not 0.5); exactly 0.5 rounds to 0',
  options: ['threshold'],
  sparse: false,
  compute: (t, p, { threshold }) => {
    const label = threshold === 0.5 ? round(p.node) : asNumber(greater(p.node, threshold))
    return mean(asNumber(equal(t, label)), [-1])
  },
})

export const categoricalAccuracy = defineMetric({
  name: 'categorical_accuracy',
  aliases: [],
  className: 'CategoricalAccuracy',
  doc: 'argmax(t) == argmax(p) over the last axis, the first of equals winning',
  options: [],
  sparse: false,
  compute: (t, p) => asNumber(equal(argmax(t, -1), argmax(p.node, -1))),
})

export const sparseCategoricalAccuracy = defineMetric({
  name: 'sparse_categorical_accuracy',
  aliases: [],
  className: 'SparseCategoricalAccuracy',
  doc: 't == argmax(p) over the last axis',
  options: [],
  sparse: true,
  compute: (t, p) => {
    const found = argmax(p.node, -1)
    return asNumber(equal(reshape(t, found.type.shape), found))
  },
})

/** Whether fewer than k classes are predicted higher than the true one; a class tied with it is not higher. */
function inTopK(labels: Node, p: Node, k: number): Node {
  const { shape } = p.type
  const column = reshape(labels, [...shape.slice(0, -1), 1])
  const isTrue = equal(broadcastTo(column, shape), iota(shape, shape.length - 1, 'int32'))
  const ofTrue = sum(select(isTrue, p, 0), [-1], true)
  return asNumber(less(sum(asNumber(greater(p, ofTrue)), [-1]), k))
}

export const topKCategoricalAccuracy = defineMetric({
  name: 'top_k_categorical_accuracy',
  aliases: [],
  className: 'TopKCategoricalAccuracy',
  doc: 'whether argmax(t) is among the k highest of p',
  options: ['k'],
  sparse: false,
  compute: (t, p, { k }) => inTopK(argmax(t, -1), p.node, k),
})

export const sparseTopKCategoricalAccuracy = defineMetric({
  name: 'sparse_top_k_categorical_accuracy',
  aliases: [],
  className: 'SparseTopKCategoricalAccuracy',
  doc: 'whether t is among the k highest of p',
  options: ['k'],
  sparse: true,
  compute: (t, p, { k }) => inTopK(t, p.node, k),
})
