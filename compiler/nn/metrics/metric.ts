/**
 * A metric as one output of a model uses it, and as an object of its own. In a compiled model a mean is one number per
 * batch, which the runtime averages; everything else keeps its state in variables of the module.
 */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node, Update, Variable } from '../../ir/graph.js'
import { cast, mean } from '../../ops/build.js'
import type { Prediction } from '../losses/define-loss.js'
import type { ObjectConfig } from '../losses/loss.js'
import type { MetricBatch, MetricRule, StateRule } from './rule.js'
import { quotient, runningMean, weightedSum } from './running-mean.js'
import { RunningState, stateNode, type MetricInput, type UpdateOptions } from './running-state.js'

/** What a metric adds to a function that is compiled. */
export type MetricTrace = {
  readonly value: Node
  /** How the values of batches become one: see `Averaging` in the manifest. */
  readonly averaged: 'samples' | 'batches' | 'weights' | 'running'
  /** State: zero at the start of an epoch or an evaluation. */
  readonly variables: readonly Variable[]
  readonly updates: readonly Update[]
}

export type MetricParts = {
  readonly name: string
  /** Keras' name of what is computed, whatever it is reported as: `binary_accuracy` for an `accuracy`. */
  readonly computes: string
  /** What `training_config` holds: a name, or a class with its options. */
  readonly config: string | ObjectConfig
  /** Whether the target is a class number. */
  readonly sparse: boolean
  readonly rule: MetricRule
}

/** A metric as `compile` takes it, with `updateState`, `result` and `resetStates` for use without a model. */
export class Metric {
  readonly #parts: MetricParts
  readonly #running: RunningState

  constructor(parts: MetricParts) {
    this.#parts = parts
    this.#running = new RunningState(this.stateRule)
  }

  get name(): string { return this.#parts.name }
  get computes(): string { return this.#parts.computes }
  get config(): string | ObjectConfig { return this.#parts.config }
  get rule(): MetricRule { return this.#parts.rule }
  /** The rule with its state spelled out, also for a plain mean. */
  get stateRule(): StateRule { return 'values' in this.rule ? runningMean(this.rule.values) : this.rule }

  /** Name and options, as Keras' `get_config`. */
  getConfig(): ObjectConfig['config'] { return typeof this.config === 'string' ? { name: this.name, dtype: 'float32' } : this.config.config }

  /** The same metric under the name of a function. */
  asFunction(name: string): Metric { return new Metric({ ...this.#parts, name, config: name }) }

  /** With the target of the type that the rule reads. */
  batchOf(batch: MetricBatch): MetricBatch { return { ...batch, target: cast(batch.target, this.#parts.sparse ? 'int32' : 'float32') } }

  /** @throws ValueError when the result is not one number, which is all that logs can hold. */
  checkReportable(): void {
    const { state, result } = this.stateRule
    const { shape } = result(state.map((s) => stateNode(s))).type
    if (shape.length === 0) return
    throw new ValueError(`The metric ${this.name} has ${String(shape[0])} values, one for each of its thresholds, but a compiled model reports one number for each metric. Use a metric of its own for each threshold.`)
  }

  /** The metric of a batch inside a function. @param prefix begins the names of its variables */
  trace(target: Node, prediction: Prediction, weights: Node | null, prefix: string): MetricTrace {
    const batch = this.batchOf({ target, prediction, weights })
    if ('values' in this.rule) return meanOfBatch(this.rule.values(batch), weights)
    const { state, update, result } = this.rule
    const after = update(state.map((s) => stateNode(s, prefix)), batch)
    return {
      value: result(after), averaged: 'running',
      variables: state.map(({ name, shape }) => ({ name: prefix + name, dtype: 'float32', shape, role: 'metric', trainable: false })),
      updates: state.map(({ name }, i) => ({ variable: prefix + name, node: after[i]! })),
    }
  }

  /** Takes in a batch. @throws ValueError for shapes that do not fit each other. */
  updateState(yTrue: MetricInput, yPred: MetricInput, options: UpdateOptions = {}): void {
    if (yPred === undefined) throw new ArgumentTypeError("update_state() missing 1 required positional argument: 'y_pred'")
    this.#running.update(yTrue, yPred, options, (batch) => this.batchOf(batch))
  }

  /** The value over everything taken in since the last reset: a number, or one for each threshold. */
  result(): number | number[] { return this.#running.result() }

  /** Forgets everything taken in. */
  resetStates(): void { this.#running.reset() }
}

/** The mean of a batch; a batch without any weight has mean 0, so that it adds nothing to the epoch. */
function meanOfBatch(values: Node, weights: Node | null): MetricTrace {
  const state = { variables: [], updates: [] }
  if (weights === null) return { value: mean(cast(values, 'float32')), averaged: values.type.shape.length === 0 ? 'batches' : 'samples', ...state }
  const { total, count } = weightedSum(values, weights)
  return { value: quotient(total, count), averaged: 'weights', ...state }
}
