/** Conv2DTranspose and Conv3DTranspose: each element adds its window; up-sampling that is learned. */
import { addDims, isStatic, multiplyDims, subtractDims, type Dim, type Shape } from '../../ir/dim.js'
import { transposedConvolution } from '../../ops/convolution.js'
import { windowReach } from '../../ops/type-rules.js'
import { defineLayer } from '../define-layer.js'
import { addBias, addKernel, linearOptions } from '../linear.js'
import { dataFormat, integer } from '../option.js'
import { channelSpec, checkDilation, finished, knownChannels, outputPadding, padding, slidingOf, windowSizes, type Convolutional } from '../sliding.js'
import { channelAxis, mapSpatial, sizes, type SpatialRank } from '../spatial.js'
import type { KShape } from '../shape.js'

type Transposed = Convolutional & { readonly outputPadding: readonly number[] | null }

/** Keras' size of the result along axis i, from `length` elements. */
function transposedLength(length: Dim, i: number, layer: Transposed): Dim {
  const { sizes: windows, strides, dilations } = slidingOf(layer)
  const reach = windowReach(windows[i]!, dilations[i]!), stride = strides[i]!, extra = layer.outputPadding?.[i]
  if (extra !== undefined) {
    const margin = layer.padding === 'same' ? Math.floor(reach / 2) : 0
    return addDims(multiplyDims(subtractDims(length, 1), stride), reach - 2 * margin + extra)
  }
  return addDims(multiplyDims(length, stride), layer.padding === 'valid' ? Math.max(reach - stride, 0) : 0)
}

const lengthsOf = (shape: Shape, layer: Transposed): Dim[] => layer.kernelSize.map((_, i) => transposedLength(shape[i + 1]!, i, layer))

function transposedShape(shape: KShape, layer: Transposed, filters: number): KShape {
  const rank = layer.kernelSize.length as SpatialRank, at = channelAxis(shape.length, layer.dataFormat)
  const lengthAlong = (size: number, i: number): number => {
    const length = transposedLength(size, i, layer)
    if (!isStatic(length)) throw new RangeError(`the size of axis ${i} is not a number`)
    return length
  }
  return mapSpatial(shape, rank, layer.dataFormat, lengthAlong).map((d, axis) => (axis === at ? filters : d))
}

type Dilation = ReturnType<typeof sizes>

const transposed = (className: string, rank: 2 | 3, dilation: Dilation) => defineLayer({
  className,
  doc: 'The transpose of a convolution: each element times the kernel is added to a window of the result; then bias and activation. Weights: kernel [...kernelSize, filters, channels], bias [filters].',
  positional: ['filters', 'kernelSize'],
  options: {
    filters: integer('channels of the result', undefined, 1),
    kernelSize: windowSizes('size of the windows', rank),
    strides: sizes('how far from window to window', rank, 1),
    padding: padding(),
    dataFormat: dataFormat(),
    dilationRate: dilation,
    ...linearOptions,
    outputPadding: outputPadding(rank),
  },
  acceptsInputDim: false,
  inputSpec: { ndim: rank + 2 },
  build: (layer, [shape]) => {
    const channels = knownChannels(shape!, layer.dataFormat)
    checkDilation(slidingOf(layer))
    addKernel(layer, [...layer.kernelSize, layer.filters, channels])
    addBias(layer, [layer.filters])
    layer.inputSpec = channelSpec(shape!, layer.dataFormat)
  },
  call: (layer, [x]) => finished(layer, x!, (last) =>
    transposedConvolution(last, layer.weightNamed('kernel')!.node, slidingOf(layer), lengthsOf(last.type.shape, layer))),
  outputShape: (layer, [shape]) => transposedShape(shape!, layer, layer.filters),
})

const dilationOf = (rank: 2 | 3): Dilation => sizes('how far from element to element in a window', rank, 1)

/** `Conv2DTranspose(filters, kernelSize, options)`: the transpose of a convolution of images. */
export const Conv2DTranspose = transposed('Conv2DTranspose', 2, dilationOf(2))
/** `Conv3DTranspose(filters, kernelSize, options)`: the transpose of a convolution of volumes. Keras has no dilation here. */
export const Conv3DTranspose = transposed('Conv3DTranspose', 3, { ...dilationOf(3), inConfig: (rates) => rates.some((rate) => rate !== 1) })
