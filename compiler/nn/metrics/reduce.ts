/** `Mean` and `Sum` of plain values, kept over several updates. Source: keras/metrics.py of 2.3.1. */
import { add } from '../../ops/build.js'
import type { ObjectConfig } from '../losses/loss.js'
import type { StateRule } from './rule.js'
import { runningMean, weightedSum } from './running-mean.js'
import { RunningState, type MetricInput, type UpdateOptions } from './running-state.js'

/** A running number of values instead of targets and predictions, so there is no place for it in `compile`. */
export class ReducedValues {
  readonly #running: RunningState

  constructor(readonly name: string, rule: StateRule) { this.#running = new RunningState(rule) }

  getConfig(): ObjectConfig['config'] { return { name: this.name, dtype: 'float32' } }
  /** Takes in values of any shape. */
  updateState(values: MetricInput, options: UpdateOptions = {}): void { this.#running.update(values, values, options) }
  /** The number over everything taken in since the last reset. */
  result(): number { return Number(this.#running.result()) }
  /** Forgets everything taken in. */
  resetStates(): void { this.#running.reset() }
}

const runningSum: StateRule = {
  state: [{ name: 'total', shape: [] }],
  update: ([before], { target, weights }) => [add(before!, weightedSum(target, weights).total)],
  result: ([total]) => total!,
}

/** `Mean({ name })`: the mean of all values, weighted where there are weights. */
export const Mean = ({ name = 'mean' }: { readonly name?: string } = {}): ReducedValues => new ReducedValues(name, runningMean(({ target }) => target))
/** `Sum({ name })`: the sum of all values, each times its weight. */
export const Sum = ({ name = 'sum' }: { readonly name?: string } = {}): ReducedValues => new ReducedValues(name, runningSum)
