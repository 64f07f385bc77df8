/** What convolution and pooling layers refuse, in Keras' words, and the shapes they give. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  AveragePooling2D, Conv1D, Conv2D, Conv2DTranspose, Conv3DTranspose, DepthwiseConv2D, Input, LocallyConnected1D, LocallyConnected2D, MaxPooling1D, MaxPooling2D, SeparableConv1D,
} from '../../compiler/nn/layers/index.js'
import { clearSession } from '../../compiler/nn/session.js'

beforeEach(clearSession)

const image = (...shape: (number | null)[]) => Input({ shape })

describe('refusals', () => {
  it.each([
    ['unknown padding', () => Conv2D(2, 3, { padding: 'full' }), 'The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: full'],
    ['causal images', () => Conv2D(2, 3, { padding: 'causal' }), 'Causal padding is currently only supported for `Conv1D`.'],
    ['causal with channels first', () => Conv1D(2, 3, { padding: 'causal', dataFormat: 'channels_first' }), 'When using causal padding in `Conv1D`, `data_format` must be "channels_last" (temporal data).'],
    ['a kernel of the wrong rank', () => Conv2D(2, [3, 3, 3]), 'The `kernel_size` argument must be a tuple of 2 integers. Received: [3, 3, 3]'],
    ['pooling strides of the wrong rank', () => MaxPooling2D({ strides: [1] }), 'The `strides` argument must be a tuple of 2 integers. Received: [1]'],
    ['output padding of a whole stride', () => Conv2DTranspose(2, 3, { strides: 2, outputPadding: 2 }), 'Stride (2, 2) must be greater than output padding (2, 2)'],
    ['local connections with padding', () => LocallyConnected2D(2, 3, { padding: 'same' }), 'Invalid border mode for LocallyConnected2D (only "valid" is supported): same'],
    ['rank', () => Conv2D(2, 3)(image(3)), 'Input 0 is incompatible with layer conv2d_1: expected ndim=4, found ndim=2'],
    ['unknown channels', () => Conv2D(2, 3)(image(8, 8, null)), 'The channel dimension of the inputs should be defined. Found `None`.'],
    ['unknown steps with a kernel for each', () => LocallyConnected1D(2, 3)(image(null, 3)), 'Axis 2 of input should be fully-defined. Found shape: (None, None, 3)'],
    ['a kernel larger than the input', () => Conv2D(2, 5)(image(2, 2, 1)), 'Negative dimension size caused by subtracting 5 from 2'],
    ['a dilated kernel larger than the input', () => SeparableConv1D(2, 3, { dilationRate: 4 })(image(8, 1)), 'Negative dimension size caused by subtracting 9 from 8'],
    ['a pool larger than the input', () => AveragePooling2D({ poolSize: 3 })(image(2, 4, 1)), 'Negative dimension size caused by subtracting 3 from 2'],
    ['strides and dilation', () => Conv2D(2, 3, { strides: 2, dilationRate: 2 })(image(8, 8, 1)), '`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=[2 2] and dilation_rate=[2 2]'],
  ])('%s', (_, build, message) => {
    let found: unknown
    try { build() } catch (error) { found = error }
    expect((found as Error).message.split('\n')[0]).toBe(message)
  })
})

describe('shapes', () => {
  it.each([
    ['steps', () => Conv1D(4, 3)(image(null, 2)), [null, null, 4]],
    ['channels first', () => Conv2D(4, 3, { dataFormat: 'channels_first', strides: 2 })(image(3, 9, 8)), [null, 4, 4, 3]],
    ['same', () => MaxPooling2D({ poolSize: 3, strides: 2, padding: 'same' })(image(7, 8, 5)), [null, 4, 4, 5]],
    ['strides of pooling are its size', () => MaxPooling1D({ poolSize: 3 })(image(10, 2)), [null, 3, 2]],
    ['depth', () => DepthwiseConv2D(2, { depthMultiplier: 3 })(image(4, 4, 2)), [null, 3, 3, 6]],
    ['transposed', () => Conv2DTranspose(2, 3, { strides: 2, padding: 'same' })(image(3, 4, 1)), [null, 6, 8, 2]],
    ['transposed and dilated', () => Conv3DTranspose(2, 3, { dilationRate: 2 })(image(3, 3, 3, 1)), [null, 7, 7, 7, 2]],
  ])('%s', (_, build, shape) => {
    const y = build()
    expect(y.shape).toEqual(shape)
    expect(y.history!.layer.computeOutputShape([...y.history!.layer.getInputShapeAt(0)] as number[])).toEqual(shape)
  })
})
