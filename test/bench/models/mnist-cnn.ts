/** mnist_cnn of the Keras examples: two convolutions on digits of 28 × 28. */
import { Adadelta, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Sequential } from 'kcc'

/**
 * @param keep false leaves dropout out, so that losses can be compared with those of peers; steps are then shorter, as long
 *   ones on random data drive the output to 0 and 1, where some backends clip it
 */
export function makeModel(keep = true) {
  const drop = (rate: number) => (keep ? [Dropout(rate)] : [])
  const model = Sequential([
    Conv2D(32, [3, 3], { activation: 'relu', inputShape: [28, 28, 1] }),
    Conv2D(64, [3, 3], { activation: 'relu' }),
    MaxPooling2D({ poolSize: [2, 2] }), ...drop(0.25),
    Flatten(),
    Dense(128, { activation: 'relu' }), ...drop(0.5),
    Dense(10, { activation: 'softmax' }),
  ])
  model.compile({ loss: 'categorical_crossentropy', optimizer: Adadelta({ learningRate: keep ? 1 : 0.1, rho: 0.95 }) })
  return model
}

export default makeModel()
