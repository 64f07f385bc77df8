/** The accuracies. Source: keras/metrics.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { add, argmax, cast, equal, and, floor, greater, mean, mul, notEqual, or, reshape, sub } from '../../ops/build.js'
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
  sparse: false,
  compute: (t, p) => asNumber(equal(argmax(t, -1), argmax(p.node, -1))),
})

export const sparseCategoricalAccuracy = defineMetric({
  name: 'sparse_categorical_accuracy',
  aliases: [],
  className: 'SparseCategoricalAccuracy',
  doc: 't == argmax(p) over the last axis',
  sparse: true,
  compute: (t, p) => {
    const found = argmax(p.node, -1)
    return asNumber(equal(reshape(t, found.type.shape), found))
  },
})
