/** Metrics as users see them: the classes that are means over samples. Names and functions are given to `compile` directly. */
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from '../losses/crossentropy.js'
import type { LossDefinition } from '../losses/define-loss.js'
import { meanAbsoluteError, meanSquaredError } from '../losses/regression.js'
import { binaryAccuracy, categoricalAccuracy, sparseCategoricalAccuracy } from './accuracy.js'
import type { MetricDefinition } from './define-metric.js'
import { metricOfClass, metricOfLossClass, type Metric, type MetricClassOptions } from './metric.js'

export { Metric, metricDefinitions } from './metric.js'
export type { MetricClassOptions, MetricIdentifier } from './metric.js'

const metricClass = (definition: MetricDefinition) => (options: MetricClassOptions = {}): Metric => metricOfClass(definition, options)
const lossMetric = (definition: LossDefinition) => (options: MetricClassOptions = {}): Metric => metricOfLossClass(definition, options)

export const BinaryAccuracy = metricClass(binaryAccuracy)
export const CategoricalAccuracy = metricClass(categoricalAccuracy)
export const SparseCategoricalAccuracy = metricClass(sparseCategoricalAccuracy)
export const MeanSquaredError = lossMetric(meanSquaredError)
export const MeanAbsoluteError = lossMetric(meanAbsoluteError)
export const BinaryCrossentropy = lossMetric(binaryCrossentropy)
export const CategoricalCrossentropy = lossMetric(categoricalCrossentropy)
export const SparseCategoricalCrossentropy = lossMetric(sparseCategoricalCrossentropy)
