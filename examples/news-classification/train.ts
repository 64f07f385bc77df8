/**
 * News classified by a 1-D convolutional network over word vectors that were trained before and stay as they are:
 * `kcc run examples/news-classification/train.ts [epochs]`
 */
import { fileURLToPath } from 'node:url'
import { Conv1D, Dense, Embedding, Flatten, Input, MaxPooling1D, Model, toCategorical } from 'kcc'
import { readNews } from './news.js'
import { embeddingMatrix, indexWords, readVectors, toSequences } from './words.js'

const epochs = Number(process.argv[2] ?? 8)
const maxSequenceLength = 60, embeddingDim = 16

const { texts, labels, labelNames } = readNews(1000)
console.log(`Found ${texts.length} texts.`)
const wordIndex = indexWords(texts)
console.log(`Found ${wordIndex.size} unique tokens.`)

const rows = toSequences(texts, wordIndex, maxSequenceLength)
const targets = toCategorical([...labels])

const vectors = readVectors(fileURLToPath(new URL('vectors.txt', import.meta.url)))
console.log(`Found ${vectors.size} word vectors.`)
const matrix = embeddingMatrix(wordIndex, vectors, embeddingDim)

const words = Input({ shape: [maxSequenceLength], dtype: 'int32' })
const embedded = Embedding(wordIndex.size + 1, embeddingDim, { weights: [matrix], inputLength: maxSequenceLength, trainable: false })(words)
const first = MaxPooling1D({ poolSize: 2 })(Conv1D(32, 5, { activation: 'relu' })(embedded))
const second = MaxPooling1D({ poolSize: 2 })(Conv1D(32, 5, { activation: 'relu' })(first))
const third = MaxPooling1D({ poolSize: 8 })(Conv1D(32, 5, { activation: 'relu' })(second))
const features = Dense(32, { activation: 'relu' })(Flatten()(third))
const model = Model({ inputs: words, outputs: Dense(labelNames.length, { activation: 'softmax' })(features) })

model.compile({ loss: 'categoricalCrossentropy', optimizer: 'rmsprop', metrics: ['acc'] })
model.summary()
await model.fit(rows, targets, { validationSplit: 0.2, epochs, batchSize: 32, verbose: 2 })

const [text] = readNews(1, 99).texts
const scores = await model.predict(toSequences([text!], wordIndex, maxSequenceLength))
const found = Array.isArray(scores) ? scores[0]! : scores
console.log(`Predicted ${labelNames[found.data.indexOf(Math.max(...found.data))]!}: ${text!.slice(0, 60)}…`)
