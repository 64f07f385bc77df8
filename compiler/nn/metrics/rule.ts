/** What a metric computes, as functions of ops: a mean of values, or a state with an update and a result. */
import type { Node } from '../../ir/graph.js'
import type { Prediction } from '../losses/define-loss.js'

/** What a metric sees of a batch. */
export type MetricBatch = {
  /** float32, or int32 class numbers [B, ..., 1] where the record says `sparse`. */
  readonly target: Node
  readonly prediction: Prediction
  /** Weights of samples ([B]) or of time steps ([B, T]); null where each counts once. */
  readonly weights: Node | null
}

/** A float32 variable that is 0 when the metric is reset. */
export type StateVariable = { readonly name: string; readonly shape: readonly number[] }

/** A metric that is the mean of values ([B], [B, ...], or one number for the whole batch): averaging is all it does. */
export type MeanRule = { readonly values: (batch: MetricBatch) => Node }

/** A metric that keeps more than a mean: what it remembers, how a batch changes that, and what it says about it. */
export type StateRule = {
  readonly state: readonly StateVariable[]
  readonly update: (before: readonly Node[], batch: MetricBatch) => readonly Node[]
  /** One number, or one for each threshold ([T]). */
  readonly result: (state: readonly Node[]) => Node
}

export type MetricRule = MeanRule | StateRule
