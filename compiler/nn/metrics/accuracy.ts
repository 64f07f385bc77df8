/** The accuracies. Source: keras/metrics.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { add, and, argmax, broadcastTo, cast, equal, floor, greater, iota, less, mean, mul, notEqual, or, reshape, select, sub, sum } from '../../ops/build.js'
import { integer, number } from '../option.js'
import { always, defineMetric } from './define-metric.js'

/** To the nearest integer, halves to the even one, as TensorFlow and numpy round. */
function round(x: Node): Node {
  const whole = floor(x)
  const rest = sub(x, whole)
  const isOdd = notEqual(whole, mul(floor(mul(whole, 0.5)), 2))
  const up = or(greater(rest, 0.5), and(equal(rest, 0.5), isOdd))
  return add(whole, cast(up, 'float32'))
}

const asNumber = (condition: Node): Node => cast(condition, 'float32')

/** `Accuracy({ name })`: share of elements where target and prediction are equal. */
export const Accuracy = defineMetric({
  className: 'Accuracy',
  doc: 't == p, element by element',
  // By name, `accuracy` is one of the others, whichever fits the output.
  functions: [],
  instanceName: always('accuracy'),
  options: {},
  positional: [],
  sparse: false,
  rule: () => ({ values: ({ target, prediction }) => asNumber(equal(target, prediction.node)) }),
})

/** `BinaryAccuracy({ threshold, name })`: share of elements on the right side of the threshold. */
export const BinaryAccuracy = defineMetric({
  className: 'BinaryAccuracy',
  doc: 'mean over the last axis of t == round(p) (p > threshold when that is not 0.5); exactly 0.5 rounds to 0',
  functions: ['binary_accuracy'],
  instanceName: always('binary_accuracy'),
  options: { threshold: number('from where a prediction counts as 1', 0.5) },
  positional: [],
  sparse: false,
  rule: ({ threshold }) => ({
    values: ({ target, prediction: { node } }) => {
      const label = threshold === 0.5 ? round(node) : asNumber(greater(node, threshold))
      return mean(asNumber(equal(target, label)), [-1])
    },
  }),
})

/** `CategoricalAccuracy({ name })`: share of samples whose largest prediction is the one-hot class. */
export const CategoricalAccuracy = defineMetric({
  className: 'CategoricalAccuracy',
  doc: 'argmax(t) == argmax(p) over the last axis, the first of equals winning',
  functions: ['categorical_accuracy'],
  instanceName: always('categorical_accuracy'),
  options: {},
  positional: [],
  sparse: false,
  rule: () => ({ values: ({ target, prediction }) => asNumber(equal(argmax(target, -1), argmax(prediction.node, -1))) }),
})

/** `SparseCategoricalAccuracy({ name })`: share of samples whose largest prediction is the class number. */
export const SparseCategoricalAccuracy = defineMetric({
  className: 'SparseCategoricalAccuracy',
  doc: 't == argmax(p) over the last axis',
  functions: ['sparse_categorical_accuracy'],
  instanceName: always('sparse_categorical_accuracy'),
  options: {},
  positional: [],
  sparse: true,
  rule: () => ({
    values: ({ target, prediction }) => {
      const found = argmax(prediction.node, -1)
      return asNumber(equal(reshape(target, found.type.shape), found))
    },
  }),
})

/** Whether fewer than k classes are predicted higher than the true one; a class tied with it is not higher. */
function inTopK(labels: Node, p: Node, k: number): Node {
  const { shape } = p.type
  const column = reshape(labels, [...shape.slice(0, -1), 1])
  const isTrue = equal(broadcastTo(column, shape), iota(shape, shape.length - 1, 'int32'))
  const ofTrue = sum(select(isTrue, p, 0), [-1], true)
  return asNumber(less(sum(asNumber(greater(p, ofTrue)), [-1]), k))
}

const howMany = integer('how many of the highest predictions count', 5)

/** `TopKCategoricalAccuracy({ k, name })`: share of samples whose one-hot class is among the k largest predictions. */
export const TopKCategoricalAccuracy = defineMetric({
  className: 'TopKCategoricalAccuracy',
  doc: 'whether argmax(t) is among the k highest of p',
  functions: ['top_k_categorical_accuracy'],
  instanceName: always('top_k_categorical_accuracy'),
  options: { k: howMany },
  positional: [],
  sparse: false,
  rule: ({ k }) => ({ values: ({ target, prediction }) => inTopK(argmax(target, -1), prediction.node, k) }),
})

/** `SparseTopKCategoricalAccuracy({ k, name })`: share of samples whose class number is among the k largest predictions. */
export const SparseTopKCategoricalAccuracy = defineMetric({
  className: 'SparseTopKCategoricalAccuracy',
  doc: 'whether t is among the k highest of p',
  functions: ['sparse_top_k_categorical_accuracy'],
  instanceName: always('sparse_top_k_categorical_accuracy'),
  options: { k: howMany },
  positional: [],
  sparse: true,
  rule: ({ k }) => ({ values: ({ target, prediction }) => inTopK(target, prediction.node, k) }),
})
