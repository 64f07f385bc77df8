/**
 * The public API: Keras 2.3 for TypeScript. Models made here run as compiled native code; `kcc build` makes packages of
 * them. Names are Keras' own; options are in camelCase.
 */
import { NDArray } from '../runtime/index.js'
import { installEngine } from './engine.js'
import { createDatasets } from './files/datasets/index.js'
import * as categorical from './files/to-categorical.js'
import { loadWeights } from './files/load.js'
import { saveModel, saveWeights } from './files/save.js'
import { setModelFiles } from './nn/model-files.js'

installEngine()
setModelFiles({ save: saveModel, saveWeights, loadWeights })

export { Callback, History, LambdaCallback, NDArray, ProgbarLogger, Progbar, loadPackage, CompiledModel } from '../runtime/index.js'
export { ArgumentTypeError, AssertionError, AttributeError, FileFormatError, KccError, RuntimeError, ToolchainError, ValueError } from '../runtime/index.js'
export type * from '../runtime/contract/fit-types.js'

export * from './nn/layers/index.js'
export * as layers from './nn/layers/index.js'
export { Layer } from './nn/layer.js'
export { Model } from './nn/model.js'
export { Sequential } from './nn/sequential.js'
// The classes behind `Model` and `Sequential`, so that declarations of a user's exports can name them.
export type { ModelClass } from './nn/model.js'
export type { SequentialClass } from './nn/sequential.js'
export { KTensor } from './nn/tensor.js'
export type { TensorLike } from './nn/tensor.js'
export { clearSession, setSeed } from './nn/session.js'

/** Tensor functions for losses, metrics and layers of one's own. */
export * as K from './nn/backend.js'
export * as activations from './nn/activations.js'
export * as initializers from './nn/initializers.js'
export * as regularizers from './nn/regularizers.js'
export * as constraints from './nn/constraints.js'
export * as losses from './nn/losses/index.js'
export * as metrics from './nn/metrics/index.js'
export * as optimizers from './nn/optimizers/index.js'
export { Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop, SGD } from './nn/optimizers/index.js'

export { loadModel, modelFromConfig, modelFromJson } from './files/load.js'
export { loadNpz, saveNpz } from './files/npz.js'
export { DatasetUnavailable, getFile } from './files/datasets/get-file.js'
export { IndexError } from './files/to-categorical.js'

const toArray = ({ data, shape, dtype }: { data: NDArray['data']; shape: readonly number[]; dtype: NDArray['dtype'] }): NDArray => new NDArray(data, shape, dtype)

/** Data sets as Keras has them: `await datasets.mnist.loadData()`. */
export const datasets = createDatasets(toArray)

/**
 * Integer labels as rows of zeros with a one.
 * @param numClasses default: the largest label plus one
 * @throws IndexError for a label that is too large
 */
export const toCategorical = (...args: Parameters<typeof categorical.toCategorical>): NDArray => toArray(categorical.toCategorical(...args))
