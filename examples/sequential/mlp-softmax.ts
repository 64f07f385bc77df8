/** Multilayer perceptron for multi-class softmax classification: `kcc run examples/sequential/mlp-softmax.ts` */
import { Dense, Dropout, K, SGD, Sequential, toCategorical } from 'kcc'
import type { KTensor } from 'kcc'
import { randint, random } from '../random.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples } = settings({ epochs: 20, samples: 1000 })

const xTrain = random([samples, 20])
const yTrain = toCategorical(randint(10, [samples, 1]), 10)
const xTest = random([100, 20])
const yTest = toCategorical(randint(10, [100, 1]), 10)

const meanPred = (_yTrue: KTensor, yPred: KTensor): KTensor => K.mean(yPred)

const model = Sequential()
// Dense(64) is a fully-connected layer with 64 hidden units.
// In the first layer, you must specify the expected input data shape: here, 20-dimensional vectors.
model.add(Dense(64, { activation: 'relu', inputDim: 20 }))
model.add(Dropout(0.5))
model.add(Dense(64, { activation: 'relu' }))
model.add(Dropout(0.5))
model.add(Dense(10, { activation: 'softmax' }))

const sgd = SGD({ lr: 0.01, decay: 1e-6, momentum: 0.9, nesterov: true })
model.compile({ loss: 'categorical_crossentropy', optimizer: sgd, metrics: ['accuracy', meanPred] })

await model.fit(xTrain, yTrain, { epochs, batchSize: 128 })
const score = scores(await model.evaluate(xTest, yTest, { batchSize: 128 }))
console.log(model.metricsNames.map((name, i) => `${name} ${score[i]!.toFixed(4)}`).join(', '))
