/** Trains on random data, as the Keras guide does: `kcc run examples/small-mlp/train.ts` */
import model from './model.js'

const data = Float32Array.from({ length: 1000 * 100 }, () => Math.random())
const labels = Int32Array.from({ length: 1000 }, () => Math.floor(Math.random() * 2))

await model.fit(
  { data, shape: [1000, 100] },
  { data: labels, shape: [1000, 1] },
  { epochs: 10, batchSize: 32 },
)
