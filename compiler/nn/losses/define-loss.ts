/**
 * The contract of a loss. One record is the loss's only definition: compiling a model, loading a file, metrics, tests
 * and documentation read it, and nothing else asks which loss it has.
 */
import type { LossKind } from '../../../runtime/contract/manifest.js'
import type { Node } from '../../ir/graph.js'

/**
 * A model's output as a loss sees it. Where the output is directly a softmax or a sigmoid, `logits` is what went in, so
 * that a cross-entropy can be computed from it without overflow, as Keras does by looking at the output's operation.
 */
export type Prediction = {
  readonly node: Node
  readonly activation: 'softmax' | 'sigmoid' | null
  /** Null exactly when `activation` is null. */
  readonly logits: Node | null
}

/** A prediction of which nothing is known but its values. */
export const plainPrediction = (node: Node): Prediction => ({ node, activation: null, logits: null })

/** Options of a loss under Keras' own names, as they appear in a configuration. */
export type LossOptions = { readonly from_logits: boolean; readonly label_smoothing: number; readonly delta: number; readonly axis: number }
export const defaultLossOptions: LossOptions = { from_logits: false, label_smoothing: 0, delta: 1, axis: -1 }

export type LossDefinition = {
  /** Keras' function name, such as `mean_squared_error`. */
  readonly name: string
  readonly aliases: readonly string[]
  /** Keras' class, and its default `name` where that differs from the function's. */
  readonly className: string
  readonly instanceName: string
  /** The formula in one line. */
  readonly doc: string
  /** What the targets are: class numbers, one-hot rows, or values. Decides which targets are accepted and in which shape. */
  readonly kind: LossKind
  /** Which options it understands, in the order of its configuration. */
  readonly options: readonly (keyof LossOptions)[]
  /** Loss of each element that is left after the last axis is reduced (shape [B, ...]); targets are already float32, class numbers int32. */
  readonly compute: (yTrue: Node, yPred: Prediction, options: LossOptions) => Node
}

export const defineLoss = <const T extends LossDefinition>(definition: T): T => definition
