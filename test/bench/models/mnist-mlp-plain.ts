/** mnist-mlp without dropout: its losses can be compared with those of peers. */
import { Dense, RMSprop, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(512, { activation: 'relu', inputShape: [784] }))
model.add(Dense(512, { activation: 'relu' }))
model.add(Dense(10, { activation: 'softmax' }))
model.compile({ loss: 'categorical_crossentropy', optimizer: RMSprop() })

export default model
