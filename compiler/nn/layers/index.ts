/** All layers by name. Importing this makes them known to configurations. */
export { ActivityRegularization } from './activity-regularization.js'
export { ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU } from './advanced-activations.js'
export { Permute, RepeatVector } from './arrangement.js'
export { BatchNormalization } from './batch-normalization.js'
export { Conv1D, Conv2D, Conv3D } from './convolution.js'
export { Activation, Dropout, Flatten, Reshape } from './core.js'
export { Cropping1D, Cropping2D, Cropping3D } from './cropping.js'
export { Dense } from './dense.js'
export { Dot, dot } from './dot.js'
export { Embedding } from './embedding.js'
export {
  GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
} from './global-pooling.js'
export { Input, InputLayer } from './input.js'
export { Lambda } from './lambda.js'
export { LocallyConnected1D, LocallyConnected2D } from './locally-connected.js'
export {
  Add, add, Average, average, Concatenate, concatenate, Maximum, maximum, Minimum, minimum, Multiply, multiply, Subtract, subtract,
} from './merge.js'
export { AlphaDropout, GaussianDropout, GaussianNoise } from './noise.js'
export {
  AveragePooling1D, AveragePooling2D, AveragePooling3D, MaxPooling1D, MaxPooling2D, MaxPooling3D,
} from './pooling.js'
export { DepthwiseConv2D, SeparableConv1D, SeparableConv2D } from './separable-convolution.js'
export { SpatialDropout1D, SpatialDropout2D, SpatialDropout3D } from './spatial-dropout.js'
export { TimeDistributed } from './time-distributed.js'
export { Conv2DTranspose, Conv3DTranspose } from './transposed-convolution.js'
export { UpSampling1D, UpSampling2D, UpSampling3D } from './up-sampling.js'
export { ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } from './zero-padding.js'
