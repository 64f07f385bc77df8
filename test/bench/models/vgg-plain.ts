/** vgg without dropout: its losses can be compared with those of peers. */
import { makeModel } from './vgg.js'

export default makeModel(false)
