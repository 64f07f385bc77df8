/**
 * `model.compile`: turns the user's loss, metrics and optimizer, given by name, function, object, list or dict, into
 * one record per trained output, with Keras' checks and messages. Builds no graph.
 */
import { ArgumentTypeError, ValueError } from '../../runtime/contract/errors.js'
import { getLoss, Loss, type LossFunction, type ObjectConfig } from './losses/loss.js'
import { getMetric, instanceOf, type MetricIdentifier } from './metrics/get-metric.js'
import type { Metric } from './metrics/metric.js'
import { getOptimizer, Optimizer, type OptimizerOptions } from './optimizers/optimizer.js'
import { reprText } from './python-text.js'
import { weightModesOf, type SampleWeightMode } from './sample-weight-mode.js'
import type { KShape } from './shape.js'
import { functionName, snakeIdentifier } from './training-names.js'
import type { Weight } from './weight.js'

export type LossIdentifier = string | LossFunction | Loss | ObjectConfig
export type ByOutput<T> = { readonly [output: string]: T }
/** Metrics of all outputs, or of each output by position (a list that holds lists) or by name. */
export type MetricsArgument = readonly (MetricIdentifier | readonly MetricIdentifier[])[] | ByOutput<MetricIdentifier | readonly MetricIdentifier[]>

export type CompileOptions = {
  readonly optimizer: string | Optimizer | { readonly class_name: string; readonly config: OptimizerOptions }
  readonly loss?: LossIdentifier | readonly (LossIdentifier | null)[] | ByOutput<LossIdentifier | null> | null
  readonly metrics?: MetricsArgument | null
  readonly lossWeights?: readonly number[] | ByOutput<number> | null
  /** 'temporal': weights of time steps ([B, T]) instead of samples, for all outputs or by position or name. */
  readonly sampleWeightMode?: SampleWeightMode
  readonly weightedMetrics?: MetricsArgument | null
}

/** What `compile` needs to know of a model. */
export type CompileTarget = {
  readonly outputNames: readonly string[]
  readonly outputShapes: readonly KShape[]
  /** What is trained, as of now: later changes of `trainable` count from the next `compile`. */
  readonly trainableWeights: readonly Weight[]
  /** Whether layers add losses of their own (penalties), so that a model may be trained without any other loss. */
  readonly hasPenalties: boolean
}

/** A metric under the name its values are reported as. */
export type NamedMetric = { readonly name: string; readonly metric: Metric; readonly weighted: boolean }

/** One output that has a loss. */
export type TrainedOutput = {
  readonly index: number
  readonly name: string
  readonly loss: Loss
  readonly weight: number
  /** Whether each time step has a weight of its own, instead of each sample. */
  readonly temporal: boolean
  readonly metrics: readonly NamedMetric[]
}

export type CompiledTraining = {
  readonly optimizer: Optimizer
  readonly outputs: readonly TrainedOutput[]
  readonly parameters: readonly Weight[]
  /** Whether the losses of the outputs are reported one by one. */
  readonly reportsLosses: boolean
  /** `loss`, losses of the outputs, metrics. */
  readonly metricsNames: readonly string[]
  /** As an `.h5` file holds it, with the optimizer's present values. */
  trainingConfig(): TrainingConfig
}

export type TrainingConfig = {
  readonly optimizer_config: { readonly class_name: string; readonly config: Readonly<Record<string, number | boolean>> }
  readonly loss: unknown
  readonly metrics: unknown
  readonly weighted_metrics: unknown
  readonly sample_weight_mode: unknown
  readonly loss_weights: unknown
}

/** @throws ValueError, ArgumentTypeError in Keras' words. */
export function compileModel(model: CompileTarget, given: CompileOptions): CompiledTraining {
  checkKeys(given)
  const optimizer = getOptimizer(given.optimizer)
  if (model.outputNames.length === 0) return unbuilt(optimizer, given)
  const options = { ...given, metrics: withInstances(given.metrics), weightedMetrics: withInstances(given.weightedMetrics) }
  const losses = lossesOf(model, options.loss ?? null)
  const weights = lossWeightsOf(model, options.lossWeights ?? null)
  if (losses.every((l) => l === null) && !model.hasPenalties) throw new ValueError('The model cannot be compiled because it has no loss to optimize.')
  const outputs = withMetrics(model, losses, weights, options)
  const reportsLosses = model.outputNames.length > 1
  const lossNames = reportsLosses ? outputs.map((o) => `${o.name}_loss`) : []
  return {
    optimizer,
    outputs,
    parameters: [...model.trainableWeights],
    reportsLosses,
    metricsNames: ['loss', ...lossNames, ...outputs.flatMap((o) => o.metrics.map((m) => m.name))],
    trainingConfig: () => trainingConfig(optimizer, options),
  }
}

/** Of a model whose outputs are not known yet: to be compiled again when they are. */
const unbuilt = (optimizer: Optimizer, options: CompileOptions): CompiledTraining =>
  ({ optimizer, outputs: [], parameters: [], reportsLosses: false, metricsNames: ['loss'], trainingConfig: () => trainingConfig(optimizer, options) })

const knownKeys = ['optimizer', 'loss', 'metrics', 'lossWeights', 'sampleWeightMode', 'weightedMetrics', 'targetTensors']

function checkKeys(options: CompileOptions): void {
  const unknown = Object.keys(options).find((k) => !knownKeys.includes(k))
  if (unknown !== undefined) throw new ArgumentTypeError(`compile() got an unexpected keyword argument '${unknown}'`)
  if (options.optimizer === undefined) throw new ArgumentTypeError("compile() missing 1 required positional argument: 'optimizer'")
}

const isDict = (x: unknown): x is ByOutput<unknown> =>
  typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype && !('class_name' in x)

/** @throws ValueError for keys that are not names of outputs. */
function checkOutputNames(argument: string, given: ByOutput<unknown>, names: readonly string[]): void {
  const unknown = Object.keys(given).filter((k) => !names.includes(k))
  if (unknown.length > 0) throw new ValueError(`Unknown entries in ${argument} dictionary: ${reprText(unknown)}. Only expected following keys: ${reprText(names)}`)
}

type LossArgument = NonNullable<CompileOptions['loss']>
const isLossDict = (loss: LossArgument): loss is ByOutput<LossIdentifier | null> => isDict(loss)
const isList = <T>(x: T | readonly T[]): x is readonly T[] => Array.isArray(x)

function lossesOf({ outputNames }: CompileTarget, loss: CompileOptions['loss'] | null): (Loss | null)[] {
  if (loss === null || loss === undefined) return outputNames.map(() => null)
  if (isLossDict(loss)) {
    checkOutputNames('loss', loss, outputNames)
    for (const name of outputNames) if (!(name in loss)) warnMissing(name)
    return outputNames.map((name) => lossOrNull(loss[name]))
  }
  if (isList<LossIdentifier | null>(loss)) {
    if (loss.length !== outputNames.length) {
      throw new ValueError(`When passing a list as loss, it should have one entry per model outputs. The model has ${outputNames.length} outputs, but you passed loss=${reprText(loss)}`)
    }
    return loss.map(lossOrNull)
  }
  return outputNames.map(() => getLoss(loss))
}

const warnMissing = (output: string): void =>
  process.emitWarning(`Output ${output} missing from loss dictionary. We assume this was done on purpose. The fit and evaluate APIs will not be expecting any data to be passed to ${output}.`, 'UserWarning')

const lossOrNull = (loss: LossIdentifier | null | undefined): Loss | null => (loss === null || loss === undefined ? null : getLoss(loss))

function lossWeightsOf({ outputNames }: CompileTarget, weights: readonly number[] | ByOutput<number> | null): readonly number[] {
  if (weights === null) return outputNames.map(() => 1)
  if (isNumberList(weights)) {
    if (weights.length !== outputNames.length) {
      throw new ValueError(`When passing a list as loss_weights, it should have one entry per model output. The model has ${outputNames.length} outputs, but you passed loss_weights=${reprText(weights)}`)
    }
    return weights
  }
  if (!isDict(weights)) throw new ArgumentTypeError(`Could not interpret loss_weights argument: ${reprText(weights)} - expected a list of dicts.`)
  checkOutputNames('loss_weights', weights, outputNames)
  return outputNames.map((name) => weights[name] ?? 1)
}

const isNumberList = (x: readonly number[] | ByOutput<number>): x is readonly number[] => Array.isArray(x)

/** Metrics of each output. A name given twice for one output counts once, as in Keras. */
function metricsOf({ outputNames }: CompileTarget, metrics: MetricsArgument | null | undefined): readonly (readonly MetricIdentifier[])[] {
  if (metrics === null || metrics === undefined) return outputNames.map(() => [])
  if (isMetricList(metrics)) {
    if (metrics.some((m) => Array.isArray(m))) {
      if (metrics.length !== outputNames.length) {
        throw new ValueError(`When passing a list of lists as \`metrics\`, it should have one entry per model output. The model has ${outputNames.length} outputs, but you passed metrics=${reprText(metrics)}`)
      }
      return metrics.map(listOf)
    }
    return outputNames.map(() => metrics.flatMap(listOf))
  }
  if (!isDict(metrics)) throw new ArgumentTypeError(`Type of \`metrics\` argument not understood. Expected a list or dictionary, found: ${reprText(metrics)}`)
  checkOutputNames('metrics', metrics, outputNames)
  return outputNames.map((name) => listOf(metrics[name] ?? []))
}

/** Names of metric classes as objects, wherever they stand. */
function withInstances(metrics: MetricsArgument | null | undefined): MetricsArgument | null {
  const each = (x: MetricIdentifier | readonly MetricIdentifier[]): MetricIdentifier | readonly MetricIdentifier[] => (isList(x) ? x.map(instanceOf) : instanceOf(x))
  if (metrics === null || metrics === undefined) return null
  if (isMetricList(metrics)) return metrics.map(each)
  return isDict(metrics) ? Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, each(value as MetricIdentifier)])) : metrics
}

const isMetricList = (x: MetricsArgument): x is readonly (MetricIdentifier | readonly MetricIdentifier[])[] => Array.isArray(x)
const listOf = (x: MetricIdentifier | readonly MetricIdentifier[]): readonly MetricIdentifier[] => (isList(x) ? x : [x])

function withMetrics(model: CompileTarget, losses: readonly (Loss | null)[], weights: readonly number[], options: CompileOptions): TrainedOutput[] {
  const [plain, weighted] = [metricsOf(model, options.metrics), metricsOf(model, options.weightedMetrics)]
  const isTemporal = weightModesOf(model, losses.map((l) => l !== null), options.sampleWeightMode ?? null)
  const used = new Set(['loss', ...losses.map((_, i) => `${model.outputNames[i]!}_loss`)])
  return losses.flatMap((loss, index): TrainedOutput[] => {
    if (loss === null) return []
    const name = model.outputNames[index]!
    const target = { lastDim: model.outputShapes[index]!.at(-1) ?? null, loss }
    const resolve = (list: readonly MetricIdentifier[], isWeighted: boolean): NamedMetric[] =>
      oncePerName(list.map((m) => reportable(getMetric(m, target)))).map((metric) => ({ name: uniqueName(model, name, metric.name, used), metric, weighted: isWeighted }))
    const metrics = [...resolve(plain[index]!, false), ...resolve(weighted[index]!, true)]
    return [{ index, name, loss, weight: weights[index]!, temporal: isTemporal[index]!, metrics }]
  })
}

const reportable = (metric: Metric): Metric => {
  metric.checkReportable()
  return metric
}

/** Later metrics of a name replace earlier ones, in the earlier one's place. */
const oncePerName = (metrics: readonly Metric[]): Metric[] => [...new Map(metrics.map((m) => [m.name, m])).values()]

/** `accuracy`, with several outputs `main_output_accuracy`, and `_1` and on for a name that is taken. */
function uniqueName(model: CompileTarget, output: string, metric: string, used: Set<string>): string {
  const base = model.outputNames.length > 1 ? `${output}_${metric}` : metric
  let name = base
  for (let i = 1; used.has(name); i++) name = `${base}_${i}`
  used.add(name)
  return name
}

/** A loss or metric as a file holds it. */
function identifierConfig(x: unknown): unknown {
  if (typeof x === 'string') return snakeIdentifier(x)
  if (typeof x === 'function') return functionName(x)
  if (Array.isArray(x)) return x.map(identifierConfig)
  if (isDict(x)) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, identifierConfig(v)]))
  if (typeof x === 'object' && x !== null && 'config' in x && !('class_name' in x)) return x.config
  return x ?? null
}

function trainingConfig(optimizer: Optimizer, options: CompileOptions): TrainingConfig {
  return {
    optimizer_config: optimizer.config(),
    loss: identifierConfig(options.loss ?? {}),
    metrics: identifierConfig(options.metrics ?? []),
    weighted_metrics: identifierConfig(options.weightedMetrics),
    sample_weight_mode: options.sampleWeightMode ?? null,
    loss_weights: options.lossWeights ?? null,
  }
}

/**
 * The options that a file's `training_config` stands for. Names of the user's own functions are looked up in
 * `customObjects`.
 */
export function optionsOfConfig(config: TrainingConfig, customObjects: Readonly<Record<string, LossFunction>> = {}): CompileOptions {
  const custom = (x: unknown): unknown => {
    if (typeof x === 'string') return customObjects[x] ?? x
    if (Array.isArray(x)) return x.map(custom)
    return isDict(x) ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, custom(v)])) : x
  }
  return {
    optimizer: config.optimizer_config,
    loss: custom(config.loss) as CompileOptions['loss'],
    metrics: custom(config.metrics) as CompileOptions['metrics'],
    weightedMetrics: custom(config.weighted_metrics) as CompileOptions['weightedMetrics'],
    lossWeights: config.loss_weights as CompileOptions['lossWeights'],
    sampleWeightMode: config.sample_weight_mode as SampleWeightMode,
  }
}
