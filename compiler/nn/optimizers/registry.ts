/** THE list of optimizers. */
import type { OptimizerDefinition } from './define-optimizer.js'
import { adadelta, adagrad, adam, adamax, nadam, rmsprop, sgd } from './rules.js'

/** Every optimizer: its rule, hyperparameters and state. */
export const optimizerDefinitions: readonly OptimizerDefinition[] = [sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam]

/** By class name in any capitals, as Keras' identifiers. */
export const findOptimizer = (name: string): OptimizerDefinition | null =>
  optimizerDefinitions.find((d) => d.className.toLowerCase() === name.toLowerCase()) ?? null
