/** The Keras example as a script: `kcc run examples/mnist-mlp/train.ts [epochs]`. 98.4 % after 20 epochs of MNIST. */
import { loadDigits } from './data.js'
import model from './model.js'

const epochs = Number(process.argv[2] ?? 20)
const { source, xTrain, yTrain, xTest, yTest } = await loadDigits()
console.log(source)
console.log(`${xTrain.shape[0]} train samples`)
console.log(`${xTest.shape[0]} test samples`)

model.summary()

await model.fit(xTrain, yTrain, {
  batchSize: 128,
  epochs,
  verbose: 1,
  validationData: [xTest, yTest],
})
const score = await model.evaluate(xTest, yTest, { verbose: 0 })
const [loss, accuracy] = Array.isArray(score) ? score : [score]
console.log('Test loss:', loss)
console.log('Test accuracy:', accuracy)
