/** Blocks of separable convolutions with batch normalisation behind a first convolution, on pictures of 64 × 64. */
import { Activation, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, SGD, SeparableConv2D, Sequential } from 'kcc'

const block = (filters: number, stride: number) =>
  [SeparableConv2D(filters, [3, 3], { strides: [stride, stride], padding: 'same', useBias: false }), BatchNormalization(), Activation('relu')]

const model = Sequential([
  Conv2D(32, [3, 3], { padding: 'same', useBias: false, inputShape: [64, 64, 3] }), BatchNormalization(), Activation('relu'),
  ...block(64, 1), ...block(128, 2), ...block(128, 1),
  GlobalAveragePooling2D(),
  Dense(10, { activation: 'softmax' }),
])
model.compile({ loss: 'categorical_crossentropy', optimizer: SGD({ lr: 0.01, momentum: 0.9 }) })

export default model
