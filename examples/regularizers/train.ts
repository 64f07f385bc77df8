/** Penalties on weights and on what a layer gives, and one of one's own: `kcc run examples/regularizers/train.ts` */
import { Adam, Dense, K, NDArray, Sequential, initializers, regularizers } from 'kcc'
import type { KTensor } from 'kcc'
import { normal } from '../random.js'
import { settings } from '../settings.js'

const { passes, samples } = settings({ passes: 40, samples: 1000 })

/** Any function of a weight matrix that returns a contribution to the loss can be a regularizer. */
const l1Reg = (weightMatrix: KTensor): KTensor => K.multiply(0.1, K.sum(K.abs(weightMatrix)))

// Of 64 numbers only the first four matter; the rest is noise, which a network without penalties learns as well.
const x = normal([samples, 64]), noise = normal([samples])
const y = new NDArray(Float32Array.from({ length: samples }, (_, i) => x.at(i, 0) - 2 * x.at(i, 1) + 3 * x.at(i, 2) - x.at(i, 3) + noise.at(i)), [samples, 1])

const start = { inputDim: 64, kernelInitializer: initializers.glorotUniform({ seed: 1 }) }
const variants = {
  plain: Dense(1, start),
  'own l1': Dense(1, { ...start, kernelRegularizer: l1Reg }),
  'l2 and activity l1': Dense(1, { ...start, kernelRegularizer: regularizers.l2(0.1), activityRegularizer: regularizers.l1(0.001) }),
}
for (const [name, layer] of Object.entries(variants)) {
  const model = Sequential([layer])
  model.compile({ optimizer: Adam({ learningRate: 0.02 }), loss: 'mse' })
  const { history } = await model.fit(x, y, { epochs: passes, batchSize: 32, verbose: 0 })
  const weights = Array.from(layer.getWeights()[0]!.data)
  const size = (from: number, to: number): string => (weights.slice(from, to).reduce((sum, w) => sum + Math.abs(w), 0) / (to - from)).toFixed(4)
  console.log(`${name}: loss ${history['loss']![0]!.toFixed(3)} -> ${history['loss']!.at(-1)!.toFixed(3)}, mean size of the 4 weights that matter ${size(0, 4)}, of the others ${size(4, 64)}`)
}
