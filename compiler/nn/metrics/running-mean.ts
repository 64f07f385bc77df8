/** Sums and means over batches, weighted by sample or by time step. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, broadcastTo, cast, countOf, div, equal, mean, mul, select, sum } from '../../ops/build.js'
import { tupleText } from '../python-text.js'
import { toKShape } from '../shape.js'
import type { MetricBatch, StateRule } from './rule.js'

/** Values as far as weights tell them apart: axes beyond those of the weights are averaged. */
function alongWeights(values: Node, rank: number): Node {
  const beyond = values.type.shape.map((_, i) => i).slice(rank)
  return beyond.length === 0 ? values : mean(values, beyond)
}

/**
 * sum(w v) and sum(w); without weights sum(v) and the number of values. Both 0-d float32.
 * @throws ValueError when there are weights of time steps, but only values of samples
 */
export function weightedSum(values: Node, weights: Node | null): { readonly total: Node; readonly count: Node } {
  const all = cast(values, 'float32')
  if (weights === null) return { total: sum(all), count: countOf(all) }
  const shared = weights.type.shape.length === 0 ? broadcastTo(weights, all.type.shape) : weights
  const kept = alongWeights(all, shared.type.shape.length)
  const [found, expected] = [kept.type.shape, shared.type.shape]
  if (found.length > 0 && found.length !== expected.length) throw new ValueError(`Weights of shape ${tupleText(toKShape(expected))} do not fit the values of a metric of shape ${tupleText(toKShape(found))}: expected one weight for each value.`)
  return { total: sum(mul(kept, shared)), count: sum(shared) }
}

/** total / count, and 0 where nothing has been counted. */
export function quotient(total: Node, count: Node): Node {
  const isEmpty = equal(count, 0)
  return select(isEmpty, 0, div(total, select(isEmpty, 1, count)))
}

/** The mean of everything seen, as the two variables Keras keeps for it. */
export const runningMean = (values: (batch: MetricBatch) => Node): StateRule => ({
  state: [{ name: 'total', shape: [] }, { name: 'count', shape: [] }],
  update: ([total, count], batch) => {
    const added = weightedSum(values(batch), batch.weights)
    return [add(total!, added.total), add(count!, added.count)]
  },
  result: ([total, count]) => quotient(total!, count!),
})
