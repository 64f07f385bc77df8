/** Constructors of all ops: what layers, losses and optimizers are written in. */
export * from './build/leaf.js'
export * from './build/movement.js'
export { makeNode } from './build/node.js'
export * from './build/pointwise.js'
export * from './build/reduce.js'
export { currentProvenance, within } from './provenance.js'
