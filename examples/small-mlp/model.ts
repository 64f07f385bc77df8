/** A binary classifier, 100-32-1: the model of the Keras guide's first training example. */
import { Dense, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(32, { activation: 'relu', inputDim: 100 }))
model.add(Dense(1, { activation: 'sigmoid' }))
model.compile({
  optimizer: 'rmsprop',
  loss: 'binary_crossentropy',
  metrics: ['accuracy'],
})

export default model
