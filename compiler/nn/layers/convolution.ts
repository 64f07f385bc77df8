/** Conv1D, 2D and 3D: windows of the input times a kernel. */
import { convolution } from '../../ops/convolution.js'
import { defineLayer } from '../define-layer.js'
import { addBias, addKernel, linearOptions } from '../linear.js'
import { dataFormat, integer } from '../option.js'
import { causalPadding, channelSpec, checkSliding, finished, knownChannels, padding, slidingOf, slidShape, windowSizes } from '../sliding.js'
import { sizes, type SpatialRank } from '../spatial.js'

const what = { 1: 'steps', 2: 'pixels', 3: 'voxels' } as const

const convolutional = (className: string, rank: SpatialRank, border: ReturnType<typeof causalPadding>) => defineLayer({
  className,
  doc: `activation(windows · kernel + bias) over windows of ${what[rank]}. Weights: kernel [...kernelSize, channels, filters], bias [filters].`,
  positional: ['filters', 'kernelSize'],
  options: {
    filters: integer('channels of the result', undefined, 1),
    kernelSize: windowSizes('size of the windows', rank),
    strides: sizes('how far from window to window', rank, 1),
    padding: border,
    dataFormat: dataFormat(),
    dilationRate: sizes('how far from element to element in a window', rank, 1),
    ...linearOptions,
  },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer, [shape]) => {
    const channels = knownChannels(shape!, layer.dataFormat)
    checkSliding(shape!, slidingOf(layer), layer.dataFormat)
    addKernel(layer, [...layer.kernelSize, channels, layer.filters])
    addBias(layer, [layer.filters])
    layer.inputSpec = channelSpec(shape!, layer.dataFormat)
  },
  call: (layer, [x]) => finished(layer, x!, (last) => convolution(last, layer.weightNamed('kernel')!.node, slidingOf(layer))),
  outputShape: (layer, [shape]) => slidShape(shape!, slidingOf(layer), layer.dataFormat, layer.filters),
})

/** `Conv1D(filters, kernelSize, options)`: windows over the steps of a sequence times a kernel. */
export const Conv1D = convolutional('Conv1D', 1, causalPadding())
/** `Conv2D(filters, kernelSize, options)`: windows over an image times a kernel. */
export const Conv2D = convolutional('Conv2D', 2, padding())
/** `Conv3D(filters, kernelSize, options)`: windows over a volume times a kernel. */
export const Conv3D = convolutional('Conv3D', 3, padding())
