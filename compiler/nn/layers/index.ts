/** All layers by name. Importing this makes them known to configurations. */
export { Activation, Dropout, Flatten, Reshape } from './core.js'
export { Dense } from './dense.js'
export { Input, InputLayer } from './input.js'
export { Add, add, Concatenate, concatenate } from './merge.js'
