/** Constructors of all ops: what layers, losses and optimizers are written in. */
export * from './construct/indexing.js'
export * from './construct/leaf.js'
export * from './construct/movement.js'
export { makeNode, remake } from './construct/node.js'
export * from './construct/pointwise.js'
export * from './construct/reduce.js'
export { overlapAdd, windows, type WindowSpec } from './construct/windows.js'
export { currentProvenance, within } from './provenance.js'
