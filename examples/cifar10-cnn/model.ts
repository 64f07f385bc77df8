/** cifar10_cnn of the Keras examples: four convolutions on pictures of 32 × 32. `kcc build examples/cifar10-cnn/model.ts` */
import { Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Sequential, optimizers } from 'kcc'

const model = Sequential()
model.add(Conv2D(32, [3, 3], { padding: 'same', inputShape: [32, 32, 3] }))
model.add(Activation('relu'))
model.add(Conv2D(32, [3, 3]))
model.add(Activation('relu'))
model.add(MaxPooling2D({ poolSize: [2, 2] }))
model.add(Dropout(0.25))

model.add(Conv2D(64, [3, 3], { padding: 'same' }))
model.add(Activation('relu'))
model.add(Conv2D(64, [3, 3]))
model.add(Activation('relu'))
model.add(MaxPooling2D({ poolSize: [2, 2] }))
model.add(Dropout(0.25))

model.add(Flatten())
model.add(Dense(512))
model.add(Activation('relu'))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation('softmax'))

// initiate RMSprop optimizer
const opt = optimizers.RMSprop({ learningRate: 0.0001, decay: 1e-6 })

// Let's train the model using RMSprop
model.compile({ loss: 'categorical_crossentropy', optimizer: opt, metrics: ['accuracy'] })

export default model
