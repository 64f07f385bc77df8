/** The denoising autoencoder of the Keras examples as one model, on digits of 28 × 28. */
import { Activation, Adam, Conv2D, Conv2DTranspose, Dense, Flatten, Input, Model, Reshape } from 'kcc'

const filters = [32, 64]
const inputs = Input({ shape: [28, 28, 1] })
let x = inputs
for (const count of filters) x = Conv2D(count, 3, { strides: 2, activation: 'relu', padding: 'same' })(x)
x = Dense(16)(Flatten()(x))
x = Reshape([7, 7, 64])(Dense(7 * 7 * 64)(x))
for (const count of [...filters].reverse()) x = Conv2DTranspose(count, 3, { strides: 2, activation: 'relu', padding: 'same' })(x)
const outputs = Activation('sigmoid')(Conv2DTranspose(1, 3, { padding: 'same' })(x))

const model = Model({ inputs, outputs })
model.compile({ loss: 'mse', optimizer: Adam() })

export default model
