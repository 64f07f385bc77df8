/** The inception module of the Keras guide, three towers over one picture of 128 × 128, with a classifier behind it. */
import { Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D, Model, SGD, concatenate } from 'kcc'

const same = { padding: 'same', activation: 'relu' } as const
const image = Input({ shape: [128, 128, 3] })
const towers = [
  Conv2D(64, [3, 3], same)(Conv2D(64, [1, 1], same)(image)),
  Conv2D(64, [5, 5], same)(Conv2D(64, [1, 1], same)(image)),
  Conv2D(64, [1, 1], same)(MaxPooling2D({ poolSize: [3, 3], strides: [1, 1], padding: 'same' })(image)),
]
const outputs = Dense(10, { activation: 'softmax' })(GlobalAveragePooling2D()(concatenate(towers)))

const model = Model({ inputs: image, outputs })
model.compile({ loss: 'categorical_crossentropy', optimizer: SGD({ lr: 0.01, momentum: 0.9 }) })

export default model
