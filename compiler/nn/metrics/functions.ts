/** Metrics as functions of tensors, for metrics of one's own such as `(t, p) => topKCategoricalAccuracy(t, p, { k: 3 })`. */
import { activationOf } from '../activations.js'
import { KTensor, type TensorLike } from '../tensor.js'
import * as accuracy from './accuracy.js'
import type { Metric } from './metric.js'
import type { MetricDefinition } from './define-metric.js'
import type { MetricFunction } from './get-metric.js'
import { CosineSimilarity } from './similarity.js'

type Maker<O> = ((options?: O) => Metric) & { readonly record: MetricDefinition }
/** Values of the samples, before they are averaged. */
export type ValuesFunction<O> = MetricFunction & ((yTrue: TensorLike, yPred: TensorLike, options?: O) => KTensor)

function valuesOf<O>(make: Maker<O>): ValuesFunction<O> {
  const fn = (yTrue: TensorLike, yPred: TensorLike, options?: O): KTensor => {
    const metric = make(options)
    if (!('values' in metric.rule)) throw new TypeError(`${metric.name} is not a mean of values`)
    const batch = metric.batchOf({ target: yTrue.node, prediction: { node: yPred.node, ...activationOf(yPred.node) }, weights: null })
    return new KTensor(metric.rule.values(batch))
  }
  Object.defineProperty(fn, 'name', { value: make.record.functions[0] })
  return Object.assign(fn, { metric: make.record })
}

/** mean over the last axis of t == round(p). */
export const binaryAccuracy = valuesOf(accuracy.BinaryAccuracy)
/** argmax(t) == argmax(p). */
export const categoricalAccuracy = valuesOf(accuracy.CategoricalAccuracy)
/** t == argmax(p). */
export const sparseCategoricalAccuracy = valuesOf(accuracy.SparseCategoricalAccuracy)
/** Whether argmax(t) is among the k highest predictions. */
export const topKCategoricalAccuracy = valuesOf(accuracy.TopKCategoricalAccuracy)
/** Whether t is among the k highest predictions. */
export const sparseTopKCategoricalAccuracy = valuesOf(accuracy.SparseTopKCategoricalAccuracy)
/** The cosine between target and prediction, along `axis`. The loss of this name is its negative. */
export const cosineProximity = valuesOf(CosineSimilarity)
/** The same as `cosineProximity`. */
export const cosineSimilarity = cosineProximity
/** The same as `cosineProximity`. */
export const cosine = cosineProximity
