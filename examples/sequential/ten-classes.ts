/** A single input and ten classes, on random data, as in the Keras guide: `kcc run examples/sequential/ten-classes.ts` */
import { Dense, Sequential, toCategorical } from 'kcc'
import { randint, random } from '../random.js'
import { settings } from '../settings.js'

const { epochs, samples } = settings({ epochs: 10, samples: 1000 })

const model = Sequential()
model.add(Dense(32, { activation: 'relu', inputDim: 100 }))
model.add(Dense(10, { activation: 'softmax' }))
model.compile({
  optimizer: 'rmsprop',
  loss: 'categorical_crossentropy',
  metrics: ['accuracy'],
})

const data = random([samples, 100])
const labels = randint(10, [samples, 1])
const oneHotLabels = toCategorical(labels, 10)

await model.fit(data, oneHotLabels, { epochs, batchSize: 32 })
