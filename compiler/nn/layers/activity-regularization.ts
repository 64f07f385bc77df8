/** ActivityRegularization: a penalty on what passes through. */
import { defineLayer } from '../define-layer.js'
import { number } from '../option.js'
import { L1L2 } from '../regularizers.js'

/** `ActivityRegularization({ l1, l2 })`: the identity, with a penalty of its input in the loss. */
export const ActivityRegularization = defineLayer({
  className: 'ActivityRegularization',
  doc: 'The identity. l1 · sum(|x|) + l2 · sum(x²) over the whole batch is added to the loss.',
  positional: [],
  options: { l1: number('factor of the sum of absolute values', 0), l2: number('factor of the sum of squares', 0) },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer) => { layer.activityRegularizer = L1L2({ l1: layer.l1, l2: layer.l2 }) },
  call: (_, [x]) => x!,
  outputShape: (_, [shape]) => shape!,
})
