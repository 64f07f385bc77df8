/**
 * A siamese network on pairs of digits: one network looks at both, and the distance of what it makes of them says
 * whether they are the same digit. `kcc run examples/mnist-siamese/train.ts [--epochs 20] [--samples 60000]`
 *
 * Tensors are computed with by operators here, which kcc understands and TypeScript alone does not: see the README.
 * Source of the loss: Hadsell, Chopra, LeCun 2006, http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf
 */
import { Dense, Dropout, Flatten, Input, K, KTensor, Lambda, Model, NDArray, RMSprop } from 'kcc'
import { createPairs, loadImages, pick, type Images } from '../digits.js'
import { uniform } from '../random.js'
import { first } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples } = settings({ epochs: 20, samples: 60_000 })
const { train, test } = await loadImages({ train: samples, test: Math.max(200, Math.round(samples / 6)) })

function euclideanDistance([x, y]: [KTensor, KTensor]): KTensor {
  const sumSquare = K.sum((x - y) ** 2, 1, true)
  return K.sqrt(K.maximum(sumSquare, K.epsilon()))
}

function contrastiveLoss(yTrue: KTensor, yPred: KTensor): KTensor {
  const margin = 1
  const squarePred = yPred ** 2
  const marginSquare = K.maximum(margin - yPred, 0) ** 2
  return K.mean(yTrue * squarePred + (1 - yTrue) * marginSquare)
}

/** Pairs at a distance below 0.5 are taken for the same digit. */
const accuracy = (yTrue: KTensor, yPred: KTensor): KTensor => K.mean(K.equal(yTrue, K.cast(yPred < 0.5, yTrue.dtype)))

/** Base network to be shared (eq. to feature extraction). */
function createBaseNetwork() {
  const input = Input({ shape: [28, 28, 1] })
  let x: KTensor = Flatten()(input)
  x = Dense(128, { activation: 'relu' })(x)
  x = Dropout(0.1)(x)
  x = Dense(128, { activation: 'relu' })(x)
  x = Dropout(0.1)(x)
  x = Dense(128, { activation: 'relu' })(x)
  return Model({ inputs: input, outputs: x })
}

const baseNetwork = createBaseNetwork()
const inputA = Input({ shape: [28, 28, 1] }), inputB = Input({ shape: [28, 28, 1] })
// Because we re-use the same instance `baseNetwork`, its weights are shared across the two branches.
const distance = Lambda(euclideanDistance, { outputShape: [1] })([baseNetwork(inputA), baseNetwork(inputB)])
const model = Model({ inputs: [inputA, inputB], outputs: distance })
model.compile({ loss: contrastiveLoss, optimizer: RMSprop(), metrics: [accuracy] })

function pairsOf({ x, labels }: Images): { x: NDArray[]; y: NDArray } {
  const { first: a, second: b, same } = createPairs(labels, uniform)
  return { x: [pick(x, a), pick(x, b)], y: new NDArray(Float32Array.from(same), [same.length, 1]) }
}
const trainPairs = pairsOf(train), testPairs = pairsOf(test)

await model.fit(trainPairs.x, trainPairs.y, { batchSize: 128, epochs, validationData: [testPairs.x, testPairs.y], verbose: 2 })

/** Share of pairs that the distance puts on the right side of 0.5. */
async function accuracyOn(pairs: { x: NDArray[]; y: NDArray }): Promise<number> {
  const { data } = first(await model.predict(pairs.x))
  return Array.from(pairs.y.data).filter((same, i) => (data[i]! < 0.5) === (same === 1)).length / data.length
}
console.log(`* Accuracy on training set: ${(100 * await accuracyOn(trainPairs)).toFixed(2)}%`)
console.log(`* Accuracy on test set: ${(100 * await accuracyOn(testPairs)).toFixed(2)}%`)
