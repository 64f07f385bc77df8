/** A binary classifier, 100-32-1, without metrics: peers compute none either. */
import { Dense, RMSprop, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(32, { activation: 'relu', inputDim: 100 }))
model.add(Dense(1, { activation: 'sigmoid' }))
model.compile({ loss: 'binary_crossentropy', optimizer: RMSprop() })

export default model
