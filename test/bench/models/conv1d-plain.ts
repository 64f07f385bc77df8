/** conv1d without dropout: its losses can be compared with those of peers. */
import { makeModel } from './conv1d.js'

export default makeModel(false)
