/** The functional API: a densely connected network, and one with two inputs and two outputs. */
import { Dense, Input, Model, concatenate } from 'kcc'

const inputs = Input({ shape: [784] })
const hidden = Dense(64, { activation: 'relu' })(inputs)
const predictions = Dense(10, { activation: 'softmax' })(Dense(64, { activation: 'relu' })(hidden))

export const digits = Model({ inputs, outputs: predictions })
digits.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy', metrics: ['accuracy'] })

const main = Input({ shape: [20], name: 'main_input' })
const features = Dense(32, { activation: 'relu' })(main)
const auxiliary = Dense(1, { activation: 'sigmoid', name: 'aux_output' })(features)

const extra = Input({ shape: [5], name: 'aux_input' })
const joined = Dense(64, { activation: 'relu' })(concatenate([features, extra]))
const decision = Dense(1, { activation: 'sigmoid', name: 'main_output' })(Dense(64, { activation: 'relu' })(joined))

/** The second output helps to train the first half of the network; its loss counts a fifth. */
export const twoOutputs = Model({ inputs: [main, extra], outputs: [decision, auxiliary] })
twoOutputs.compile({
  optimizer: 'rmsprop',
  loss: { main_output: 'binary_crossentropy', aux_output: 'binary_crossentropy' },
  lossWeights: { main_output: 1, aux_output: 0.2 },
})
