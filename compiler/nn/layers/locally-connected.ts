/** LocallyConnected1D and 2D: a convolution with a kernel of its own for every position. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, reshape } from '../../ops/build.js'
import { locallyConnected } from '../../ops/convolution.js'
import { applyActivation, type Activation } from '../activations.js'
import { defineLayer, type DefinedWeights } from '../define-layer.js'
import { addBias, addKernel, linearOptions } from '../linear.js'
import { dataFormat, integer, unlisted } from '../option.js'
import { tupleText } from '../python-text.js'
import type { KShape } from '../shape.js'
import { channelSpec, checkSliding, padding, slidingOf, slidShape, windowSizes, withChannelsLast, type Convolutional } from '../sliding.js'
import { channelAxis, sizes, spatialAxes, type SpatialRank } from '../spatial.js'

/** Only `valid`. */
const validPadding = (className: string): ReturnType<typeof padding> => ({
  ...padding(), doc: 'valid: windows inside the input only',
  parse: (v, name) => {
    const found = padding().parse(v, name)
    if (found !== 'valid') throw new ValueError(`Invalid border mode for ${className} (only "valid" is supported): ${v}`)
    return found
  },
})

/** Sizes that make the kernel's shape: positions, values of a window. @throws ValueError when one is not known. */
function kernelSizes(className: string, shape: KShape, layer: Convolutional): { positions: number[]; inner: number } {
  if (shape.slice(1).includes(null)) {
    throw new ValueError(layer.kernelSize.length === 1 ? `Axis 2 of input should be fully-defined. Found shape: ${tupleText(shape)}`
      : `The spatial dimensions of the inputs to  a ${className} layer should be fully-defined, but layer received the inputs shape ${tupleText(shape)}`)
  }
  const rank = layer.kernelSize.length as SpatialRank
  const slid = slidShape(shape, slidingOf(layer), layer.dataFormat)
  const channels = shape[channelAxis(shape.length, layer.dataFormat)]!
  return { positions: spatialAxes(rank, layer.dataFormat).map((axis) => slid[axis]!), inner: layer.kernelSize.reduce((a, b) => a * b, channels) }
}

function connected(layer: DefinedWeights & Convolutional & { readonly activation: Activation }, x: Node): Node {
  const kernel = layer.weightNamed('kernel')!.node, bias = layer.weightNamed('bias')
  const first = layer.dataFormat === 'channels_first'
  const linear = withChannelsLast(x, layer.kernelSize.length as SpatialRank, layer.dataFormat, (last) => locallyConnected(last, kernel, slidingOf(layer), first))
  // As in Keras, the numbers of the bias [...positions, filters] are taken as [filters, ...positions], not transposed.
  return applyActivation(layer.activation, bias ? add(linear, first ? reshape(bias.node, linear.type.shape.slice(1)) : bias.node) : linear)
}

/** `format` is the option of the data format: Keras' configurations of the layer over steps do not name it. */
const local = (className: string, rank: 1 | 2, format: ReturnType<typeof dataFormat>) => defineLayer({
  className,
  doc: 'activation(windows · kernel + bias) with a kernel and a bias for every position. Weights: kernel [positions, values of a window, filters], bias [...positions, filters].',
  positional: ['filters', 'kernelSize'],
  options: {
    filters: integer('channels of the result', undefined, 1),
    kernelSize: windowSizes('size of the windows', rank),
    strides: sizes('how far from window to window', rank, 1),
    padding: validPadding(className),
    dataFormat: format,
    ...linearOptions,
  },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer, [shape]) => {
    checkSliding(shape!, slidingOf(layer), layer.dataFormat)
    const { positions, inner } = kernelSizes(className, shape!, layer)
    addKernel(layer, [positions.reduce((a, b) => a * b, 1), inner, layer.filters])
    addBias(layer, [...positions, layer.filters])
    layer.inputSpec = channelSpec(shape!, layer.dataFormat)
  },
  call: (layer, [x]) => connected(layer, x!),
  outputShape: (layer, [shape]) => slidShape(shape!, slidingOf(layer), layer.dataFormat, layer.filters),
})

/** `LocallyConnected1D(filters, kernelSize, options)`: windows of steps, each times a kernel of its own. */
export const LocallyConnected1D = local('LocallyConnected1D', 1, unlisted(dataFormat(), 'channels_last'))
/** `LocallyConnected2D(filters, kernelSize, options)`: windows of an image, each times a kernel of its own. */
export const LocallyConnected2D = local('LocallyConnected2D', 2, dataFormat())
