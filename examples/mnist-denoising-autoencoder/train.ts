/**
 * Trains the autoencoder to take noise off digits, and writes `corrupted_and_denoised.png`: in each group of three rows
 * the digits, what was made of them, and what the autoencoder makes of that.
 * `kcc run examples/mnist-denoising-autoencoder/train.ts [--epochs 30] [--samples 60000]`
 */
import { writeFile } from 'node:fs/promises'
import { NDArray } from 'kcc'
import { loadImages } from '../digits.js'
import { encodePng } from '../png.js'
import { normal } from '../random.js'
import { first } from '../scores.js'
import { settings } from '../settings.js'
import { autoencoder, decoder, encoder } from './model.js'

const { epochs, samples, rows, columns } = settings({ epochs: 30, samples: 60_000, rows: 10, columns: 30 })
const { train, test } = await loadImages({ train: samples, test: Math.max(rows * columns, Math.round(samples / 6)) })

/** Noise around 0.5 with a deviation of 0.5, as much as there is picture. */
function corrupted(images: NDArray): NDArray {
  const noise = normal(images.shape, { loc: 0.5, scale: 0.5 }).data
  return new NDArray(Float32Array.from(images.data, (pixel, i) => Math.min(1, Math.max(0, pixel + noise[i]!))), images.shape)
}
const noisyTrain = corrupted(train.x), noisyTest = corrupted(test.x)

encoder.summary()
decoder.summary()
autoencoder.summary()

await autoencoder.fit(noisyTrain, train.x, { validationData: [noisyTest, test.x], epochs, batchSize: 128, verbose: 2 })

// Display the first corrupted and denoised images
const count = rows * columns, size = 28, width = columns * size, height = 3 * rows * size
const decoded = first(await autoencoder.predict(noisyTest.rows(0, count)))
const picture = new Uint8Array(width * height)
for (const [row, images] of [test.x, noisyTest, decoded].entries()) {
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * size, top = (3 * Math.floor(i / columns) + row) * size
    for (let p = 0; p < size * size; p++) {
      picture[(top + Math.floor(p / size)) * width + left + (p % size)] = Math.floor(255 * images.data[i * size * size + p]!)
    }
  }
}
await writeFile('corrupted_and_denoised.png', encodePng(picture, width, height))

/** Mean distance of pixels from those of the true digits. */
const error = (images: { readonly data: ArrayLike<number> }): number => {
  const truth = Array.from(test.x.rows(0, count).data)
  return truth.reduce((sum, pixel, i) => sum + Math.abs(pixel - images.data[i]!), 0) / truth.length
}
console.log(`mean error of a pixel: ${error(noisyTest).toFixed(3)} corrupted, ${error(decoded).toFixed(3)} denoised`)
console.log(`written: corrupted_and_denoised.png (${width} x ${height})`)
