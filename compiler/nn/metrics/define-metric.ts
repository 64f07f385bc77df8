/** The contract of a metric that is a mean over samples. Every loss is one too (`registry.ts`). */
import type { Node } from '../../ir/graph.js'
import type { Prediction } from '../losses/define-loss.js'

export type MetricDefinition = {
  readonly name: string
  readonly aliases: readonly string[]
  /** Keras' class of the same metric. */
  readonly className: string
  readonly doc: string
  /** Which options it understands, in the order of its configuration. */
  readonly options: readonly (keyof MetricOptions)[]
  /** Whether the target is a class number, passed as int32 [B, ..., 1]; else it is float32. */
  readonly sparse: boolean
  /** Value of each sample ([B], or [B, ...]); a 0-d result counts once a batch, whatever the batch's size. */
  readonly compute: (yTrue: Node, yPred: Prediction, options: MetricOptions) => Node
}

export type MetricOptions = { readonly threshold: number; readonly k: number }
export const defaultMetricOptions: MetricOptions = { threshold: 0.5, k: 5 }

export const defineMetric = <const T extends MetricDefinition>(definition: T): T => definition
