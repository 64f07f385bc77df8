/** Dense: a matrix product over the last axis. */
import { add, matmul } from '../../ops/build.js'
import { applyActivation } from '../activations.js'
import { defineLayer } from '../define-layer.js'
import { addBias, addKernel, linearOptions } from '../linear.js'
import { integer } from '../option.js'

/** `Dense(units, options)`: activation(x · kernel + bias) over the last axis. */
export const Dense = defineLayer({
  className: 'Dense',
  doc: 'activation(x · kernel + bias) over the last axis: [..., n] to [..., units]. Weights: kernel [n, units], bias [units].',
  positional: ['units'],
  options: {
    units: integer('size of the last axis of the result', undefined, 1),
    ...linearOptions,
  },
  acceptsInputDim: true,
  inputSpec: { minNdim: 2 },
  build: (layer, [shape]) => {
    const inputs = shape!.at(-1) ?? null
    addKernel(layer, [inputs, layer.units])
    addBias(layer, [layer.units])
    layer.inputSpec = { minNdim: 2, axes: { [-1]: inputs! } }
  },
  call: (layer, [x]) => {
    const linear = matmul(x!, layer.weightNamed('kernel')!.node)
    const bias = layer.weightNamed('bias')
    return applyActivation(layer.activation, bias ? add(linear, bias.node) : linear)
  },
  outputShape: (layer, [shape]) => [...shape!.slice(0, -1), layer.units],
})
