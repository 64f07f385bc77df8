/** Trains the VGG-like net on random images, as the Keras guide does: `kcc run examples/vgg-like/train.ts [--size 100]` */
import { toCategorical } from 'kcc'
import { randint, random } from '../random.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'
import { makeModel } from './model.js'

const { epochs, samples, size } = settings({ epochs: 10, samples: 100, size: 100 })

const xTrain = random([samples, size, size, 3])
const yTrain = toCategorical(randint(10, [samples, 1]), 10)
const xTest = random([20, size, size, 3])
const yTest = toCategorical(randint(10, [20, 1]), 10)

const model = makeModel(size)
model.summary()
await model.fit(xTrain, yTrain, { batchSize: 32, epochs })
const score = scores(await model.evaluate(xTest, yTest, { batchSize: 32 }))
console.log(`Test loss ${score[0]!.toFixed(4)} (${Math.log(10).toFixed(4)} is guessing among ten classes)`)
