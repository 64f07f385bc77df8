/**
 * Metrics that count how predictions and labels meet: true and false positives and negatives at each of several
 * thresholds. Source: keras/metrics.py and keras/utils/metrics_utils.py of 2.3.1.
 */
import { ValueError } from '../../../runtime/contract/errors.js'
import { equalShapes } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { add, and, broadcastTo, cast, equal, expandDims, greater, iota, less, mul, notEqual, or, reshape, select, slice, squeeze, sub, sum } from '../../ops/build.js'
import { tupleText } from '../python-text.js'
import { toKShape } from '../shape.js'
import type { MetricBatch, StateRule } from './rule.js'
import { columnOf } from './thresholds.js'

/** In the names of Keras' variables. */
export type Outcome = 'true_positives' | 'true_negatives' | 'false_positives' | 'false_negatives'
export const allOutcomes: readonly Outcome[] = ['true_positives', 'true_negatives', 'false_positives', 'false_negatives']

export type Selection = {
  /** Only the k highest predictions of a sample can be positive. */
  readonly topK: number | null
  /** Only this class counts. */
  readonly classId: number | null
}
export const everything: Selection = { topK: null, classId: null }

/** Below every threshold: what predictions outside the highest k become. Keras' own -1e10 is the threshold that goes with it. */
const BELOW_ALL = -2e10

/** Labels and predictions of one shape: a last axis of 1 that only one of them has is dropped. @throws ValueError */
function aligned(target: Node, scores: Node): readonly [Node, Node] {
  const [a, b] = [target.type.shape, scores.type.shape]
  const pair: readonly [Node, Node] =
    a.length === b.length + 1 && a.at(-1) === 1 ? [squeeze(target, [-1]), scores] :
    b.length === a.length + 1 && b.at(-1) === 1 ? [target, squeeze(scores, [-1])] : [target, scores]
  if (equalShapes(pair[0].type.shape, pair[1].type.shape)) return pair
  const [found, expected] = [tupleText(toKShape(a)), tupleText(toKShape(b))]
  throw new ValueError(`Shapes ${expected} and ${found} are incompatible: this metric needs a target for each element of the predictions, ${expected}, and found targets of shape ${found}.`)
}

/** The k highest of the last axis as they are, the others below every threshold; of equals the first is higher. */
function onlyHighest(scores: Node, k: number): Node {
  const { shape } = scores.type
  const pairs = [...shape, shape.at(-1)!]
  const [mine, other] = [broadcastTo(expandDims(scores, -1), pairs), broadcastTo(expandDims(scores, -2), pairs)]
  const isBefore = less(iota(pairs, pairs.length - 1, 'int32'), iota(pairs, pairs.length - 2, 'int32'))
  const isHigher = or(greater(other, mine), and(equal(other, mine), isBefore))
  return select(less(sum(cast(isHigher, 'float32'), [-1]), k), scores, BELOW_ALL)
}

/** One element of the last axis. */
function classOf(x: Node, index: number): Node {
  const { shape } = x.type
  const last = shape.length - 1
  return reshape(slice(x, shape.map((_, i) => (i === last ? index : 0)), shape.map((d, i) => (i === last ? 1 : d))), shape.slice(0, -1))
}

/** Weights ([B], or [B, T]) for every element of `like`; 1 without any. */
export function spread(weights: Node | null, like: Node): Node | null {
  if (weights === null) return null
  const rank = like.type.shape.length
  // One weight too many axes deep, as of shape [B, 1] for values [B]: Keras drops the last.
  const shape = weights.type.shape.slice(0, rank)
  return broadcastTo(reshape(weights, [...shape, ...Array<number>(rank - shape.length).fill(1)]), like.type.shape)
}

/** Everything in one row: [1, N]. */
const row = (x: Node): Node => reshape(x, [1, -1])

/** Counts ([T]) of this batch for each outcome. A prediction equal to a threshold is on neither side of it, as in Keras 2.3.1. */
function countsOf({ target, prediction, weights }: MetricBatch, thresholds: readonly number[], { topK, classId }: Selection): Record<Outcome, () => Node> {
  const [labels, scores] = aligned(target, prediction.node)
  const chosen = topK === null ? scores : onlyHighest(scores, topK)
  const pick = (x: Node): Node => (classId === null ? x : classOf(x, classId))
  const isTrue = row(cast(notEqual(pick(labels), 0), 'float32'))
  const each = spread(weights, pick(labels))
  const [positive, negative] = [isTrue, sub(1, isTrue)].map((share) => (each === null ? share : mul(share, row(each)))) as [Node, Node]
  const [score, limit] = [row(pick(chosen)), columnOf(thresholds)]
  const sumWhere = (condition: Node, share: Node) => (): Node => sum(select(condition, broadcastTo(share, condition.type.shape), 0), [1])
  const [above, below] = [greater(score, limit), less(score, limit)]
  return {
    true_positives: sumWhere(above, positive), false_positives: sumWhere(above, negative),
    false_negatives: sumWhere(below, positive), true_negatives: sumWhere(below, negative),
  }
}

/** A rule that counts some outcomes at each threshold; `result` is given the counts in the order of `outcomes`. */
export const countingRule = (thresholds: readonly number[], outcomes: readonly Outcome[], result: (counts: readonly Node[]) => Node, selection: Selection = everything, name: (outcome: Outcome) => string = (o) => o): StateRule => ({
  state: outcomes.map((outcome) => ({ name: name(outcome), shape: [thresholds.length] })),
  update: (before, batch) => {
    const counts = countsOf(batch, thresholds, selection)
    return outcomes.map((outcome, i) => add(before[i]!, counts[outcome]()))
  },
  result,
})

/** The only element of a list of one threshold, else all of them. */
export const oneOrEach = (values: Node): Node => (values.type.shape[0] === 1 ? reshape(values, []) : values)
