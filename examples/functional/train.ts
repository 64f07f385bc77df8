/** Trains the model with two inputs and two outputs, by dicts of names: `kcc run examples/functional/train.ts` */
import { twoOutputs as model } from './model.js'

const samples = 2000
const main = Float32Array.from({ length: samples * 20 }, () => Math.random() - 0.5)
const extra = Float32Array.from({ length: samples * 5 }, () => Math.random() - 0.5)
const sum = (data: Float32Array, row: number, width: number): number =>
  data.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0)

// The main question needs both inputs, the auxiliary one only the first.
const decision = Float32Array.from({ length: samples }, (_, i) => (sum(main, i, 20) + 2 * sum(extra, i, 5) > 0 ? 1 : 0))
const auxiliary = Float32Array.from({ length: samples }, (_, i) => (sum(main, i, 20) > 0 ? 1 : 0))

const x = { main_input: { data: main, shape: [samples, 20] }, aux_input: { data: extra, shape: [samples, 5] } }
const y = { main_output: { data: decision, shape: [samples, 1] }, aux_output: { data: auxiliary, shape: [samples, 1] } }

model.summary()
await model.fit(x, y, { epochs: 20, batchSize: 32, verbose: 2, validationSplit: 0.1 })

const results = await model.predict({ main_input: main.subarray(0, 20), aux_input: extra.subarray(0, 5) })
const [first] = Array.isArray(results) ? results : [results]
console.log(`predicted ${first!.data[0]!.toFixed(3)}, true ${decision[0]}`)
