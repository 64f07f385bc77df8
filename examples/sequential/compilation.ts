/** Three problems compiled, and a metric of one's own: `kcc run examples/sequential/compilation.ts` */
import { Dense, K, Sequential } from 'kcc'
import type { KTensor } from 'kcc'
import { randint, random } from '../random.js'
import { settings } from '../settings.js'

const { epochs, samples } = settings({ epochs: 5, samples: 1000 })

// For a multi-class classification problem
const classes = Sequential([Dense(10, { activation: 'softmax', inputDim: 100 })])
classes.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy', metrics: ['accuracy'] })

// For a mean squared error regression problem
const regression = Sequential([Dense(1, { inputDim: 100 })])
regression.compile({ optimizer: 'rmsprop', loss: 'mse' })

// For a binary classification problem, with a custom metric
const meanPred = (_yTrue: KTensor, yPred: KTensor): KTensor => K.mean(yPred)

const binary = Sequential([Dense(32, { activation: 'relu', inputDim: 100 }), Dense(1, { activation: 'sigmoid' })])
binary.compile({ optimizer: 'rmsprop', loss: 'binary_crossentropy', metrics: ['accuracy', meanPred] })

console.log('multi-class:', classes.metricsNames)
console.log('regression:', regression.metricsNames)
console.log('binary:', binary.metricsNames)

const { history } = await binary.fit(random([samples, 100]), randint(2, [samples, 1]), { epochs, batchSize: 32, verbose: 2 })
console.log('mean prediction by epoch:', history['meanPred']?.map((value) => value.toFixed(3)).join(' '))
