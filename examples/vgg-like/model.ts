/** A convnet like VGG on images of 100 × 100 with 3 channels. `kcc build examples/vgg-like/model.ts` */
import { Conv2D, Dense, Dropout, Flatten, MaxPooling2D, SGD, Sequential } from 'kcc'

/** The network for square images of another size; at least 16 pixels remain something after two poolings. */
export function makeModel(size = 100) {
  const model = Sequential()
  // input: 100x100 images with 3 channels -> (100, 100, 3) tensors.
  // this applies 32 convolution filters of size 3x3 each.
  model.add(Conv2D(32, [3, 3], { activation: 'relu', inputShape: [size, size, 3] }))
  model.add(Conv2D(32, [3, 3], { activation: 'relu' }))
  model.add(MaxPooling2D({ poolSize: [2, 2] }))
  model.add(Dropout(0.25))

  model.add(Conv2D(64, [3, 3], { activation: 'relu' }))
  model.add(Conv2D(64, [3, 3], { activation: 'relu' }))
  model.add(MaxPooling2D({ poolSize: [2, 2] }))
  model.add(Dropout(0.25))

  model.add(Flatten())
  model.add(Dense(256, { activation: 'relu' }))
  model.add(Dropout(0.5))
  model.add(Dense(10, { activation: 'softmax' }))

  const sgd = SGD({ lr: 0.01, decay: 1e-6, momentum: 0.9, nesterov: true })
  model.compile({ loss: 'categorical_crossentropy', optimizer: sgd, metrics: ['accuracy'] })
  return model
}

export default makeModel()
