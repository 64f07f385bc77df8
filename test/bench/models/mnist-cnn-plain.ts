/** mnist-cnn without dropout: its losses can be compared with those of peers. */
import { makeModel } from './mnist-cnn.js'

export default makeModel(false)
