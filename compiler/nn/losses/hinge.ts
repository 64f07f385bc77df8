/** Margin losses. Targets are -1 or 1; when a batch holds only 0 and 1, Keras reads them as -1 and 1. Source: keras/losses.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { add, cast, equal, max, maximum, mean, min, mul, neg, or, select, sub, sum } from '../../ops/build.js'
import { square } from '../../ops/compositions.js'
import { defineLoss } from './define-loss.js'

/** 2t - 1 when every target of the batch is 0 or 1, else t. */
function signed(t: Node): Node {
  const isBinary = cast(or(equal(t, 0), equal(t, 1)), 'float32')
  const all = equal(min(isBinary), 1)
  return select(all, sub(mul(t, 2), 1), t)
}

const margin = (t: Node, p: Node): Node => maximum(sub(1, mul(signed(t), p)), 0)

export const hinge = defineLoss({
  name: 'hinge',
  aliases: [],
  className: 'Hinge',
  instanceName: 'hinge',
  doc: 'mean(max(1 - t p, 0)) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => mean(margin(t, p.node), [-1]),
})

export const squaredHinge = defineLoss({
  name: 'squared_hinge',
  aliases: [],
  className: 'SquaredHinge',
  instanceName: 'squared_hinge',
  doc: 'mean(max(1 - t p, 0)^2) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => mean(square(margin(t, p.node)), [-1]),
})

export const categoricalHinge = defineLoss({
  name: 'categorical_hinge',
  aliases: [],
  className: 'CategoricalHinge',
  instanceName: 'categorical_hinge',
  doc: 'max(0, 1 + max((1 - t) p) - sum(t p)) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => {
    const positive = sum(mul(t, p.node), [-1])
    const negative = max(mul(sub(1, t), p.node), [-1])
    return maximum(add(add(neg(positive), negative), 1), 0)
  },
})
