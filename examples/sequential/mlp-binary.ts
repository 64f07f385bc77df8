/** Multilayer perceptron for binary classification: `kcc run examples/sequential/mlp-binary.ts` */
import { Dense, Dropout, Sequential } from 'kcc'
import { randint, random } from '../random.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples } = settings({ epochs: 20, samples: 1000 })

const xTrain = random([samples, 20])
const yTrain = randint(2, [samples, 1])
const xTest = random([100, 20])
const yTest = randint(2, [100, 1])

const model = Sequential()
model.add(Dense(64, { inputDim: 20, activation: 'relu' }))
model.add(Dropout(0.5))
model.add(Dense(64, { activation: 'relu' }))
model.add(Dropout(0.5))
model.add(Dense(1, { activation: 'sigmoid' }))

model.compile({ loss: 'binary_crossentropy', optimizer: 'rmsprop', metrics: ['accuracy'] })

await model.fit(xTrain, yTrain, { epochs, batchSize: 128 })
const [loss, accuracy] = scores(await model.evaluate(xTest, yTest, { batchSize: 128 }))
console.log(`Test loss ${loss!.toFixed(4)}, test accuracy ${accuracy!.toFixed(2)} (of random labels)`)
