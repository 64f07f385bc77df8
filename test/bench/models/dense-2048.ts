/** Two layers with kernels of 2048 × 2048. */
import { Dense, SGD, Sequential } from 'kcc'

const model = Sequential([Dense(2048, { activation: 'relu', inputShape: [2048] }), Dense(2048)])
model.compile({ loss: 'mse', optimizer: SGD({ lr: 0.01 }) })

export default model
