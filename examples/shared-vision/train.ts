/**
 * One vision model looks at two digits, and a logistic regression says whether they are the same.
 * `kcc run examples/shared-vision/train.ts [--epochs 5] [--samples 6000]`
 */
import { Conv2D, Dense, Flatten, Input, MaxPooling2D, Model, NDArray, concatenate } from 'kcc'
import { createPairs, loadImages, pick, type Images } from '../digits.js'
import { uniform } from '../random.js'
import { scores } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples, filters } = settings({ epochs: 5, samples: 6000, filters: 64 })

// First, define the vision modules
const digitInput = Input({ shape: [27, 27, 1] })
let x = Conv2D(filters, [3, 3])(digitInput)
x = Conv2D(filters, [3, 3])(x)
x = MaxPooling2D({ poolSize: [2, 2] })(x)
const visionModel = Model({ inputs: digitInput, outputs: Flatten()(x) })

// Then define the tell-digits-apart model
const digitA = Input({ shape: [27, 27, 1] }), digitB = Input({ shape: [27, 27, 1] })

// The vision model will be shared, weights and all
const outA = visionModel(digitA), outB = visionModel(digitB)
const out = Dense(1, { activation: 'sigmoid' })(concatenate([outA, outB]))

const classificationModel = Model({ inputs: [digitA, digitB], outputs: out })
classificationModel.compile({ optimizer: 'adam', loss: 'binary_crossentropy', metrics: ['accuracy'] })
classificationModel.summary()

/** Images of 28 × 28 without their last row and column. */
function cropped(images: NDArray): NDArray {
  const pixels = new Float32Array(images.shape[0]! * 27 * 27)
  for (let i = 0; i < pixels.length; i++) pixels[i] = images.data[Math.floor(i / 729) * 784 + Math.floor((i % 729) / 27) * 28 + (i % 27)]!
  return new NDArray(pixels, [images.shape[0]!, 27, 27, 1])
}

function pairsOf({ x: images, labels }: Images): { x: NDArray[]; y: NDArray } {
  const { first, second, same } = createPairs(labels, uniform)
  const small = cropped(images)
  return { x: [pick(small, first), pick(small, second)], y: new NDArray(Float32Array.from(same), [same.length, 1]) }
}

const { train, test } = await loadImages({ train: samples, test: Math.max(200, Math.round(samples / 6)) })
const pairs = pairsOf(train), unseen = pairsOf(test)
await classificationModel.fit(pairs.x, pairs.y, { batchSize: 64, epochs, verbose: 2 })
const [loss, accuracy] = scores(await classificationModel.evaluate(unseen.x, unseen.y, { verbose: 0 }))
console.log(`Same digit or not: test loss ${loss!.toFixed(4)}, test accuracy ${accuracy!.toFixed(4)}`)
