/** Counts at thresholds, and the ratios that follow from them. Source: keras/metrics.py of 2.3.1. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { abs, add, argmax, div, equal, greater, iota, neg, select, sub, sum } from '../../ops/build.js'
import { integer, number, optionalInteger, type Option } from '../option.js'
import { allOutcomes, countingRule, oneOrEach, type Outcome } from './confusion.js'
import { counted, defineMetric } from './define-metric.js'
import { evenlySpaced, thresholdList, thresholds } from './thresholds.js'

const limits = thresholds('a prediction above it is positive, one below negative; a value for each of several')

/** How often `outcome` happened. */
const countOf = (className: string, outcome: Outcome, doc: string) => defineMetric({
  className, doc,
  functions: [],
  instanceName: counted(className),
  options: { thresholds: limits },
  positional: [],
  sparse: false,
  rule: (o) => countingRule(thresholdList(o.thresholds), [outcome], ([count]) => oneOrEach(count!), undefined, () => 'accumulator'),
})

/** `TruePositives({ thresholds, name })`: how many positive elements are predicted positive, or the sum of their weights. */
export const TruePositives = countOf('TruePositives', 'true_positives', 'sum of the weights where t and p > threshold')
/** `TrueNegatives({ thresholds, name })`: how many negative elements are predicted negative, or the sum of their weights. */
export const TrueNegatives = countOf('TrueNegatives', 'true_negatives', 'sum of the weights where not t and p < threshold')
/** `FalsePositives({ thresholds, name })`: how many negative elements are predicted positive, or the sum of their weights. */
export const FalsePositives = countOf('FalsePositives', 'false_positives', 'sum of the weights where not t and p > threshold')
/** `FalseNegatives({ thresholds, name })`: how many positive elements are predicted negative, or the sum of their weights. */
export const FalseNegatives = countOf('FalseNegatives', 'false_negatives', 'sum of the weights where t and p < threshold')

/** part / (part + rest), and 0 where both are 0. */
export function share(part: Node, rest: Node): Node {
  const whole = add(part, rest)
  return select(greater(whole, 0), div(part, whole), 0)
}

/** True positives as a part of themselves and of something else. */
const positiveShare = (className: string, rest: Outcome, doc: string) => defineMetric({
  className, doc,
  functions: [],
  instanceName: counted(className),
  options: { thresholds: limits, topK: optionalInteger('only the k highest predictions of a sample can be positive'), classId: optionalInteger('only this class counts') },
  positional: [],
  sparse: false,
  rule: ({ topK, classId, ...o }) =>
    countingRule(thresholdList(o.thresholds, topK), ['true_positives', rest], ([positives, others]) => oneOrEach(share(positives!, others!)), { topK, classId }),
})

/** `Precision({ thresholds, topK, classId, name })`: how much of what is predicted positive is positive. */
export const Precision = positiveShare('Precision', 'false_positives', 'TP / (TP + FP)')
/** `Recall({ thresholds, topK, classId, name })`: how much of what is positive is predicted positive. */
export const Recall = positiveShare('Recall', 'false_negatives', 'TP / (TP + FN)')

/** A required number in [0, 1]. */
const fraction = (doc: string): Option<number, number> => ({
  doc, serialize: (v) => v,
  parse: (v, name) => {
    const value = number(doc).parse(v, name)
    if (!(value >= 0 && value <= 1)) throw new ValueError(`\`${name}\` must be in the range [0, 1].`)
    return value
  },
})

const thresholdCount: Option<number, number> = {
  doc: 'thresholds from 0 to 1', fallback: 200, serialize: (v) => v,
  parse: (v, name) => {
    const value = integer('').parse(v, name)
    if (value <= 0) throw new ValueError(`\`${name}\` must be > 0.`)
    return value
  },
}
const between = (count: number): readonly number[] => (count === 1 ? [0.5] : [0, ...evenlySpaced(count), 1])

/** `wanted` where `given` is nearest to `value`, the first of equals. All of one size [T]. */
function whereNearest(value: number, given: Node, wanted: Node): Node {
  const nearest = argmax(neg(abs(sub(given, value))), 0)
  return sum(select(equal(iota(given.type.shape, 0, 'int32'), nearest), wanted, 0))
}

/** Shares of positives and of negatives that are predicted as such, at each threshold. */
const sensitivity = ([tp, , , fn]: readonly Node[]): Node => share(tp!, fn!)
const specificity = ([, tn, fp]: readonly Node[]): Node => share(tn!, fp!)

/** `SensitivityAtSpecificity(0.6, { numThresholds, name })`: TP / (TP + FN) at the threshold where TN / (TN + FP) is nearest to a value. */
export const SensitivityAtSpecificity = defineMetric({
  className: 'SensitivityAtSpecificity',
  doc: 'TP / (TP + FN) at the threshold where TN / (TN + FP) is nearest to a given value',
  functions: [],
  instanceName: counted('SensitivityAtSpecificity'),
  options: { numThresholds: thresholdCount, specificity: fraction('share of negatives that are predicted negative') },
  positional: ['specificity'],
  sparse: false,
  rule: (o) => countingRule(between(o.numThresholds), allOutcomes, (counts) => whereNearest(o.specificity, specificity(counts), sensitivity(counts))),
})

/** `SpecificityAtSensitivity(0.6, { numThresholds, name })`: TN / (TN + FP) at the threshold where TP / (TP + FN) is nearest to a value. */
export const SpecificityAtSensitivity = defineMetric({
  className: 'SpecificityAtSensitivity',
  doc: 'TN / (TN + FP) at the threshold where TP / (TP + FN) is nearest to a given value',
  functions: [],
  instanceName: counted('SpecificityAtSensitivity'),
  options: { numThresholds: thresholdCount, sensitivity: fraction('share of positives that are predicted positive') },
  positional: ['sensitivity'],
  sparse: false,
  rule: (o) => countingRule(between(o.numThresholds), allOutcomes, (counts) => whereNearest(o.sensitivity, sensitivity(counts), specificity(counts))),
})
