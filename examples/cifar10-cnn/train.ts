/**
 * Trains the CIFAR-10 network, without the random changes of the pictures, and saves it.
 * `kcc run examples/cifar10-cnn/train.ts [--epochs 100] [--samples 50000]`
 *
 * With --epochs 5 --samples 10000 (the first batch file; 2,000 test images) it reached an accuracy of 46.5 % on the test
 * images; Keras 3.15 on JAX reached 42.4 % on the same arrays with the same network, optimizer and batch size. One run
 * each: chance alone moves such a figure by about a point.
 */
import { NDArray, datasets, toCategorical } from 'kcc'
import { scores } from '../scores.js'
import { settings } from '../settings.js'
import model from './model.js'

const { epochs, samples } = settings({ epochs: 100, samples: 50_000 })
const numClasses = 10, batchSize = 32

// The data, split between train and test sets:
const data = await datasets.cifar10.loadData()
const count = Math.min(samples, data.xTrain.shape[0]!), testCount = Math.min(samples, data.xTest.shape[0]!)

const scaled = (images: NDArray, n: number): NDArray => new NDArray(Float32Array.from(images.rows(0, n).data, (byte) => byte / 255), [n, ...images.shape.slice(1)])
const xTrain = scaled(data.xTrain, count), xTest = scaled(data.xTest, testCount)
console.log('x_train shape:', xTrain.shape)
console.log(xTrain.shape[0], 'train samples')
console.log(xTest.shape[0], 'test samples')

// Convert class vectors to binary class matrices.
const yTrain = toCategorical(data.yTrain.rows(0, count), numClasses)
const yTest = toCategorical(data.yTest.rows(0, testCount), numClasses)

await model.fit(xTrain, yTrain, { batchSize, epochs, validationData: [xTest, yTest], shuffle: true, verbose: 2 })

// Save model and weights
await model.save('keras_cifar10_trained_model.h5')
console.log('Saved trained model at keras_cifar10_trained_model.h5')

// Score trained model.
const [loss, accuracy] = scores(await model.evaluate(xTest, yTest, { verbose: 0 }))
console.log('Test loss:', loss)
console.log('Test accuracy:', accuracy)
