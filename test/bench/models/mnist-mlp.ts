/** The mnist-mlp example without metrics: peers compute none either. */
import { Dense, Dropout, RMSprop, Sequential } from 'kcc'

const model = Sequential()
model.add(Dense(512, { activation: 'relu', inputShape: [784] }))
model.add(Dropout(0.2))
model.add(Dense(512, { activation: 'relu' }))
model.add(Dropout(0.2))
model.add(Dense(10, { activation: 'softmax' }))
model.compile({ loss: 'categorical_crossentropy', optimizer: RMSprop() })

export default model
