/** mnist_mlp of the Keras examples: 784-512-512-10 with dropout. `kcc build examples/mnist-mlp/model.ts` */
import { Dense, Dropout, RMSprop, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(512, { activation: 'relu', inputShape: [784] }))
model.add(Dropout(0.2))
model.add(Dense(512, { activation: 'relu' }))
model.add(Dropout(0.2))
model.add(Dense(10, { activation: 'softmax' }))

model.compile({
  loss: 'categorical_crossentropy',
  optimizer: RMSprop(),
  metrics: ['accuracy'],
})

export default model
