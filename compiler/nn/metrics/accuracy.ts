/** The accuracies. Source: keras/metrics.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { argmax, cast, equal, greater, mean, reshape } from '../../ops/build.js'
import { inTopK, round } from '../../ops/compositions.js'
import { integer, number } from '../option.js'
import { always, defineMetric } from './define-metric.js'

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
  rule: ({ k }) => ({ values: ({ target, prediction }) => asNumber(inTopK(argmax(target, -1), prediction.node, k)) }),
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
  rule: ({ k }) => ({ values: ({ target, prediction }) => asNumber(inTopK(target, prediction.node, k)) }),
})
