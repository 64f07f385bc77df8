/** A Sequential model from a list and by `add`, and the ways to say what goes in: `kcc run examples/sequential/construct.ts` */
import { Activation, Dense, Sequential } from 'kcc'

const fromList = Sequential([
  Dense(32, { inputShape: [784] }),
  Activation('relu'),
  Dense(10),
  Activation('softmax'),
])
fromList.summary()

const byAdd = Sequential()
byAdd.add(Dense(32, { inputDim: 784 }))
byAdd.add(Activation('relu'))
console.log('layers:', byAdd.layers.map((layer) => layer.name).join(', '))
byAdd.pop()
console.log('after pop:', byAdd.layers.map((layer) => layer.name).join(', '))

// These are equivalent.
const ways = {
  inputShape: Sequential([Dense(32, { inputShape: [784] })]),
  inputDim: Sequential([Dense(32, { inputDim: 784 })]),
  batchInputShape: Sequential([Dense(32, { batchInputShape: [null, 784] })]),
}
for (const [way, model] of Object.entries(ways)) console.log(`${way}:`, model.inputShape, '->', model.outputShape)

// With a batch size, every batch has exactly that many samples.
const fixed = Sequential([Dense(8, { batchSize: 32, inputShape: [6, 8] })])
console.log('batchSize 32 and inputShape [6, 8]:', fixed.inputShape, '->', fixed.outputShape)
