/** SeparableConv1D and 2D, DepthwiseConv2D: each channel by itself, then perhaps a product over the channels. */
import { depthwiseConvolution, separableConvolution } from '../../ops/convolution.js'
import { defineLayer } from '../define-layer.js'
import { addBias, linearOptions } from '../linear.js'
import { constraint, dataFormat, initializer, integer, regularizer } from '../option.js'
import { channelSpec, checkSliding, finished, knownChannels, padding, slidingOf, slidShape, windowSizes } from '../sliding.js'
import { sizes, type SpatialRank } from '../spatial.js'

const { activation, useBias, biasInitializer, biasRegularizer, activityRegularizer, biasConstraint } = linearOptions

/** In the order of Keras' configuration. */
const slidingOptions = (rank: SpatialRank) => ({
  kernelSize: windowSizes('size of the windows', rank),
  strides: sizes('how far from window to window', rank, 1),
  padding: padding(),
  dataFormat: dataFormat(),
  dilationRate: sizes('how far from element to element in a window', rank, 1),
  activation, useBias, biasInitializer, biasRegularizer, activityRegularizer, biasConstraint,
  depthMultiplier: integer('results of each channel', 1, 1),
  depthwiseInitializer: initializer('first values of the kernel of each channel', 'glorot_uniform'),
})

const separable = (className: string, rank: 1 | 2) => defineLayer({
  className,
  doc: 'activation(windows of each channel · depthwise kernel · pointwise kernel + bias). Weights: depthwise_kernel [...kernelSize, channels, depthMultiplier], pointwise_kernel [1, ..., channels · depthMultiplier, filters], bias [filters].',
  positional: ['filters', 'kernelSize'],
  options: {
    filters: integer('channels of the result', undefined, 1),
    ...slidingOptions(rank),
    pointwiseInitializer: initializer('first values of the kernel over the channels', 'glorot_uniform'),
    depthwiseRegularizer: regularizer('penalty on the kernel of each channel'),
    pointwiseRegularizer: regularizer('penalty on the kernel over the channels'),
    depthwiseConstraint: constraint('projection of the kernel of each channel after each update'),
    pointwiseConstraint: constraint('projection of the kernel over the channels after each update'),
  },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer, [shape]) => {
    const channels = knownChannels(shape!, layer.dataFormat)
    checkSliding(shape!, slidingOf(layer), layer.dataFormat)
    layer.addWeight({ name: 'depthwise_kernel', shape: [...layer.kernelSize, channels, layer.depthMultiplier], initializer: layer.depthwiseInitializer, regularizer: layer.depthwiseRegularizer, constraint: layer.depthwiseConstraint })
    layer.addWeight({ name: 'pointwise_kernel', shape: [...layer.kernelSize.map(() => 1), channels * layer.depthMultiplier, layer.filters], initializer: layer.pointwiseInitializer, regularizer: layer.pointwiseRegularizer, constraint: layer.pointwiseConstraint })
    addBias(layer, [layer.filters])
    layer.inputSpec = channelSpec(shape!, layer.dataFormat)
  },
  call: (layer, [x]) => finished(layer, x!, (last) =>
    separableConvolution(last, layer.weightNamed('depthwise_kernel')!.node, layer.weightNamed('pointwise_kernel')!.node, slidingOf(layer))),
  outputShape: (layer, [shape]) => slidShape(shape!, slidingOf(layer), layer.dataFormat, layer.filters),
})

/** `SeparableConv1D(filters, kernelSize, options)`: a convolution of each channel of a sequence, then one over the channels. */
export const SeparableConv1D = separable('SeparableConv1D', 1)
/** `SeparableConv2D(filters, kernelSize, options)`: a convolution of each channel of an image, then one over the channels. */
export const SeparableConv2D = separable('SeparableConv2D', 2)

/** `DepthwiseConv2D(kernelSize, options)`: a convolution of each channel of an image by itself. */
export const DepthwiseConv2D = defineLayer({
  className: 'DepthwiseConv2D',
  doc: 'activation(windows of each channel · kernel + bias). Weights: depthwise_kernel [...kernelSize, channels, depthMultiplier], bias [channels · depthMultiplier].',
  positional: ['kernelSize'],
  options: {
    ...slidingOptions(2),
    depthwiseRegularizer: regularizer('penalty on the kernel of each channel'),
    depthwiseConstraint: constraint('projection of the kernel of each channel after each update'),
  },
  acceptsInputDim: false,
  inputSpec: { ndim: 4 },
  build: (layer, [shape]) => {
    const channels = knownChannels(shape!, layer.dataFormat, 'the inputs to `DepthwiseConv2D`')
    checkSliding(shape!, slidingOf(layer), layer.dataFormat)
    layer.addWeight({ name: 'depthwise_kernel', shape: [...layer.kernelSize, channels, layer.depthMultiplier], initializer: layer.depthwiseInitializer, regularizer: layer.depthwiseRegularizer, constraint: layer.depthwiseConstraint })
    addBias(layer, [channels * layer.depthMultiplier])
    layer.inputSpec = channelSpec(shape!, layer.dataFormat)
  },
  call: (layer, [x]) => finished(layer, x!, (last) => depthwiseConvolution(last, layer.weightNamed('depthwise_kernel')!.node, slidingOf(layer))),
  outputShape: (layer, [shape]) =>
    slidShape(shape!, slidingOf(layer), layer.dataFormat, knownChannels(shape!, layer.dataFormat, 'the inputs to `DepthwiseConv2D`') * layer.depthMultiplier),
})
