/**
 * Every wrong argument a Keras user makes, one row each: a statement as a program holds it, and what is said. All of them
 * stand in one program, one below the other, which `kcc run` runs as it would run any; every error must name its own line.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lastJson, openWorkshop } from './workshop.js'

type Row = readonly [statement: string, message: string, hint?: string]

/** Keras' own texts, also where a text of Python or TensorFlow stands behind them. */
const rows: readonly Row[] = [
  // Sizes that no layer can have.
  ['Dense(-1)', 'TypeError: `units` must be an integer of at least 1. Found: -1'],
  ["Dense('3')", "TypeError: `units` must be an integer of at least 1. Found: '3'"],
  ['Dense()', "TypeError: Dense() missing required argument: 'units'"],
  ['Conv2D(0, 3)', 'TypeError: `filters` must be an integer of at least 1. Found: 0'],
  ['RepeatVector(-1)', 'TypeError: `n` must be an integer of at least 0. Found: -1'],
  ['DepthwiseConv2D(3, { depthMultiplier: 0 })', 'TypeError: `depth_multiplier` must be an integer of at least 1. Found: 0'],
  // Tuples of the wrong length, and sizes that are not positive.
  ['Conv2D(2, [3, 3, 3])', 'ValueError: The `kernel_size` argument must be a tuple of 2 integers. Received: [3, 3, 3]', 'expected: 2 integers from 1 up, or one for all\nfound:    [3, 3, 3]'],
  ['Conv2D(2, 0)', 'ValueError: The `kernel_size` argument must be a tuple of 2 integers. Received: 0'],
  ['Conv2D(2, 3.5)', 'ValueError: The `kernel_size` argument must be a tuple of 2 integers. Received: 3.5'],
  ['Conv3D(2, [3, -1, 3])', 'ValueError: The `kernel_size` argument must be a tuple of 3 integers. Received: [3, -1, 3]'],
  ['Conv2D(2, 3, { strides: 0 })', 'ValueError: The `strides` argument must be a tuple of 2 integers. Received: 0'],
  ['Conv1D(2, 3, { strides: [1, 2] })', 'ValueError: The `strides` argument must be a tuple of 1 integers. Received: [1, 2]'],
  ['Conv2D(2, 3, { dilationRate: 0 })', 'ValueError: The `dilation_rate` argument must be a tuple of 2 integers. Received: 0'],
  ['MaxPooling2D({ poolSize: [2] })', 'ValueError: The `pool_size` argument must be a tuple of 2 integers. Received: [2]'],
  ['MaxPooling2D({ strides: -1 })', 'ValueError: The `strides` argument must be a tuple of 2 integers. Received: -1'],
  ['UpSampling2D({ size: 0 })', 'ValueError: The `size` argument must be a tuple of 2 integers. Received: 0'],
  ['ZeroPadding2D({ padding: -1 })', 'ValueError: The `padding` argument must be a tuple of 2 integers. Received: -1'],
  ['ZeroPadding2D({ padding: [1] })', 'ValueError: `padding` should have two elements. Found: [1]'],
  ["ZeroPadding2D({ padding: 'a' })", "ValueError: `padding` should be either an int, a list of 2 ints or a list of 2 lists of 2 ints. Found: 'a'"],
  ['Cropping1D({ cropping: [1, 2, 3] })', 'ValueError: The `cropping` argument must be a tuple of 2 integers. Received: [1, 2, 3]'],
  ['Cropping3D({ cropping: [[1, 1], [1, 1, 1], [1, 1]] })', 'ValueError: The `2nd entry of cropping` argument must be a tuple of 2 integers. Received: [1, 1, 1]'],
  ['Conv2DTranspose(2, 3, { strides: 2, outputPadding: -1 })', 'ValueError: The `output_padding` argument must be a tuple of 2 integers. Received: -1'],
  ['Conv2DTranspose(2, 3, { strides: 2, outputPadding: 2 })', 'ValueError: Stride (2, 2) must be greater than output padding (2, 2)'],
  // Unknown names.
  ["Conv2D(2, 3, { padding: 'full' })", 'ValueError: The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: full'],
  ['Conv2D(2, 3, { padding: 3 })', 'ValueError: The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: 3'],
  ["MaxPooling2D({ padding: 'causal' })", 'ValueError: Causal padding is currently only supported for `Conv1D`.'],
  ["Conv1D(2, 3, { padding: 'causal', dataFormat: 'channels_first' })", 'ValueError: When using causal padding in `Conv1D`, `data_format` must be "channels_last" (temporal data).'],
  ["LocallyConnected1D(2, 3, { padding: 'same' })", 'ValueError: Invalid border mode for LocallyConnected1D (only "valid" is supported): same'],
  ["Conv2D(2, 3, { dataFormat: 'last' })", 'ValueError: The `data_format` argument must be one of "channels_first", "channels_last". Received: last'],
  ['Flatten({ dataFormat: 5 })', 'ValueError: The `data_format` argument must be one of "channels_first", "channels_last". Received: 5'],
  ["UpSampling2D({ interpolation: 'cubic' })", 'ValueError: interpolation should be one of "nearest" or "bilinear".'],
  ["Dense(3, { activation: 'rellu' })", 'ValueError: Unknown activation function:rellu'],
  ["Activation('reluu')", 'ValueError: Unknown activation function:reluu'],
  ["Dense(3, { kernelInitializer: 'glorot' })", 'ValueError: Unknown initializer: glorot'],
  ["Dense(3, { kernelRegularizer: 'l3' })", 'ValueError: Unknown regularizer: l3'],
  ["Dense(3, { kernelConstraint: 'max' })", 'ValueError: Unknown constraint: max'],
  ['Dense(3, { kernelInitializer: 3 })', 'ValueError: Could not interpret initializer identifier: 3'],
  // Options.
  ["Dense(3, { activaton: 'relu' })", "TypeError: ('Keyword argument not understood:', 'activaton')", 'did you mean activation?'],
  ["Dense(3, { kernel_initializer: 'zeros' })", "TypeError: ('Keyword argument not understood:', 'kernel_initializer')", 'did you mean kernelInitializer?'],
  ["Conv2D(3, 2, { stride: 2 })", "TypeError: ('Keyword argument not understood:', 'stride')", 'did you mean strides?'],
  ["Flatten({ units: 4 })", "TypeError: ('Keyword argument not understood:', 'units')", 'expected one of: dataFormat, name, trainable, dtype, inputShape, batchInputShape, batchSize, weights, inputDtype'],
  ['Input({ shap: [3] })', "TypeError: ('Keyword argument not understood:', 'shap')", 'did you mean shape?'],
  ['Dense(3, { units: 4 })', "TypeError: Dense() got multiple values for argument 'units'", 'units is given by position: Dense(units, { … })'],
  ['Conv2D(3, 2, { kernelSize: 4 })', "TypeError: Conv2D() got multiple values for argument 'kernel_size'"],
  ["Dense(3, 'relu')", "TypeError: Dense() takes its options in one object, such as { name: 'a' }. Found: relu"],
  ['Dense(3, {}, {})', 'TypeError: Dense() takes 1 positional arguments and one options object but 3 arguments were given'],
  ['Dense(3, { useBias: 1 })', 'TypeError: `use_bias` must be true or false. Found: 1'],
  ["Dropout('a')", "TypeError: `rate` must be a number. Found: 'a'"],
  ['Dense(2, { name: 5 })', 'TypeError: `name` must be a text. Found: 5'],
  ["Dense(2, { trainable: 'no' })", "TypeError: `trainable` must be true or false. Found: 'no'"],
  ["Dense(2, { dtype: 'float' })", "TypeError: `dtype` must be one of float32, float64, int32, uint8, bool. Found: 'float'"],
  ['Dense(2, { inputShape: 3 })', 'TypeError: `input_shape` must be a list of sizes from 0 up, or null where any will do. Found: 3'],
  ['Input({ shape: [-1] })', 'TypeError: `shape` must be a list of sizes from 0 up, or null where any will do. Found: [-1]'],
  ['Input({})', 'ValueError: Please provide to Input either a `shape` or a `batch_shape` argument. Note that `shape` does not include the batch dimension.'],
  ['ReLU({ maxValue: -1 })', 'ValueError: max_value of ReLU layer cannot be negative value: -1'],
  ['ReLU({ negativeSlope: -1 })', 'ValueError: negative_slope of ReLU layer cannot be negative value: -1'],
  ['TimeDistributed(3)', 'TypeError: TimeDistributed() takes a layer. Found: 3'],
  ["Lambda('a')", "TypeError: Lambda() takes a function of a tensor. Found: 'a'"],
  // Initializers, regularizers, constraints, optimizers.
  ['initializers.VarianceScaling({ scale: -1 })', 'ValueError: `scale` must be a positive float. Got: -1'],
  ["initializers.VarianceScaling({ mode: 'fan' })", 'ValueError: Invalid `mode` argument: expected on of {"fan_in", "fan_out", "fan_avg"} but got fan'],
  ["initializers.VarianceScaling({ distribution: 'gauss' })", 'ValueError: Invalid `distribution` argument: expected one of {"normal", "uniform"} but got gauss'],
  ['initializers.RandomNormal({ stdev: 3 })', "TypeError: RandomNormal() got an unexpected keyword argument 'stdev'", 'did you mean stddev?'],
  ['initializers.RandomNormal(3)', 'TypeError: RandomNormal() takes its options in one object, such as { mean, stddev, seed }. Found: 3'],
  ["regularizers.l2('a')", "TypeError: `l2` must be a number. Found: 'a'"],
  ['regularizers.l1L2({ l3: 1 })', "TypeError: L1L2() got an unexpected keyword argument 'l3'"],
  ['constraints.MaxNorm({ maxvalue: 1 })', "TypeError: MaxNorm() got an unexpected keyword argument 'maxvalue'", 'did you mean maxValue?'],
  ["constraints.UnitNorm({ axis: 'rows' })", "TypeError: `axis` must be an axis or a list of axes. Found: 'rows'"],
  ['SGD({ learnigRate: 0.1 })', 'TypeError: Unexpected keyword argument passed to optimizer: learnigRate', 'did you mean learningRate?'],
  ["SGD({ lr: 'a' })", "TypeError: The optimizer's lr must be a number, found 'a'."],
  ['SGD({ nesterov: 1 })', "TypeError: The optimizer's nesterov must be true or false, found 1."],
  ['SGD(0.1)', 'TypeError: SGD() takes its options in one object, such as { learningRate: 0.01 }. Found: 0.1'],
  // Inputs of the wrong rank or shape.
  ['Conv1D(2, 3)(at(3))', 'ValueError: Input 0 is incompatible with layer conv1d_N: expected ndim=3, found ndim=2'],
  ['Flatten()(at(3))', 'ValueError: Input 0 is incompatible with layer flatten_N: expected min_ndim=3, found ndim=2'],
  ['GlobalAveragePooling2D()(at(3, 3))', 'ValueError: Input 0 is incompatible with layer global_average_pooling2d_N: expected ndim=4, found ndim=3'],
  ['RepeatVector(2)(at(3, 4))', 'ValueError: Input 0 is incompatible with layer repeat_vector_N: expected ndim=2, found ndim=3'],
  ['(d => [d(at(3)), d(at(4))])(Dense(2))', 'ValueError: Input 0 is incompatible with layer dense_N: expected axis -1 of input shape to have value 3 but got shape (None, 4)'],
  ['Conv2D(2, 3)(at(8, 8, null))', 'ValueError: The channel dimension of the inputs should be defined. Found `None`.'],
  ['DepthwiseConv2D(3)(at(8, 8, null))', 'ValueError: The channel dimension of the inputs to `DepthwiseConv2D` should be defined. Found `None`.'],
  ['Dense(2)(at(4, null))', "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'"],
  ['BatchNormalization()(at(3, null))', 'ValueError: Axis -1 of input tensor should have a defined dimension but the layer received an input with shape (None, 3, None).'],
  ['LocallyConnected1D(2, 3)(at(null, 3))', 'ValueError: Axis 2 of input should be fully-defined. Found shape: (None, None, 3)'],
  ['Flatten()(at(null, 3))', 'ValueError: The shape of the input to "Flatten" is not fully defined (got (None, 3)). Make sure to pass a complete "input_shape" or "batch_input_shape" argument to the first layer in your model.'],
  ['TimeDistributed(Dense(2))(at(3))', 'AssertionError: ', 'expected: an input of rank 3 or more, [B, steps, …], for TimeDistributed\nfound:    (None, 3)'],
  // Results without elements.
  ['Conv2D(2, 5)(at(2, 2, 1))', 'ValueError: Negative dimension size caused by subtracting 5 from 2', 'expected: windows of at most 2, the size of spatial axis 1\nfound:    windows that reach over 5'],
  ['SeparableConv1D(2, 3, { dilationRate: 4 })(at(8, 1))', 'ValueError: Negative dimension size caused by subtracting 9 from 8'],
  ['AveragePooling2D({ poolSize: 3 })(at(2, 4, 1))', 'ValueError: Negative dimension size caused by subtracting 3 from 2'],
  ['Cropping2D({ cropping: 2 })(at(4, 9, 1))', 'ValueError: Negative dimension size caused by subtracting 4 from 4'],
  ['Conv2D(2, 3, { strides: 2, dilationRate: 2 })(at(8, 8, 1))', 'ValueError: `strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=[2 2] and dilation_rate=[2 2]'],
  ['Conv2DTranspose(2, 3, { strides: 2, dilationRate: 2 })(at(8, 8, 1))', 'ValueError: `strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=[2 2] and dilation_rate=[2 2]'],
  // Arrangement and merging.
  ['Reshape([4, 4])(at(3, 5))', 'ValueError: total size of new array must be unchanged', 'expected: 16 elements, to fill the target shape (4, 4)\nfound:    15 elements, of the shape (3, 5)'],
  ['Reshape([-1, 4])(at(3, 5))', 'ValueError: total size of new array must be unchanged', 'expected: a multiple of 4 elements, to fill the target shape (-1, 4)\nfound:    15 elements, of the shape (3, 5)'],
  ['Reshape([-1, -1])(at(3, 5))', 'ValueError: Can only specify one unknown dimension.'],
  ['Reshape(4)', 'TypeError: `target_shape` must be a list of integers. Found: 4'],
  ['Permute([1, 3])(at(3, 4))', 'ValueError: perm dim 3 is out of range of input rank 3'],
  ['Permute([1, 1])(at(3, 4))', 'ValueError: 1 is duplicated in perm.'],
  ['Permute([1])(at(3, 4))', 'ValueError: Input 0 is incompatible with layer permute_N: expected ndim=2, found ndim=3'],
  ['BatchNormalization({ axis: 5 })(at(3, 4))', 'ValueError: Axis 5 is out of range for an input of shape (None, 3, 4).'],
  ['Softmax({ axis: 5 })(at(3, 4))', 'ValueError: softmax: expected an axis from -3 to 2, found 5.'],
  ['PReLU({ sharedAxes: [5] })(at(3))', 'ValueError: `shared_axes` must be from 1 to 1 for an input of rank 2. Found: 5'],
  ['concatenate([at(3), at(3)], { axis: 5 })', 'ValueError: concat: expected an axis from -2 to 1, found 5.'],
  ['concatenate([at(3), at(3, 4)])', 'ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs shapes: [(None, 3), (None, 3, 4)]'],
  ['concatenate([at(3)])', 'ValueError: A `Concatenate` layer should be called on a list of at least 2 inputs'],
  ['add([at(3), at(4)])', 'ValueError: Operands could not be broadcast together with shapes (3,) (4,)', 'expected: equal sizes, or one of them 1, on every axis\nfound:    3 and 4 on axis 1'],
  ['add([at(3)])', 'ValueError: A merge layer should be called on a list of inputs.'],
  ['subtract([at(3), at(3), at(3)])', 'ValueError: A `Subtract` layer should be called on exactly 2 inputs'],
  ['dot([at(3), at(3)], 0)', 'ValueError: Can not perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension to your inputs.'],
  ['dot([at(3), at(3)], 5)', 'ValueError: `axes` is out of range for an input of rank 2: 5'],
  ['dot([at(3), at(4)], 1)', 'ValueError: Dimension incompatibility 3 != 4. Layer shapes: (None, 3), (None, 4)'],
  ['dot([at(3)], 1)', 'ValueError: A `Dot` layer should be called on a list of 2 inputs.'],
  ["Dot('a')", 'TypeError: Invalid type for `axes` - should be a list or an int.'],
  ['Dot([1, 2, 3])', 'ValueError: Invalid format for `axes` - should contain two elements.'],
  // Weights.
  ['built(Dense(2)).setWeights([[1]])', 'ValueError: You called `set_weights(weights)` on layer "dense_N" with a weight list of length 1, but the layer was expecting 2 weights. Provided weights: [array([1.])]...'],
  ['built(Dense(2)).setWeights([[[1, 2]], [0, 0]])', 'ValueError: Layer weight shape (3, 2) not compatible with provided weight shape (1, 2)'],
  ['Dense(2, { weights: [[[1]]] })(at(3))', 'ValueError: You called `set_weights(weights)` on layer "dense_N" with a weight list of length 1, but the layer was expecting 2 weights. Provided weights: [array([[1.]])]...'],
]

const head = `import * as kcc from 'kcc'
const { ${'Activation AveragePooling2D BatchNormalization Conv1D Conv2D Conv2DTranspose Conv3D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv2D Dot Dropout Flatten GlobalAveragePooling2D Input Lambda LocallyConnected1D MaxPooling2D PReLU Permute ReLU RepeatVector Reshape SGD SeparableConv1D Softmax TimeDistributed UpSampling2D ZeroPadding2D add concatenate constraints dot initializers regularizers subtract'.split(' ').join(', ')} } = kcc
const at = (...shape) => Input({ shape })
const built = (layer) => (layer(at(3)), layer)
const attempts = []
`
type Found = { readonly text: string; readonly hint: string | null; readonly file: string | null; readonly line: number | null }
const shop = openWorkshop('argument-errors')
let found: Found[] = []
const firstLine = head.split('\n').length

beforeAll(async () => {
  shop.write('wrong.ts', `${head}${rows.map(([statement]) => `attempts.push(() => ${statement})`).join('\n')}
console.log(JSON.stringify(attempts.map((attempt) => {
  try { attempt() } catch (e) { return { text: e.name + ': ' + e.message, hint: e.hint ?? null, file: e.location?.file.split('/').at(-1) ?? null, line: e.location?.line ?? null } }
  return { text: 'accepted', hint: null, file: null, line: null }
})))
`)
  found = lastJson<Found[]>(await shop.kcc(['run', '--no-check', 'wrong.ts']))
}, 60_000)
afterAll(() => shop.remove())

describe('wrong arguments', () => {
  test.each(rows.map(([statement, message, hint], i) => ({ statement, message, hint, i })))('$statement', ({ message, hint, i }) => {
    const { text, file, line, ...rest } = found[i]!
    expect({ text: text.replace(/(\w_)\d+(?=:|")/, '$1N'), file, line }).toEqual({ text: message, file: 'wrong.ts', line: firstLine + i })
    if (hint !== undefined) expect(rest.hint).toBe(hint)
  })
})
