/** Every loss as a metric: its mean over samples. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { camelToSnake, snakeToCamel } from '../configured.js'
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from '../losses/crossentropy.js'
import { defaultLossOptions, type LossDefinition } from '../losses/define-loss.js'
import { categoricalHinge, hinge, squaredHinge } from '../losses/hinge.js'
import { lossOptionKinds } from '../losses/loss-options.js'
import * as regression from '../losses/regression.js'
import { integer, type Option, type OptionTable } from '../option.js'
import { always, defineMetric, type MetricMaker } from './define-metric.js'

type LossMetricOptions = {
  readonly fromLogits: typeof lossOptionKinds.from_logits
  readonly labelSmoothing: typeof lossOptionKinds.label_smoothing
}

/** Options of a loss by their names in TypeScript. */
const optionsOf = (loss: LossDefinition): OptionTable =>
  Object.fromEntries(loss.options.map((key) => [snakeToCamel(key), lossOptionKinds[key]]))

/** @param className Keras' class of the metric; @param more options that only the metric has */
function lossMetric<K extends keyof LossMetricOptions = never>(loss: LossDefinition, className = loss.className, more: OptionTable = {}): MetricMaker<Pick<LossMetricOptions, K>, []> {
  const maker = defineMetric({
    className,
    doc: loss.doc,
    functions: [loss.name, ...loss.aliases],
    instanceName: always(loss.name),
    options: { ...optionsOf(loss), ...more },
    positional: [],
    sparse: loss.kind === 'sparse',
    rule: (values) => {
      const given = Object.fromEntries(Object.entries(values).map(([key, value]) => [camelToSnake(key), value]))
      return { values: ({ target, prediction }) => loss.compute(target, prediction, { ...defaultLossOptions, ...given }) }
    },
  })
  return maker as unknown as MetricMaker<Pick<LossMetricOptions, K>, []>
}

/** The last axis is the only one that classes can lie along. */
const lastAxis: Option<number, number> = {
  ...integer('axis of the classes', -1),
  parse: (v, name) => {
    if (v !== -1) throw new ValueError(`\`${name}\` must be -1: classes lie along the last axis. Found: ${v}`)
    return v
  },
}

/** `MeanSquaredError({ name })`: mean((p - t)²). */
export const MeanSquaredError = lossMetric(regression.meanSquaredError)
/** `MeanAbsoluteError({ name })`: mean(|p - t|). */
export const MeanAbsoluteError = lossMetric(regression.meanAbsoluteError)
/** `MeanAbsolutePercentageError({ name })`: 100 · mean(|t - p| / |t|). */
export const MeanAbsolutePercentageError = lossMetric(regression.meanAbsolutePercentageError)
/** `MeanSquaredLogarithmicError({ name })`: mean((log(1 + t) - log(1 + p))²). */
export const MeanSquaredLogarithmicError = lossMetric(regression.meanSquaredLogarithmicError)
/** `BinaryCrossentropy({ fromLogits, labelSmoothing, name })`: cross-entropy of independent yes/no targets. */
export const BinaryCrossentropy = lossMetric<'fromLogits' | 'labelSmoothing'>(binaryCrossentropy)
/** `CategoricalCrossentropy({ fromLogits, labelSmoothing, name })`: cross-entropy of one-hot targets. */
export const CategoricalCrossentropy = lossMetric<'fromLogits' | 'labelSmoothing'>(categoricalCrossentropy)
/** `SparseCategoricalCrossentropy({ fromLogits, name })`: cross-entropy of class numbers. */
export const SparseCategoricalCrossentropy = lossMetric<'fromLogits'>(sparseCategoricalCrossentropy, undefined, { axis: lastAxis })
/** `Hinge({ name })`: mean(max(1 - t p, 0)). */
export const Hinge = lossMetric(hinge)
/** `SquaredHinge({ name })`: mean(max(1 - t p, 0)²). */
export const SquaredHinge = lossMetric(squaredHinge)
/** `CategoricalHinge({ name })`: max(largest p of a wrong class - p of the true one + 1, 0). */
export const CategoricalHinge = lossMetric(categoricalHinge)
/** `LogCoshError({ name })`: mean(log(cosh(p - t))). */
export const LogCoshError = lossMetric(regression.logcosh, 'LogCoshError')
/** `KLDivergence({ name })`: sum(t log(t / p)). */
export const KLDivergence = lossMetric(regression.kullbackLeiblerDivergence)
/** `Poisson({ name })`: mean(p - t log(p)). */
export const Poisson = lossMetric(regression.poisson)
/** The Huber loss, which Keras has as a loss only. */
export const Huber = lossMetric(regression.huberLoss)
