/** THE list of losses, and how a user's name finds one. */
import { categoricalHinge, hinge, squaredHinge } from './hinge.js'
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.js'
import type { LossDefinition } from './define-loss.js'
import * as regression from './regression.js'
import { snakeIdentifier } from '../training-names.js'

/** Every loss: its names, formula and options. */
export const lossDefinitions: readonly LossDefinition[] = [
  regression.meanSquaredError, regression.meanAbsoluteError, regression.meanAbsolutePercentageError,
  regression.meanSquaredLogarithmicError, squaredHinge, hinge, categoricalHinge, regression.logcosh, regression.huberLoss,
  categoricalCrossentropy, sparseCategoricalCrossentropy, binaryCrossentropy, regression.kullbackLeiblerDivergence,
  regression.poisson, regression.cosineProximity,
]

/** The loss a name means: Keras' function name, an alias, or the function name in camelCase. */
export function findLoss(name: string): LossDefinition | null {
  const snake = snakeIdentifier(name)
  return lossDefinitions.find((d) => d.name === name || d.aliases.includes(name) || d.name === snake || d.aliases.includes(snake)) ?? null
}

export const findLossClass = (className: string): LossDefinition | null =>
  lossDefinitions.find((d) => d.className === className) ?? null
