/**
 * Losses as functions of tensors: for losses and metrics of one's own, such as
 * `(t, p) => K.add(mse(t, p), mae(t, p))`, and for `compile`, which knows each by itself.
 */
import { cast } from '../../ops/build.js'
import { activationOf } from '../activations.js'
import { KTensor, type TensorLike } from '../tensor.js'
import { binaryCrossentropy as binary, categoricalCrossentropy as categorical, sparseCategoricalCrossentropy as sparse } from './crossentropy.js'
import type { LossDefinition } from './define-loss.js'
import * as margins from './hinge.js'
import { kerasOptions, type BuiltinLoss, type LossClassOptions } from './loss.js'
import * as regression from './regression.js'

/** Options of a loss as a function. */
export type LossFunctionOptions = Omit<LossClassOptions, 'reduction' | 'name'>

function lossFunction(definition: LossDefinition): BuiltinLoss {
  const fn = (yTrue: TensorLike, yPred: TensorLike, options: LossFunctionOptions = {}): KTensor => {
    const target = cast(yTrue.node, definition.kind === 'sparse' ? 'int32' : yPred.node.type.dtype)
    return new KTensor(definition.compute(target, { node: yPred.node, ...activationOf(yPred.node) }, kerasOptions(options)))
  }
  Object.defineProperty(fn, 'name', { value: definition.name })
  return Object.assign(fn, { definition })
}

/** mean((t - p)²) over the last axis. */
export const meanSquaredError = lossFunction(regression.meanSquaredError)
/** The same as `meanSquaredError`. */
export const mse = meanSquaredError
/** mean(|t - p|) over the last axis. */
export const meanAbsoluteError = lossFunction(regression.meanAbsoluteError)
/** The same as `meanAbsoluteError`. */
export const mae = meanAbsoluteError
/** 100 · mean(|t - p| / |t|) over the last axis. */
export const meanAbsolutePercentageError = lossFunction(regression.meanAbsolutePercentageError)
/** The same as `meanAbsolutePercentageError`. */
export const mape = meanAbsolutePercentageError
/** mean((log(1 + t) - log(1 + p))²) over the last axis. */
export const meanSquaredLogarithmicError = lossFunction(regression.meanSquaredLogarithmicError)
/** The same as `meanSquaredLogarithmicError`. */
export const msle = meanSquaredLogarithmicError
/** mean(max(1 - t p, 0)) over the last axis. */
export const hinge = lossFunction(margins.hinge)
/** mean(max(1 - t p, 0)²) over the last axis. */
export const squaredHinge = lossFunction(margins.squaredHinge)
/** max(largest p of a wrong class - p of the true one + 1, 0). */
export const categoricalHinge = lossFunction(margins.categoricalHinge)
/** mean(log(cosh(p - t))) over the last axis. */
export const logcosh = lossFunction(regression.logcosh)
/** Quadratic up to `delta`, linear beyond; element by element. */
export const huberLoss = lossFunction(regression.huberLoss)
/** Cross-entropy of one-hot targets. */
export const categoricalCrossentropy = lossFunction(categorical)
/** Cross-entropy of class numbers. */
export const sparseCategoricalCrossentropy = lossFunction(sparse)
/** Cross-entropy of independent yes/no targets. */
export const binaryCrossentropy = lossFunction(binary)
/** sum(t log(t / p)) over the last axis. */
export const kullbackLeiblerDivergence = lossFunction(regression.kullbackLeiblerDivergence)
/** The same as `kullbackLeiblerDivergence`. */
export const kld = kullbackLeiblerDivergence
/** mean(p - t log(p)) over the last axis. */
export const poisson = lossFunction(regression.poisson)
/** The negative cosine between target and prediction, along `axis`. */
export const cosineProximity = lossFunction(regression.cosineProximity)
/** The same as `cosineProximity`. */
export const cosineSimilarity = cosineProximity
/** The same as `cosineProximity`. */
export const cosine = cosineProximity
