/**
 * A residual block with batch normalisation behind a first convolution, 64 channels on 56 × 56, and a classifier.
 * Source: He et al., Deep Residual Learning for Image Recognition, http://arxiv.org/abs/1512.03385
 */
import { Activation, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, Model, SGD, add } from 'kcc'
import type { KTensor } from 'kcc'

const convolved = (x: KTensor): KTensor => BatchNormalization()(Conv2D(64, [3, 3], { padding: 'same', useBias: false })(x))
const relu = (x: KTensor): KTensor => Activation('relu')(x)

const image = Input({ shape: [56, 56, 3] })
const stem = relu(convolved(image))
const block = relu(add([stem, convolved(relu(convolved(stem)))]))
const outputs = Dense(10, { activation: 'softmax' })(GlobalAveragePooling2D()(block))

const model = Model({ inputs: image, outputs })
model.compile({ loss: 'categorical_crossentropy', optimizer: SGD({ lr: 0.01, momentum: 0.9 }) })

export default model
