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

export const MeanSquaredError = lossClass(regression.meanSquaredError)
export const MeanAbsoluteError = lossClass(regression.meanAbsoluteError)
export const MeanAbsolutePercentageError = lossClass(regression.meanAbsolutePercentageError)
export const MeanSquaredLogarithmicError = lossClass(regression.meanSquaredLogarithmicError)
export const BinaryCrossentropy = lossClass(binaryCrossentropy)
export const CategoricalCrossentropy = lossClass(categoricalCrossentropy)
export const SparseCategoricalCrossentropy = lossClass(sparseCategoricalCrossentropy)
export const Hinge = lossClass(hinge)
export const SquaredHinge = lossClass(squaredHinge)
export const CategoricalHinge = lossClass(categoricalHinge)
export const LogCosh = lossClass(regression.logcosh)
export const Huber = lossClass(regression.huberLoss)
export const KLDivergence = lossClass(regression.kullbackLeiblerDivergence)
export const Poisson = lossClass(regression.poisson)
export const CosineSimilarity = lossClass(regression.cosineProximity)
