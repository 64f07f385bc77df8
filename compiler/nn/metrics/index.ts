/** Metrics as users see them: the classes that are means over samples. Names and functions are given to `compile` directly. */
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from '../losses/crossentropy.js'
import type { LossDefinition } from '../losses/define-loss.js'
import { categoricalHinge, hinge, squaredHinge } from '../losses/hinge.js'
import * as regression from '../losses/regression.js'
import * as accuracy from './accuracy.js'
import type { MetricDefinition } from './define-metric.js'
import { metricOfClass, metricOfLossClass, type Metric, type MetricClassOptions } from './metric.js'

export { Metric, metricDefinitions } from './metric.js'
export type { MetricClassOptions, MetricIdentifier } from './metric.js'

const metricClass = (definition: MetricDefinition) => (options: MetricClassOptions = {}): Metric => metricOfClass(definition, options)
const lossMetric = (definition: LossDefinition) => (options: MetricClassOptions = {}): Metric => metricOfLossClass(definition, options)

/** Share of elements on the right side of the threshold. */
export const BinaryAccuracy = metricClass(accuracy.binaryAccuracy)
/** Share of samples whose largest prediction is the one-hot class. */
export const CategoricalAccuracy = metricClass(accuracy.categoricalAccuracy)
/** Share of samples whose largest prediction is the class number. */
export const SparseCategoricalAccuracy = metricClass(accuracy.sparseCategoricalAccuracy)
/** Share of samples whose one-hot class is among the k largest predictions. */
export const TopKCategoricalAccuracy = metricClass(accuracy.topKCategoricalAccuracy)
/** Share of samples whose class number is among the k largest predictions. */
export const SparseTopKCategoricalAccuracy = metricClass(accuracy.sparseTopKCategoricalAccuracy)
/** The loss of this name as a metric. */
export const MeanSquaredError = lossMetric(regression.meanSquaredError)
/** The loss of this name as a metric. */
export const MeanAbsoluteError = lossMetric(regression.meanAbsoluteError)
/** The loss of this name as a metric. */
export const BinaryCrossentropy = lossMetric(binaryCrossentropy)
/** The loss of this name as a metric. */
export const CategoricalCrossentropy = lossMetric(categoricalCrossentropy)
/** The loss of this name as a metric. */
export const SparseCategoricalCrossentropy = lossMetric(sparseCategoricalCrossentropy)
/** The loss of this name as a metric. */
export const MeanAbsolutePercentageError = lossMetric(regression.meanAbsolutePercentageError)
/** The loss of this name as a metric. */
export const MeanSquaredLogarithmicError = lossMetric(regression.meanSquaredLogarithmicError)
/** The loss of this name as a metric. */
export const Hinge = lossMetric(hinge)
/** The loss of this name as a metric. */
export const SquaredHinge = lossMetric(squaredHinge)
/** The loss of this name as a metric. */
export const CategoricalHinge = lossMetric(categoricalHinge)
/** The loss of this name as a metric. */
export const KLDivergence = lossMetric(regression.kullbackLeiblerDivergence)
/** The loss of this name as a metric. */
export const Poisson = lossMetric(regression.poisson)
