/**
 * The contract of an optimizer. One record is its only definition: options, state, update rule, configuration. The rule
 * is written as ops, so that it is fused with the gradients it follows.
 */
import type { Node } from '../../ir/graph.js'

/** What one step knows before it looks at a parameter. All nodes are 0-d float32. */
export type StepContext<S extends string, F> = {
  /** Numbers the host may change between two steps. */
  readonly scalar: Readonly<Record<S, Node>>
  readonly fixed: F
  /** Whether a scalar was 0 when the model was compiled, so that its terms are left out (as Keras does for `decay`). */
  isZero(name: S): boolean
  /** Learning rate after `decay`. */
  readonly lr: Node
  /** Number of this step, from 1. */
  readonly t: Node
  /** Value of an extra scalar of the state before the step. */
  state(name: string): Node
}

export type ParameterContext<K extends string> = { readonly parameter: Node; readonly gradient: Node; readonly slot: Readonly<Record<K, Node>> }
/** New value of the parameter and of those slots that change. */
export type ParameterUpdate<K extends string> = { readonly parameter: Node; readonly slots: Readonly<Partial<Record<K, Node>>> }

export type Step<K extends string> = {
  update(context: ParameterContext<K>): ParameterUpdate<K>
  /** New values of the extra scalars. */
  readonly state?: Readonly<Record<string, Node>>
}

export type SlotShape = 'parameter' | readonly number[]

export type OptimizerDefinition<S extends string = string, F extends Fixed = Fixed, K extends string = string> = {
  /** Keras' class name; the identifier is its lower-case form. */
  readonly className: string
  readonly doc: string
  /** Where the rule comes from. */
  readonly source: string
  /** Run-time scalars with their defaults. Every optimizer has `lr` (written `learning_rate` in files) and `decay`. */
  readonly scalars: Readonly<Record<S, number>>
  /** Options fixed when the model is compiled. */
  readonly fixed: F
  /** Order of the configuration's keys. */
  readonly config: readonly (NoInfer<S> | (keyof NoInfer<F> & string))[]
  /** Extra scalars of the state, after `iterations`. They are 0 before the first step. */
  readonly states: readonly string[]
  /** State kept for each parameter, in Keras' order; 0 before the first step. */
  slots(fixed: NoInfer<F>): Readonly<Record<K, SlotShape>>
  step(context: StepContext<S, F>): Step<K>
}

export type Fixed = Readonly<Record<string, number | boolean>>

export const defineOptimizer = <const S extends string, F extends Fixed, const K extends string>(
  definition: OptimizerDefinition<S, F, K>,
): OptimizerDefinition<S, F, K> => definition
