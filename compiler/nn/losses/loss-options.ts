/** The options losses have, each with its kind: read by the classes of `losses` and `metrics` and by files. */
import { boolean, integer, number, type Option } from '../option.js'
import type { LossOptions } from './define-loss.js'

/** One for each option, under Keras' own names. */
export const lossOptionKinds: { readonly [K in keyof LossOptions]: Option<LossOptions[K], LossOptions[K]> } = {
  from_logits: boolean('whether predictions are what goes into the softmax or sigmoid, instead of what comes out', false),
  label_smoothing: number('how much of every target is spread over all classes', 0),
  delta: number('where the Huber loss becomes linear', 1),
  axis: integer('axis along which the vectors lie', -1),
}
