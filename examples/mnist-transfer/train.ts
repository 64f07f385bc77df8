/**
 * Transfer learning: a convnet learns the digits 0 to 4, then its features are frozen, its head is replaced, and only
 * the new head learns the digits 5 to 9. `kcc run examples/mnist-transfer/train.ts [--epochs 5] [--samples 60000]`
 */
import { Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Sequential, toCategorical } from 'kcc'
import { loadImages, pick, type Images } from '../digits.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples, filters } = settings({ epochs: 5, samples: 60_000, filters: 32 })
const numClasses = 5
const { train, test } = await loadImages({ train: samples, test: Math.round(samples / 6) })

/** The images of five digits, labelled from 0. */
function fiveDigits({ x, labels }: Images, from: number) {
  const places = labels.flatMap((label, i) => (label >= from && label < from + numClasses ? [i] : []))
  return { x: pick(x, places), y: toCategorical(places.map((place) => labels[place]! - from), numClasses) }
}

// Define two groups of layers: feature (convolutions) and classification (dense)
const featureLayers = [
  Conv2D(filters, 3, { padding: 'valid', inputShape: [28, 28, 1] }),
  Activation('relu'),
  Conv2D(filters, 3),
  Activation('relu'),
  MaxPooling2D({ poolSize: 2 }),
  Dropout(0.25),
  Flatten(),
]
const head = () => [Dense(128), Activation('relu'), Dropout(0.5), Dense(numClasses), Activation('softmax')]

async function trainModel(model: ReturnType<typeof Sequential>, from: number): Promise<void> {
  const own = fiveDigits(train, from), unseen = fiveDigits(test, from)
  model.compile({ loss: 'categorical_crossentropy', optimizer: 'adadelta', metrics: ['accuracy'] })
  const started = performance.now()
  await model.fit(own.x, own.y, { batchSize: 128, epochs, verbose: 2, validationData: [unseen.x, unseen.y] })
  console.log(`Training time: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  const [loss, accuracy] = scores(await model.evaluate(unseen.x, unseen.y, { verbose: 0 }))
  console.log(`Test score: ${loss!.toFixed(4)}, test accuracy: ${accuracy!.toFixed(4)}`)
}

// Train model for 5-digit classification [0..4]
const model = Sequential([...featureLayers, ...head()])
await trainModel(model, 0)

// Freeze feature layers and replace the head
for (const layer of featureLayers) layer.trainable = false
const transferred = Sequential([...featureLayers, ...head()])
transferred.compile({ loss: 'categorical_crossentropy', optimizer: 'adadelta', metrics: ['accuracy'] })
transferred.summary()

// Transfer: train dense layers for new classification task [5..9]
const before = featureLayers.flatMap((layer) => layer.getWeights().map(({ data }) => data.slice()))
await trainModel(transferred, 5)
const after = featureLayers.flatMap((layer) => layer.getWeights())
const changed = after.reduce((count, { data }, i) => count + Array.from(data).filter((value, k) => value !== before[i]![k]).length, 0)
console.log(`weights of the frozen layers that changed: ${changed}`)
