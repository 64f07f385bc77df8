/** What a function is given: inputs of its signature, variables of the module. */
import type { Attrs, Node } from '../ir/graph.js'
import { stringAttr } from './attrs.js'
import { defineOp } from './define-op.js'
import { typeRules } from './type-rules.js'

/** The interpreter binds leaves by name before it would evaluate them. */
const unbound = (attrs: Attrs): never => { throw new RangeError(`no value bound for "${stringAttr(attrs, 'name')}"`) }

const rejects = [
  { inputs: [], attrs: { name: 'x', dtype: 'float32' }, message: /Expected attribute "shape" to be a shape/ },
  { inputs: [], attrs: { dtype: 'float32', shape: [] }, message: /Expected attribute "name" to be a string/ },
  { inputs: [], attrs: { name: 'x', dtype: 'complex', shape: [] }, message: /Expected attribute "dtype"/ },
] as const

export const input = defineOp({
  name: 'input', doc: 'The argument `name` of the function.', arity: 0,
  infer: typeRules.input,
  gradient: { none: 'it has no inputs' },
  lowering: { kind: 'leaf', holds: 'input' },
  evaluate: (_, { attrs }) => unbound(attrs),
  simplify: null, commutative: false, cost: 'free',
  samples: [{ inputs: [], attrs: { name: 'x', dtype: 'float32', shape: [17] } }],
  rejects,
})

export const variable = defineOp({
  name: 'variable', doc: 'The value that variable `name` has at the start of the call; its shape is all numbers.', arity: 0,
  infer: typeRules.variable,
  gradient: { none: 'it has no inputs' },
  lowering: { kind: 'leaf', holds: 'variable' },
  evaluate: (_, { attrs }) => unbound(attrs),
  simplify: null, commutative: false, cost: 'free',
  samples: [{ inputs: [], attrs: { name: 'w', dtype: 'float32', shape: [3, 4] } }],
  rejects: [...rejects, { inputs: [], attrs: { name: 'w', dtype: 'float32', shape: [{ terms: [{ coefficient: 1, factors: ['B'] }] }] }, message: /expected a shape of numbers, found float32\[B\]/ }],
})

/** The name by which the caller binds a leaf. */
export const leafName = (node: Node): string => stringAttr(node.attrs, 'name')
