/** cifar10-cnn without dropout: its losses can be compared with those of peers. */
import { makeModel } from './cifar10-cnn.js'

export default makeModel(false)
