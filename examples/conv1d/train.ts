/**
 * Sequence classification with 1D convolutions. The sequences are noise; in half of them a short pattern is hidden
 * somewhere, and the network is to tell which. `kcc run examples/conv1d/train.ts`
 */
import { Conv1D, Dense, Dropout, GlobalAveragePooling1D, MaxPooling1D, NDArray, Sequential } from 'kcc'
import { normal, randint } from '../random.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples, length } = settings({ epochs: 10, samples: 1000, length: 64 })
const features = 100

/** A wave of eight steps that every feature takes part in. */
const pattern = (step: number, feature: number): number => 2 * Math.sin((step * Math.PI) / 4 + feature)

function sequences(count: number): { x: NDArray; y: NDArray } {
  const x = normal([count, length, features]), y = randint(2, [count, 1]), starts = randint(length - 8, [count])
  for (let i = 0; i < count; i++) {
    if (y.data[i] === 0) continue
    for (let step = 0; step < 8; step++) {
      const row = (i * length + starts.data[i]! + step) * features
      for (let k = 0; k < features; k++) x.data[row + k]! += pattern(step, k)
    }
  }
  return { x, y }
}

const model = Sequential()
model.add(Conv1D(64, 3, { activation: 'relu', inputShape: [length, features] }))
model.add(Conv1D(64, 3, { activation: 'relu' }))
model.add(MaxPooling1D({ poolSize: 3 }))
model.add(Conv1D(128, 3, { activation: 'relu' }))
model.add(Conv1D(128, 3, { activation: 'relu' }))
model.add(GlobalAveragePooling1D())
model.add(Dropout(0.5))
model.add(Dense(1, { activation: 'sigmoid' }))

model.compile({ loss: 'binary_crossentropy', optimizer: 'rmsprop', metrics: ['accuracy'] })

const train = sequences(samples), test = sequences(Math.ceil(samples / 5))
await model.fit(train.x, train.y, { batchSize: 16, epochs, verbose: 2 })
const [loss, accuracy] = scores(await model.evaluate(test.x, test.y, { batchSize: 16, verbose: 0 }))
console.log(`Test loss ${loss!.toFixed(4)}, test accuracy ${accuracy!.toFixed(4)}`)
