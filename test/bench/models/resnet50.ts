/**
 * ResNet-50 on pictures of 224 × 224, for inference: it is not compiled with a loss. As in `keras.applications`.
 * Source: He et al., Deep Residual Learning for Image Recognition, http://arxiv.org/abs/1512.03385
 */
import { Activation, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D, Model, ZeroPadding2D, add } from 'kcc'
import type { KTensor } from 'kcc'

const relu = (x: KTensor): KTensor => Activation('relu')(x)
const convolved = (x: KTensor, filters: number, size: number, stride: number, padding: 'same' | 'valid'): KTensor =>
  BatchNormalization()(Conv2D(filters, [size, size], { strides: [stride, stride], padding })(x))

function block(x: KTensor, filters: number, stride: number, isFirst: boolean): KTensor {
  const inner = relu(convolved(relu(convolved(x, filters, 1, stride, 'valid')), filters, 3, 1, 'same'))
  const shortcut = isFirst ? convolved(x, 4 * filters, 1, stride, 'valid') : x
  return relu(add([convolved(inner, 4 * filters, 1, 1, 'valid'), shortcut]))
}

/** Filters, blocks and stride of each stage. */
const stages = [[64, 3, 1], [128, 4, 2], [256, 6, 2], [512, 3, 2]] as const

const image = Input({ shape: [224, 224, 3] })
let x = relu(convolved(ZeroPadding2D({ padding: [3, 3] })(image), 64, 7, 2, 'valid'))
x = MaxPooling2D({ poolSize: [3, 3], strides: [2, 2] })(ZeroPadding2D({ padding: [1, 1] })(x))
for (const [filters, count, stride] of stages) for (let i = 0; i < count; i++) x = block(x, filters, i === 0 ? stride : 1, i === 0)

export default Model({ inputs: image, outputs: Dense(1000, { activation: 'softmax' })(GlobalAveragePooling2D()(x)) })
