/**
 * From a Keras model to the functions that are compiled: `predict`, and for a compiled model `evaluate` and
 * `trainStep`, over one table of variables. The training step is handed over as a loss, its parameters and an update
 * rule: differentiation is a pass.
 */
import { ValueError } from '../../runtime/contract/errors.js'
import type { ModelManifest, Averaging, TargetManifest } from '../../runtime/contract/manifest.js'
import { isStatic, dimText, type Dim, type Shape } from '../ir/dim.js'
import type { Graph, Node, Output, Scalar, Update, Variable } from '../ir/graph.js'
import { add, cast, constant, input, mul, scalar, within } from '../ops/build.js'
import type { OptimizerUpdate } from '../ops/optimizer-update.js'
import { activationOf } from './activations.js'
import type { CompiledTraining, TrainedOutput } from './compile.js'
import { applyConstraint } from './constraints.js'
import type { Prediction } from './losses/define-loss.js'
import type { MetricTrace } from './metrics/metric.js'
import type { Weight } from './weight.js'

/** One pass over the layers as a function of the model's inputs. */
export type ModelRun = {
  readonly inputs: readonly Node[]
  readonly outputs: readonly Node[]
  /** 0-d penalties of weights and activities. */
  readonly losses: readonly Node[]
  /** New values of variables that layers keep, in training. */
  readonly updates: readonly Update[]
}

/** What is asked of a model. */
export type SourceModel = {
  readonly name: string
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly weights: readonly Weight[]
  /** Null before `compile`. */
  readonly training: CompiledTraining | null
  runGraph(training: boolean): ModelRun
  /** `{class_name, config}` as in a file. */
  serialize(): unknown
}

export type TrainSource = {
  readonly graph: Graph
  /** Name of the output that is minimised. */
  readonly loss: 'loss'
  /** Names of the variables that are trained. */
  readonly parameters: readonly string[]
  readonly update: OptimizerUpdate
}

export type ModuleSource = {
  readonly name: string
  readonly variables: readonly Variable[]
  readonly scalars: readonly Scalar[]
  readonly predict: Graph
  readonly evaluate: Graph | null
  readonly train: TrainSource | null
  readonly model: ModelManifest
}

/** @throws ValueError when two weights of the model have one name. */
export function moduleSource(model: SourceModel): ModuleSource {
  const { training } = model
  checkNames(model)
  const trained = new Set(training?.parameters ?? model.weights.filter((w) => w.trainable))
  const variables = model.weights.map((w): Variable => ({ name: w.name, dtype: w.dtype, shape: w.shape, role: 'weight', trainable: trained.has(w) }))
  const slots = training ? training.optimizer.variables(training.parameters) : []
  const predict = predictGraph(model)
  const evaluate = training ? lossGraph(model, training, 'evaluate', false) : null
  return {
    name: model.name,
    variables: [...variables, ...slots, ...(evaluate?.variables ?? [])],
    scalars: training ? [...training.optimizer.scalars(), ...lossScalars(training)] : [],
    predict,
    evaluate: evaluate?.graph ?? null,
    train: training ? trainSource(model, training) : null,
    model: manifestOf(model, training, predict, evaluate?.averaging ?? [], slots),
  }
}

/** Variables are known by name. Layers made in one session never share one; those of two sessions may. */
function checkNames({ name, weights }: SourceModel): void {
  const seen = new Set<string>()
  for (const weight of weights) {
    if (seen.has(weight.name)) throw new ValueError(`Model ${name} has two weights named ${weight.name}. Give their layers names of their own.`)
    seen.add(weight.name)
  }
}

/** Outputs of one shared layer have its name several times: the second becomes `name_1`. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let i = 1; taken.has(free); i++) free = `${name}_${i}`
    taken.add(free)
    return free
  })
}

function predictGraph(model: SourceModel): Graph {
  const { inputs, outputs } = model.runGraph(false)
  const outputNames = distinct(model.outputNames)
  return { name: 'predict', inputs, outputs: outputs.map((node, i) => ({ name: outputNames[i]!, node })), updates: [] }
}

function trainSource(model: SourceModel, training: CompiledTraining): TrainSource {
  const constraints = new Map(training.parameters.map((w) => [w.name, w.constraint]))
  const constrained = ({ variable, node }: Update): Update => {
    const constraint = constraints.get(variable) ?? null
    return { variable, node: constraint ? applyConstraint(constraint, node) : node }
  }
  return {
    graph: lossGraph(model, training, 'trainStep', true).graph,
    loss: 'loss',
    parameters: training.parameters.map((w) => w.name),
    update: (parameters) => training.optimizer.update(parameters).map(constrained),
  }
}

/** One trained output with its target and the weights of its samples. */
type Trained = { readonly output: TrainedOutput; readonly prediction: Prediction; readonly target: Node; readonly weights: Node }

type LossGraph = { readonly graph: Graph; readonly averaging: readonly Averaging[]; readonly variables: readonly Variable[] }

/**
 * The graph whose outputs are `metricsNames`; inputs are the model's, then all targets, then all weights of samples. With
 * how outputs are averaged, and the variables of metrics, which are the same in training and evaluation.
 */
function lossGraph(model: SourceModel, training: CompiledTraining, name: string, isTraining: boolean): LossGraph {
  const run = model.runGraph(isTraining)
  const trained = training.outputs.map((output) => trainedOutput(output, run.outputs[output.index]!))
  const losses = trained.map((t) => within({ path: `loss/${t.output.name}` }, () => t.output.loss.total(t.target, t.prediction, t.weights)))
  const metrics = trained.flatMap(metricOutputs)
  const outputs: Output[] = [
    { name: 'loss', node: within({ path: 'loss' }, () => totalLoss(training, losses, run.losses)) },
    ...(training.reportsLosses ? losses.map((node, i) => ({ name: `${training.outputs[i]!.name}_loss`, node })) : []),
    ...metrics.map(({ name: metric, trace }) => ({ name: metric, node: trace.value })),
  ]
  const inputs = [...run.inputs, ...trained.map((t) => t.target), ...trained.map((t) => t.weights)]
  const averaging: Averaging[] = [
    'samples',
    ...(training.reportsLosses ? losses.map((): Averaging => 'batches') : []),
    ...metrics.map(({ trace, output }): Averaging => (trace.averaged === 'weights' ? { weightsOf: output } : trace.averaged)),
  ]
  const updates = [...(isTraining ? run.updates : []), ...metrics.flatMap((m) => m.trace.updates)]
  return { graph: { name, inputs, outputs, updates }, averaging, variables: metrics.flatMap((m) => m.trace.variables) }
}

function trainedOutput(output: TrainedOutput, node: Node): Trained {
  const type = targetType(output, node)
  return {
    output,
    prediction: { node, ...activationOf(node) },
    target: input(`target:${output.name}`, type),
    weights: input(`weight:${output.name}`, { dtype: 'float32', shape: node.type.shape.slice(0, output.temporal ? 2 : 1) }),
  }
}

/** Class numbers are int32 with a last axis of 1; other targets have the output's shape. */
function targetType({ loss }: TrainedOutput, { type }: Node): { readonly dtype: 'float32' | 'int32'; readonly shape: Shape } {
  return loss.definition?.kind === 'sparse'
    ? { dtype: 'int32', shape: [...type.shape.slice(0, -1), 1] }
    : { dtype: 'float32', shape: type.shape }
}

type MetricOutput = { readonly name: string; readonly output: string; readonly trace: MetricTrace }

const metricOutputs = ({ output, prediction, target, weights }: Trained): MetricOutput[] =>
  output.metrics.map(({ name, metric, weighted }) => within({ path: `metrics/${name}` }, () =>
    ({ name, output: output.name, trace: metric.trace(target, prediction, weighted ? weights : null, `metric:${name}/`) })))

const lossScalarName = (output: TrainedOutput): string => `loss_weight:${output.name}`

/** Weights of losses can be changed while training; those that are 1 are left out. */
const lossScalars = (training: CompiledTraining): Scalar[] =>
  training.outputs.filter((o) => o.weight !== 1).map((o) => ({ name: lossScalarName(o), value: o.weight }))

function totalLoss(training: CompiledTraining, losses: readonly Node[], penalties: readonly Node[]): Node {
  const weighted = losses.map((loss, i) => {
    const output = training.outputs[i]!
    return output.weight === 1 ? loss : mul(scalar(lossScalarName(output)), loss)
  })
  const terms = [...weighted, ...penalties.map((p) => cast(p, 'float32'))]
  return terms.length === 0 ? constant(0, { dtype: 'float32', shape: [] }) : terms.reduce((a, b) => add(a, b))
}

const manifestDim = (d: Dim): number | string => (isStatic(d) ? d : dimText(d))

function manifestOf(model: SourceModel, training: CompiledTraining | null, predict: Graph, averaging: readonly Averaging[], slots: readonly Variable[]): ModelManifest {
  const target = (output: TrainedOutput): TargetManifest => {
    const { node } = predict.outputs[output.index]!
    const { dtype, shape } = targetType(output, node)
    const kind = output.loss.definition?.kind ?? 'other'
    const last = node.type.shape.at(-1)
    return { output: output.name, shape: shape.map(manifestDim), dtype, loss: output.loss.name, kind, classes: kind === 'sparse' && typeof last === 'number' ? last : null }
  }
  return {
    name: model.name,
    inputNames: model.inputNames,
    outputNames: model.outputNames,
    metricsNames: training?.metricsNames ?? [],
    averaging,
    targets: training?.outputs.map(target) ?? [],
    weights: model.weights.map((w) => w.name),
    optimizerWeights: slots.map((v) => v.name),
    config: model.serialize(),
    trainingConfig: training?.trainingConfig() ?? null,
  }
}
