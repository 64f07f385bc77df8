/** Metrics as users see them: the classes of Keras 2.3, and functions. Names are given to `compile` directly. */
import type { ObjectConfig } from '../losses/loss.js'
import { reprText } from '../python-text.js'
import { ValueError } from '../../../runtime/contract/errors.js'
import { functionName } from '../training-names.js'
import * as lossFunctions from '../losses/functions.js'
import * as ownFunctions from './functions.js'
import { classMetric, type MetricIdentifier } from './get-metric.js'
import { Metric } from './metric.js'
import { findMetric } from './registry.js'

export * from './accuracy.js'
export { AUC } from './auc.js'
export { FalseNegatives, FalsePositives, Precision, Recall, SensitivityAtSpecificity, SpecificityAtSensitivity, TrueNegatives, TruePositives } from './counts.js'
export {
  BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, Hinge, KLDivergence, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
  MeanSquaredError, MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge,
} from './loss-metrics.js'
export { Metric } from './metric.js'
export { Mean, ReducedValues, Sum } from './reduce.js'
export { CosineSimilarity, MeanIoU, RootMeanSquaredError } from './similarity.js'
export {
  binaryCrossentropy, categoricalCrossentropy, categoricalHinge, hinge, kld, kullbackLeiblerDivergence, logcosh, mae, mape, meanAbsoluteError,
  meanAbsolutePercentageError, meanSquaredError, meanSquaredLogarithmicError, mse, msle, poisson, sparseCategoricalCrossentropy, squaredHinge,
} from '../losses/functions.js'
export * from './functions.js'
export type { MetricIdentifier } from './get-metric.js'
export type { MetricInput, UpdateOptions } from './running-state.js'

/** Functions by Keras' names. */
const functions = new Map([...Object.values(lossFunctions), ...Object.values(ownFunctions)].map((f) => [functionName(f), f]))

/**
 * The metric that a name, a function or a configuration stands for: a function for the name of one, else an object.
 * @throws ValueError for what is unknown
 */
export function get(identifier: MetricIdentifier): MetricIdentifier {
  if (typeof identifier === 'function' || identifier instanceof Metric) return identifier
  if (typeof identifier === 'string') return functions.get(findMetric(identifier)?.functions[0] ?? '') ?? classMetric({ class_name: identifier, config: {} })
  if (typeof identifier === 'object' && identifier !== null && 'class_name' in identifier) return classMetric(identifier)
  throw new ValueError(`Could not interpret metric function identifier: ${reprText(identifier)}`)
}

/** A function's name, or class and options: what a file holds. */
export const serialize = (metric: MetricIdentifier): string | ObjectConfig =>
  (typeof metric === 'function' ? functionName(metric) : metric instanceof Metric ? metric.config : metric)
/** The metric a configuration stands for. */
export const deserialize = get
