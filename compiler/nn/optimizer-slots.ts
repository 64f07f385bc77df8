/**
 * State of a compiled model's optimizer as weights: zero at first, set from a file, and kept by the engine while one
 * runs (the model attaches them and detaches them before the engine closes, as it does with its own weights).
 */
import { allocate } from '../../runtime/contract/dtype.js'
import type { Variable } from '../ir/graph.js'
import type { CompiledTraining } from './compile.js'
import { Weight } from './weight.js'

export type TrainedState = Pick<CompiledTraining, 'optimizer' | 'parameters'>

/** Kept beside the training, so that compiling again starts afresh. */
const known = new WeakMap<TrainedState, readonly Weight[]>()

/** The optimizer's weights in Keras' order, beginning with `iterations`: the same objects at every call. */
export function optimizerSlots(training: TrainedState): readonly Weight[] {
  const slots = known.get(training) ?? training.optimizer.variables(training.parameters).map(slotWeight)
  known.set(training, slots)
  return slots
}

const slotWeight = ({ name, shape, dtype }: Variable): Weight =>
  new Weight({ name, shape, dtype, trainable: false, draw: () => allocate(dtype, shape.reduce((p, n) => p * n, 1)), regularizer: null, constraint: null })
