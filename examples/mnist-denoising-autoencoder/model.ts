/**
 * A denoising autoencoder: encoder, decoder and autoencoder are three models that share their weights, so that the
 * trained encoder can be used on its own. `kcc build examples/mnist-denoising-autoencoder/model.ts`
 */
import { Activation, Conv2D, Conv2DTranspose, Dense, Flatten, Input, K, Model, Reshape } from 'kcc'

const imageSize = 28, kernelSize = 3, latentDim = 16
/** Filters of each layer of the encoder; the decoder has them the other way round. */
const layerFilters = [32, 64]

const inputs = Input({ shape: [imageSize, imageSize, 1], name: 'encoder_input' })
let x = inputs
for (const filters of layerFilters) x = Conv2D(filters, kernelSize, { strides: 2, activation: 'relu', padding: 'same' })(x)

// Shape info needed to build Decoder Model
const [, height, width, channels] = K.intShape(x) as number[]

// Generate the latent vector
const latent = Dense(latentDim, { name: 'latent_vector' })(Flatten()(x))
export const encoder = Model({ inputs, outputs: latent, name: 'encoder' })

const latentInputs = Input({ shape: [latentDim], name: 'decoder_input' })
x = Dense(height! * width! * channels!)(latentInputs)
x = Reshape([height!, width!, channels!])(x)
for (const filters of [...layerFilters].reverse()) x = Conv2DTranspose(filters, kernelSize, { strides: 2, activation: 'relu', padding: 'same' })(x)
x = Conv2DTranspose(1, kernelSize, { padding: 'same' })(x)
const outputs = Activation('sigmoid', { name: 'decoder_output' })(x)
export const decoder = Model({ inputs: latentInputs, outputs, name: 'decoder' })

export const autoencoder = Model({ inputs, outputs: decoder(encoder(inputs)), name: 'autoencoder' })
autoencoder.compile({ loss: 'mse', optimizer: 'adam' })
