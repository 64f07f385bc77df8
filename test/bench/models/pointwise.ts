/** Four blocks of gates and switches on every element, 28 pointwise layers and a PReLU: all memory traffic unless it is fused. */
import { Activation, Input, LeakyReLU, Model, PReLU, SGD, average, maximum, multiply, subtract, add } from 'kcc'
import type { KTensor } from 'kcc'

function block(x: KTensor): KTensor {
  const open = multiply([x, Activation('sigmoid')(x)])
  const rest = LeakyReLU({ alpha: 0.1 })(subtract([x, open]))
  return average([add([open, rest]), maximum([x, rest])])
}

const inputs = Input({ shape: [16384] })
const model = Model({ inputs, outputs: PReLU()(block(block(block(block(inputs))))) })
model.compile({ loss: 'mse', optimizer: SGD({ lr: 0.01 }) })

export default model
