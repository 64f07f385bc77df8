/** Losses that compare values. All reduce the last axis by a mean, except the Huber loss (see there). Source: keras/losses.py of 2.3.1. */
import type { Node } from '../../ir/graph.js'
import { abs, add, div, log, maximum, mean, minimum, mul, neg, sqrt, sub, sum } from '../../ops/build.js'
import { clip, softplus, square } from '../../ops/compositions.js'
import { defineLoss } from './define-loss.js'

/** Keras' fuzz factor, `K.epsilon()`. */
export const EPSILON = 1e-7

const lastMean = (x: Node): Node => mean(x, [-1])
const lastSum = (x: Node): Node => sum(x, [-1])

export const meanSquaredError = defineLoss({
  name: 'mean_squared_error',
  aliases: ['mse', 'MSE'],
  className: 'MeanSquaredError',
  instanceName: 'mean_squared_error',
  doc: 'mean((p - t)^2) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => lastMean(square(sub(p.node, t))),
})

export const meanAbsoluteError = defineLoss({
  name: 'mean_absolute_error',
  aliases: ['mae', 'MAE'],
  className: 'MeanAbsoluteError',
  instanceName: 'mean_absolute_error',
  doc: 'mean(|p - t|) over the last axis; the gradient at 0 is 0',
  kind: 'other',
  options: [],
  compute: (t, p) => lastMean(abs(sub(p.node, t))),
})

export const meanAbsolutePercentageError = defineLoss({
  name: 'mean_absolute_percentage_error',
  aliases: ['mape', 'MAPE'],
  className: 'MeanAbsolutePercentageError',
  instanceName: 'mean_absolute_percentage_error',
  doc: '100 * mean(|t - p| / max(|t|, 1e-7)) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => mul(lastMean(abs(div(sub(t, p.node), maximum(abs(t), EPSILON)))), 100),
})

/** log(max(x, 1e-7) + 1) */
const logOfOneMore = (x: Node): Node => log(add(maximum(x, EPSILON), 1))

export const meanSquaredLogarithmicError = defineLoss({
  name: 'mean_squared_logarithmic_error',
  aliases: ['msle', 'MSLE'],
  className: 'MeanSquaredLogarithmicError',
  instanceName: 'mean_squared_logarithmic_error',
  doc: 'mean((log(max(p, 1e-7) + 1) - log(max(t, 1e-7) + 1))^2) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => lastMean(square(sub(logOfOneMore(p.node), logOfOneMore(t)))),
})

export const logcosh = defineLoss({
  name: 'logcosh',
  aliases: [],
  className: 'LogCosh',
  instanceName: 'logcosh',
  doc: 'mean(d + softplus(-2 d) - log 2) over the last axis, d = p - t: log(cosh(d)) without overflow',
  kind: 'other',
  options: [],
  compute: (t, p) => {
    const d = sub(p.node, t)
    return lastMean(sub(add(d, softplus(mul(d, -2))), Math.LN2))
  },
})

export const huberLoss = defineLoss({
  name: 'huber_loss',
  aliases: [],
  className: 'Huber',
  instanceName: 'huber_loss',
  doc: 'd^2 / 2 where |d| <= delta, else delta |d| - delta^2 / 2. Keras 2.3 keeps the last axis, so it weighs like the others only through the mean over all elements',
  kind: 'other',
  options: ['delta'],
  compute: (t, p, { delta }) => {
    const size = abs(sub(p.node, t))
    const quadratic = minimum(size, delta)
    return add(mul(square(quadratic), 0.5), mul(sub(size, quadratic), delta))
  },
})

/** x / |x| along `axis`, with |x|^2 kept at 1e-12 or more, as tf.nn.l2_normalize. */
export function l2Normalize(x: Node, axis = -1): Node {
  const norm = sqrt(maximum(sum(square(x), [axis], true), 1e-12))
  return div(x, norm)
}

/** The cosine between two vectors along `axis`. */
export const cosineBetween = (a: Node, b: Node, axis: number): Node => sum(mul(l2Normalize(a, axis), l2Normalize(b, axis)), [axis])

export const cosineProximity = defineLoss({
  name: 'cosine_proximity',
  aliases: ['cosine', 'cosine_similarity'],
  className: 'CosineSimilarity',
  instanceName: 'cosine_similarity',
  doc: '-sum(t / |t| * p / |p|) along an axis, by default the last: -1 where they point the same way',
  kind: 'other',
  options: ['axis'],
  compute: (t, p, { axis }) => neg(cosineBetween(t, p.node, axis)),
})

export const poisson = defineLoss({
  name: 'poisson',
  aliases: [],
  className: 'Poisson',
  instanceName: 'poisson',
  doc: 'mean(p - t log(p + 1e-7)) over the last axis',
  kind: 'other',
  options: [],
  compute: (t, p) => lastMean(sub(p.node, mul(t, log(add(p.node, EPSILON))))),
})

export const kullbackLeiblerDivergence = defineLoss({
  name: 'kullback_leibler_divergence',
  aliases: ['kld', 'KLD'],
  className: 'KLDivergence',
  instanceName: 'kullback_leibler_divergence',
  doc: 'sum(t log(t / p)) over the last axis, both clipped to [1e-7, 1]',
  kind: 'other',
  options: [],
  compute: (t, p) => {
    const target = clip(t, EPSILON, 1)
    return lastSum(mul(target, log(div(target, clip(p.node, EPSILON, 1)))))
  },
})
