/** Losses as users see them: the classes of Keras 2.3. Names and functions are given to `compile` directly. */
import * as crossentropy from './crossentropy.js'
import * as margins from './hinge.js'
import { functionName } from '../training-names.js'
import type { LossDefinition } from './define-loss.js'
import * as functions from './functions.js'
import { getLoss, Loss, lossOfClass, type LossClassOptions, type LossFunction, type ObjectConfig } from './loss.js'
import * as regression from './regression.js'

export { getLoss, Loss } from './loss.js'
export type { LossClassOptions, LossFunction, Reduction } from './loss.js'
export { lossDefinitions } from './registry.js'
export * from './functions.js'

const lossClass = (definition: LossDefinition) => (options: LossClassOptions = {}): Loss => lossOfClass(definition, options)

/** mean((t - p)²). */
export const MeanSquaredError = lossClass(regression.meanSquaredError)
/** mean(|t - p|). */
export const MeanAbsoluteError = lossClass(regression.meanAbsoluteError)
/** 100 · mean(|t - p| / |t|). */
export const MeanAbsolutePercentageError = lossClass(regression.meanAbsolutePercentageError)
/** mean((log(1 + t) - log(1 + p))²). */
export const MeanSquaredLogarithmicError = lossClass(regression.meanSquaredLogarithmicError)
/** Cross-entropy of independent yes/no targets. */
export const BinaryCrossentropy = lossClass(crossentropy.binaryCrossentropy)
/** Cross-entropy of one-hot targets. */
export const CategoricalCrossentropy = lossClass(crossentropy.categoricalCrossentropy)
/** Cross-entropy of class numbers. */
export const SparseCategoricalCrossentropy = lossClass(crossentropy.sparseCategoricalCrossentropy)
/** mean(max(1 - t p, 0)). */
export const Hinge = lossClass(margins.hinge)
/** mean(max(1 - t p, 0)²). */
export const SquaredHinge = lossClass(margins.squaredHinge)
/** max(largest p of a wrong class - p of the true one + 1, 0). */
export const CategoricalHinge = lossClass(margins.categoricalHinge)
/** mean(log(cosh(p - t))). */
export const LogCosh = lossClass(regression.logcosh)
/** Quadratic up to `delta`, linear beyond. */
export const Huber = lossClass(regression.huberLoss)
/** sum(t log(t / p)). */
export const KLDivergence = lossClass(regression.kullbackLeiblerDivergence)
/** mean(p - t log(p)). */
export const Poisson = lossClass(regression.poisson)
/** The negative cosine between target and prediction. */
export const CosineSimilarity = lossClass(regression.cosineProximity)

const byName = new Map(Object.values(functions).map((f) => [f.definition.name, f]))

/**
 * The loss that a name, a function or a configuration stands for: a function for the name of one, else an object.
 * @throws ValueError for what is unknown
 */
export function get(identifier: string | LossFunction | Loss | ObjectConfig): LossFunction | Loss {
  if (typeof identifier === 'function' || identifier instanceof Loss) return identifier
  const loss = getLoss(identifier)
  return (typeof loss.config === 'string' ? byName.get(loss.definition?.name ?? '') : null) ?? loss
}

/** A function's name, or class and options: what a file holds. */
export const serialize = (loss: LossFunction | Loss): string | ObjectConfig => (loss instanceof Loss ? loss.config : functionName(loss))
/** The loss a configuration stands for. */
export const deserialize = get
