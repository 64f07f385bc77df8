/**
 * Accuracy of batch normalisation in compiled training where the mean is a thousand times the deviation: the variance is that of
 * differences from the mean, so that it keeps its digits, which a mean of squares less the square of the mean would not (its
 * terms are 10^6, of which float32 holds sixteenths).
 */
import { expect, it } from 'vitest'
import { BatchNormalization, NDArray, Sequential, SGD, clearSession } from '../../compiler/index.js'

const [batch, size, channels] = [16, 8, 4]
const rows = batch * size * size

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

it('keeps variance and gradients of values far from 0', async () => {
  clearSession()
  const model = Sequential([BatchNormalization({ momentum: 0, inputShape: [size, size, channels] })])
  model.compile({ loss: 'mse', optimizer: SGD({ lr: 1 }) })
  const x = Float32Array.from({ length: rows * channels }, (_, i) => 1000 * (1 + (i % channels)) + 2 * Math.sin(i * i))
  const y = Float32Array.from({ length: rows * channels }, (_, i) => Math.cos(3 * i))
  const shape = [batch, size, size, channels]
  await model.fit(new NDArray(x, shape), new NDArray(y, shape), { batchSize: batch, epochs: 1, verbose: 0 })
  const [gamma, beta, movingMean, movingVariance] = (await model.getWeights()).map((w) => [...w.data])
  for (let c = 0; c < channels; c++) {
    const own = (data: Float32Array): number[] => [...data].filter((_, i) => i % channels === c)
    const values = own(x), targets = own(y), mean = meanOf(values), variance = meanOf(values.map((v) => (v - mean) ** 2))
    const normal = values.map((v) => (v - mean) / Math.sqrt(variance + 1e-3)), error = normal.map((v, i) => 2 * (v - targets[i]!) / (rows * channels))
    // A sum of 1024 values in parts of 64 and in lanes: some tens of roundings of half a unit each.
    expect(Math.abs(movingMean![c]! - mean) / mean).toBeLessThan(2e-6)
    expect(Math.abs(movingVariance![c]! / (variance * rows / (rows - 1) * rows / (rows - 1 - 1e-3)) - 1)).toBeLessThan(1e-4)
    // The error of the mean moves all differences alike: gradients of beta by as much, those of gamma by its square.
    expect(Math.abs(1 - gamma![c]! - error.reduce((sum, e, i) => sum + e * normal[i]!, 0))).toBeLessThan(1e-4)
    expect(Math.abs(-beta![c]! - error.reduce((sum, e) => sum + e, 0))).toBeLessThan(4e-3)
  }
})
