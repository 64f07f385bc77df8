/** The convnet like VGG of the Keras guide, on images of 100 × 100 with 3 channels. */
import { Conv2D, Dense, Dropout, Flatten, MaxPooling2D, SGD, Sequential } from 'kcc'

/**
 * @param keep false leaves dropout out, so that losses can be compared with those of peers; steps are then shorter, as long
 *   ones on random data drive the output to 0 and 1, where some backends clip it
 */
export function makeModel(keep = true) {
  const drop = (rate: number) => (keep ? [Dropout(rate)] : [])
  const model = Sequential([
    Conv2D(32, [3, 3], { activation: 'relu', inputShape: [100, 100, 3] }),
    Conv2D(32, [3, 3], { activation: 'relu' }),
    MaxPooling2D({ poolSize: [2, 2] }), ...drop(0.25),
    Conv2D(64, [3, 3], { activation: 'relu' }),
    Conv2D(64, [3, 3], { activation: 'relu' }),
    MaxPooling2D({ poolSize: [2, 2] }), ...drop(0.25),
    Flatten(),
    Dense(256, { activation: 'relu' }), ...drop(0.5),
    Dense(10, { activation: 'softmax' }),
  ])
  model.compile({ loss: 'categorical_crossentropy', optimizer: SGD({ lr: keep ? 0.01 : 0.001, momentum: 0.9, nesterov: true }) })
  return model
}

export default makeModel()
