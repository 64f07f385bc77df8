/** A metric as one output of a model uses it, and how a user's name, function or object becomes one. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { cast, div, equal, mean, select, sum } from '../../ops/build.js'
import { defaultLossOptions, type LossDefinition, type LossOptions, type Prediction } from '../losses/define-loss.js'
import { callUserFunction, isObjectConfig, weighted, type Loss, type LossFunction, type ObjectConfig } from '../losses/loss.js'
import { findLoss, lossDefinitions } from '../losses/registry.js'
import { reprText } from '../python-text.js'
import { functionName, snakeIdentifier } from '../training-names.js'
import * as accuracy from './accuracy.js'
import { defaultMetricOptions, type MetricDefinition, type MetricOptions } from './define-metric.js'

/** Metrics of their own; every loss is one besides. */
export const metricDefinitions: readonly MetricDefinition[] = Object.values(accuracy)

/** The mean of a batch, and what it counts when batches are averaged: see `Averaging` in the manifest. */
export type BatchMean = { readonly value: Node; readonly counts: 'samples' | 'batches' | 'weights' }

/** A metric as `compile` takes it: a mean over samples, or over the elements of a batch. */
export class Metric {
  constructor(
    readonly name: string,
    /** Keras' name of what is computed, whatever it is reported as: `binary_accuracy` for an `accuracy`. */
    readonly computes: string,
    /** What `training_config` holds. */
    readonly config: string | ObjectConfig,
    private readonly values: (yTrue: Node, yPred: Prediction) => Node,
  ) {}

  /** The mean of a batch; with `weights` ([B]) the weighted mean. */
  batchMean(yTrue: Node, yPred: Prediction, weights: Node | null): BatchMean {
    const values = cast(this.values(yTrue, yPred), 'float32')
    if (weights) return weightedMean(values, weights)
    return { value: mean(values), counts: values.type.shape.length === 0 ? 'batches' : 'samples' }
  }
}

/** A batch without any weight has mean 0, so that it adds nothing to the epoch. */
function weightedMean(values: Node, weights: Node): BatchMean {
  const perSample = values.type.shape.length > 1 ? mean(values, values.type.shape.map((_, i) => i).slice(1)) : values
  const weight = sum(weights)
  const total = sum(weighted(perSample, weights))
  const isEmpty = equal(weight, 0)
  return { value: select(isEmpty, 0, div(total, select(isEmpty, 1, weight))), counts: 'weights' }
}

/** As `compile` takes it: a name, a function of targets and predictions, or an object made by the metric classes. */
export type MetricIdentifier = string | LossFunction | Metric | ObjectConfig

/** What resolves `accuracy`: the shape of the output and its loss. */
export type MetricTarget = { readonly lastDim: number | null; readonly loss: Loss }

/** @throws ValueError for an unknown metric. */
export function getMetric(identifier: MetricIdentifier, target: MetricTarget): Metric {
  if (identifier instanceof Metric) return identifier
  if (typeof identifier === 'function') return customMetric(identifier)
  if (isObjectConfig(identifier)) return metricOfConfig(identifier)
  if (typeof identifier !== 'string') throw new ValueError(`Could not interpret metric function identifier: ${reprText(identifier)}`)
  return namedMetric(identifier, target)
}

function namedMetric(name: string, target: MetricTarget): Metric {
  const resolved = resolveShorthand(name, target)
  const metric = metricDefinitions.find((d) => d.name === resolved || d.name === snakeIdentifier(resolved))
  const loss = metric ? null : findLoss(resolved)
  if (!metric && !loss) throw new ValueError(`Unknown metric function:${name}`)
  // Names are kept as the user wrote them, except for camelCase, which Keras does not know.
  const spelling = snakeIdentifier(name)
  return metric ? metricOf(metric, spelling, spelling) : metricOfLoss(loss!, spelling, spelling)
}

/** Which of its three meanings `accuracy` (and `crossentropy`) has for this output, as Keras decides it. */
function resolveShorthand(name: string, { lastDim, loss }: MetricTarget): string {
  const suffix = { accuracy: 'accuracy', acc: 'accuracy', crossentropy: 'crossentropy', ce: 'crossentropy' }[name]
  if (suffix === undefined) return name
  if (lastDim === 1 || loss.definition?.name === 'binary_crossentropy') return `binary_${suffix}`
  return loss.definition?.kind === 'sparse' ? `sparse_categorical_${suffix}` : `categorical_${suffix}`
}

const metricOf = (d: MetricDefinition, name: string, config: string | ObjectConfig, options: MetricOptions = defaultMetricOptions): Metric =>
  new Metric(name, d.name, config, (t, p) => d.compute(cast(t, d.sparse ? 'int32' : 'float32'), p, options))

const metricOfLoss = (d: LossDefinition, name: string, config: string | ObjectConfig, options: LossOptions = defaultLossOptions): Metric =>
  new Metric(name, d.name, config, (t, p) => d.compute(cast(t, d.kind === 'sparse' ? 'int32' : 'float32'), p, options))

function customMetric(fn: LossFunction): Metric {
  const name = functionName(fn)
  return new Metric(name, name, name, (t, p) => callUserFunction(fn, t, p.node))
}

/** Options of the metric classes that are means, in TypeScript's spelling. */
export type MetricClassOptions = { readonly name?: string; readonly threshold?: number; readonly k?: number; readonly fromLogits?: boolean; readonly labelSmoothing?: number }

export function metricOfClass(definition: MetricDefinition, options: MetricClassOptions = {}): Metric {
  const name = options.name ?? definition.name
  const own: MetricOptions = { threshold: options.threshold ?? defaultMetricOptions.threshold, k: options.k ?? defaultMetricOptions.k }
  const stored = Object.fromEntries(definition.options.map((key) => [key, own[key]]))
  return metricOf(definition, name, { class_name: definition.className, config: { name, dtype: 'float32', ...stored } }, own)
}

export function metricOfLossClass(definition: LossDefinition, options: MetricClassOptions = {}): Metric {
  const name = options.name ?? definition.name
  const keras = { ...defaultLossOptions, from_logits: options.fromLogits ?? false, label_smoothing: options.labelSmoothing ?? 0 }
  const own = Object.fromEntries(definition.options.map((key) => [key, keras[key]]))
  return metricOfLoss(definition, name, { class_name: definition.className, config: { name, dtype: 'float32', ...own } }, keras)
}

function metricOfConfig({ class_name, config }: ObjectConfig): Metric {
  const options: MetricClassOptions = {
    ...(typeof config['name'] === 'string' ? { name: config['name'] } : {}),
    ...(typeof config['threshold'] === 'number' ? { threshold: config['threshold'] } : {}),
    ...(typeof config['k'] === 'number' ? { k: config['k'] } : {}),
    ...(typeof config['from_logits'] === 'boolean' ? { fromLogits: config['from_logits'] } : {}),
    ...(typeof config['label_smoothing'] === 'number' ? { labelSmoothing: config['label_smoothing'] } : {}),
  }
  const metric = metricDefinitions.find((d) => d.className === class_name)
  if (metric) return metricOfClass(metric, options)
  const loss = lossDefinitions.find((d) => d.className === class_name)
  if (!loss) throw new ValueError(`Unknown metric function:${class_name}`)
  return metricOfLossClass(loss, options)
}
