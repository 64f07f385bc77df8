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

export const BinaryAccuracy = metricClass(accuracy.binaryAccuracy)
export const CategoricalAccuracy = metricClass(accuracy.categoricalAccuracy)
export const SparseCategoricalAccuracy = metricClass(accuracy.sparseCategoricalAccuracy)
export const TopKCategoricalAccuracy = metricClass(accuracy.topKCategoricalAccuracy)
export const SparseTopKCategoricalAccuracy = metricClass(accuracy.sparseTopKCategoricalAccuracy)
export const MeanSquaredError = lossMetric(regression.meanSquaredError)
export const MeanAbsoluteError = lossMetric(regression.meanAbsoluteError)
export const BinaryCrossentropy = lossMetric(binaryCrossentropy)
export const CategoricalCrossentropy = lossMetric(categoricalCrossentropy)
export const SparseCategoricalCrossentropy = lossMetric(sparseCategoricalCrossentropy)
export const MeanAbsolutePercentageError = lossMetric(regression.meanAbsolutePercentageError)
export const MeanSquaredLogarithmicError = lossMetric(regression.meanSquaredLogarithmicError)
export const Hinge = lossMetric(hinge)
export const SquaredHinge = lossMetric(squaredHinge)
export const CategoricalHinge = lossMetric(categoricalHinge)
export const KLDivergence = lossMetric(regression.kullbackLeiblerDivergence)
export const Poisson = lossMetric(regression.poisson)
