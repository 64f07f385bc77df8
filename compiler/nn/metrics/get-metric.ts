/** How a user's name, function, object or configuration becomes a metric. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { callUserFunction, getLoss, isObjectConfig, type Loss, type LossFunction, type ObjectConfig } from '../losses/loss.js'
import { reprText } from '../python-text.js'
import { functionName, snakeIdentifier } from '../training-names.js'
import { metricOf, metricOfConfig, type MetricDefinition } from './define-metric.js'
import { Metric } from './metric.js'
import { findMetric, findMetricClass } from './registry.js'

/** As `compile` takes it: a name, a function of targets and predictions, or an object made by the metric classes. */
export type MetricIdentifier = string | LossFunction | Metric | ObjectConfig

/** What resolves `accuracy`: the shape of the output and its loss. */
export type MetricTarget = { readonly lastDim: number | null; readonly loss: Loss }

/** A function of `metrics` that says which metric it is. */
export type MetricFunction = LossFunction & { readonly metric: MetricDefinition }
const isMetricFunction = (f: LossFunction): f is MetricFunction => 'metric' in f

/** @throws ValueError for an unknown metric. */
export function getMetric(identifier: MetricIdentifier, target: MetricTarget): Metric {
  if (identifier instanceof Metric) return identifier
  if (typeof identifier === 'function') return isMetricFunction(identifier) ? functionMetric(identifier.metric, functionName(identifier)) : customMetric(identifier)
  if (isObjectConfig(identifier)) return classMetric(identifier)
  if (typeof identifier !== 'string') throw new ValueError(`Could not interpret metric function identifier: ${reprText(identifier)}`)
  return namedMetric(identifier, target)
}

function namedMetric(name: string, target: MetricTarget): Metric {
  const metric = findMetric(resolveShorthand(name, target))
  // Names are kept as the user wrote them, except for camelCase, which Keras does not know.
  if (!metric) throw new ValueError(`Unknown metric function:${name}`)
  return functionMetric(metric, snakeIdentifier(name))
}

/** The metric as a function: every option at its default, reported under the name it was given by. */
const functionMetric = (definition: MetricDefinition, name: string): Metric => metricOf(definition, { name }).asFunction(name)

/** @throws ValueError for an unknown class. */
export function classMetric({ class_name, config }: ObjectConfig): Metric {
  const definition = findMetricClass(class_name)
  if (!definition) throw new ValueError(`Unknown metric function:${class_name}`)
  return metricOfConfig(definition, config)
}

/** An object for the name of a class, such as `AUC`, so that it has a name and a configuration; everything else as it is. */
export function instanceOf(identifier: MetricIdentifier): MetricIdentifier {
  if (typeof identifier !== 'string' || findMetric(identifier) || !findMetricClass(identifier)) return identifier
  return classMetric({ class_name: identifier, config: {} })
}

/** Which of its three meanings `accuracy` (and `crossentropy`) has for this output, as Keras decides it. */
function resolveShorthand(name: string, { lastDim, loss }: MetricTarget): string {
  const suffix = { accuracy: 'accuracy', acc: 'accuracy', crossentropy: 'crossentropy', ce: 'crossentropy' }[name]
  if (suffix === undefined) return name
  if (lastDim === 1 || loss.definition?.name === 'binary_crossentropy') return `binary_${suffix}`
  return loss.definition?.kind === 'sparse' ? `sparse_categorical_${suffix}` : `categorical_${suffix}`
}

/** A user's function, or a loss of `losses`, as a mean over what it returns. */
function customMetric(fn: LossFunction): Metric {
  const loss = getLoss(fn)
  const sparse = loss.definition?.kind === 'sparse'
  const name = functionName(fn)
  return new Metric({ name, computes: loss.name, config: name, sparse, rule: { values: ({ target, prediction }) => loss.definition ? loss.compute(target, prediction) : callUserFunction(fn, target, prediction.node) } })
}
