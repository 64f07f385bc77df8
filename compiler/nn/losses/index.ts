/** Losses as users see them: the classes of Keras 2.3. Names and functions are given to `compile` directly. */
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.js'
import { categoricalHinge, hinge, squaredHinge } from './hinge.js'
import type { LossDefinition } from './define-loss.js'
import { lossOfClass, type Loss, type LossClassOptions } from './loss.js'
import * as regression from './regression.js'

export { getLoss, Loss } from './loss.js'
export type { LossClassOptions, LossFunction, Reduction } from './loss.js'
export { lossDefinitions } from './registry.js'

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
export const BinaryCrossentropy = lossClass(binaryCrossentropy)
/** Cross-entropy of one-hot targets. */
export const CategoricalCrossentropy = lossClass(categoricalCrossentropy)
/** Cross-entropy of class numbers. */
export const SparseCategoricalCrossentropy = lossClass(sparseCategoricalCrossentropy)
/** mean(max(1 - t p, 0)). */
export const Hinge = lossClass(hinge)
/** mean(max(1 - t p, 0)²). */
export const SquaredHinge = lossClass(squaredHinge)
/** max(largest p of a wrong class - p of the true one + 1, 0). */
export const CategoricalHinge = lossClass(categoricalHinge)
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
