/** cifar10_cnn of the Keras examples: four convolutions on pictures of 32 × 32. */
import { Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, RMSprop, Sequential } from 'kcc'

/** @param keep false leaves dropout out, so that losses can be compared with those of peers */
export function makeModel(keep = true) {
  const drop = (rate: number) => (keep ? [Dropout(rate)] : [])
  const model = Sequential([
    Conv2D(32, [3, 3], { padding: 'same', inputShape: [32, 32, 3] }), Activation('relu'),
    Conv2D(32, [3, 3]), Activation('relu'),
    MaxPooling2D({ poolSize: [2, 2] }), ...drop(0.25),
    Conv2D(64, [3, 3], { padding: 'same' }), Activation('relu'),
    Conv2D(64, [3, 3]), Activation('relu'),
    MaxPooling2D({ poolSize: [2, 2] }), ...drop(0.25),
    Flatten(),
    Dense(512), Activation('relu'), ...drop(0.5),
    Dense(10), Activation('softmax'),
  ])
  model.compile({ loss: 'categorical_crossentropy', optimizer: RMSprop({ learningRate: 0.0001 }) })
  return model
}

export default makeModel()
