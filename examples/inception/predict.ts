/**
 * An inception module: three towers over one image, side by side. `kcc run examples/inception/predict.ts [--size 256]`
 * Source: Szegedy et al., Going Deeper with Convolutions, http://arxiv.org/abs/1409.4842
 */
import { Conv2D, Input, MaxPooling2D, Model, concatenate } from 'kcc'
import { random } from '../random.js'
import { first } from '../scores.js'
import { settings } from '../settings.js'

const { size } = settings({ size: 256 })
const inputImg = Input({ shape: [size, size, 3] })

const tower1 = Conv2D(64, [3, 3], { padding: 'same', activation: 'relu' })(
  Conv2D(64, [1, 1], { padding: 'same', activation: 'relu' })(inputImg))

const tower2 = Conv2D(64, [5, 5], { padding: 'same', activation: 'relu' })(
  Conv2D(64, [1, 1], { padding: 'same', activation: 'relu' })(inputImg))

const tower3 = Conv2D(64, [1, 1], { padding: 'same', activation: 'relu' })(
  MaxPooling2D({ poolSize: [3, 3], strides: [1, 1], padding: 'same' })(inputImg))

// As in the Keras guide the towers come below one another; along axis -1 they would become channels of one picture.
const output = concatenate([tower1, tower2, tower3], { axis: 1 })

const model = Model({ inputs: inputImg, outputs: output })
model.summary()

const result = first(await model.predict(random([2, size, size, 3])))
const values = Array.from(result.data)
console.log(`two images: (${result.shape.join(', ')}), values from ${values.reduce((a, b) => Math.min(a, b)).toFixed(3)} to ${values.reduce((a, b) => Math.max(a, b)).toFixed(3)}`)
