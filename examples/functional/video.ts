/**
 * A model is called like a layer, with its weights: first on another input, then, by TimeDistributed, on every frame of a
 * video. `kcc run examples/functional/video.ts`
 */
import { Input, Model, TimeDistributed, toCategorical } from 'kcc'
import { randint, random } from '../random.js'
import { first } from '../scores.js'
import { settings } from '../settings.js'
import { digits } from './model.js'

const { epochs, samples } = settings({ epochs: 3, samples: 500 })
const labels = toCategorical(randint(10, [samples, 1]), 10)
await digits.fit(random([samples, 784]), labels, { epochs, verbose: 2 })

const x = Input({ shape: [784] })
// This works, and returns the 10-way softmax of the trained model.
const y = digits(x)
console.log('called on a tensor:', String(y))

// Input tensor for sequences of 20 timesteps, each containing a 784-dimensional vector
const inputSequences = Input({ shape: [20, 784] })
const processedSequences = TimeDistributed(digits)(inputSequences)
const video = Model({ inputs: inputSequences, outputs: processedSequences })
video.summary()

const frames = random([2, 20, 784])
const ofVideo = first(await video.predict(frames))
const ofImages = first(await digits.predict(frames.reshape([40, 784])))
const difference = Math.max(...Array.from(ofVideo.data, (value, i) => Math.abs(value - ofImages.data[i]!)))
console.log(`two videos: (${ofVideo.shape.join(', ')}); largest difference from its frames one by one: ${difference.toExponential(1)}`)
