/**
 * A residual connection on a convolution layer: the layer has to learn only the difference between what goes in and
 * what is wanted, here a blurred picture. `kcc run examples/residual/train.ts [--size 256]`
 * Source: He et al., Deep Residual Learning for Image Recognition, http://arxiv.org/abs/1512.03385
 */
import { Conv2D, Input, Model, NDArray, add } from 'kcc'
import { random } from '../random.js'
import { first } from '../scores.js'
import { settings } from '../settings.js'

const { epochs, samples, size } = settings({ epochs: 20, samples: 16, size: 256 })

// input tensor for a 3-channel 256x256 image
const x = Input({ shape: [size, size, 3] })
// 3x3 conv with 3 output channels (same as input channels)
const y = Conv2D(3, [3, 3], { padding: 'same' })(x)
// this returns x + y.
const z = add([x, y])

const model = Model({ inputs: x, outputs: z })
model.compile({ optimizer: 'adam', loss: 'mse' })
model.summary()

/** Each pixel the mean of itself and its neighbour to the right. */
function blurred(images: NDArray): NDArray {
  const { data, shape } = images
  const wide = (i: number): number => ((Math.floor(i / 3) % size) + 1 < size ? data[i + 3]! : 0)
  return new NDArray(Float32Array.from(data, (value, i) => (value + wide(i)) / 2), shape)
}

const images = random([samples, size, size, 3])
await model.fit(images, blurred(images), { epochs, batchSize: 4, verbose: 2 })

// What the convolution adds to the picture:
const branch = Model({ inputs: x, outputs: y })
const one = images.rows(0, 1)
const [sum, difference] = [first(await model.predict(one)), first(await branch.predict(one))]
const largest = Math.max(...Array.from({ length: 3 * size }, (_, i) => Math.abs(sum.data[i]! - one.data[i]! - difference.data[i]!)))
console.log(`output less input is the convolution: largest difference in the first row ${largest.toExponential(1)}`)
