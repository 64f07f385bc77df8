/** Tensors made from nothing: constant scalar iota randomUniform dimension. */
import { randomUniform as uniform } from '../../runtime/contract/philox.js'
import { isStatic } from '../ir/dim.js'
import { constExpr, indexExpr, linearIndex } from '../ir/expr.js'
import type { Attrs } from '../ir/graph.js'
import { dimAttr, numberAttr, stringAttr } from './attrs.js'
import { constant as constantOf, dimension as dimensionOf, makeNode } from './build.js'
import { defineOp } from './define-op.js'
import { elementCount, positions } from './strides.js'
import { typeRules } from './type-rules.js'

const noInputs = { none: 'it has no inputs' } as const
const streamOf = (attrs: Attrs): number => numberAttr(attrs, 'stream')
const isAxis = (axis: number) => (_: unknown, i: number): number => Number(i === axis)

export const constant = defineOp({
  name: 'constant', doc: 'The tensor whose elements are all `value`.', arity: 0,
  infer: typeRules.constant,
  gradient: noInputs,
  lowering: { kind: 'generate', expr: (_, node) => constExpr(node.type.dtype, numberAttr(node.attrs, 'value')) },
  evaluate: (_, { attrs, shape }) => new Float64Array(elementCount(shape)).fill(numberAttr(attrs, 'value')),
  reshaped: ({ type, attrs }, shape) => constantOf(numberAttr(attrs, 'value'), { dtype: type.dtype, shape }),
  simplify: null, commutative: false, cost: 'free',
  samples: [
    { inputs: [], attrs: { value: 0.1, dtype: 'float32', shape: [17] } }, { inputs: [], attrs: { value: -3, dtype: 'int32', shape: [3, 5] } },
    { inputs: [], attrs: { value: 1, dtype: 'bool', shape: [33] } }, { inputs: [], attrs: { value: 2, dtype: 'float32', shape: [0] } },
  ],
  rejects: [{ inputs: [], attrs: { dtype: 'float32', shape: [] }, message: /Expected attribute "value" to be a number/ }],
})

export const scalar = defineOp({
  name: 'scalar', doc: 'The run-time scalar `name` of the module: 0-d float32.', arity: 0,
  infer: typeRules.scalar,
  gradient: noInputs,
  lowering: { kind: 'generate', expr: (_, node) => ({ kind: 'scalar', dtype: 'float32', name: stringAttr(node.attrs, 'name') }) },
  evaluate: (_, { attrs }) => { throw new RangeError(`no value bound for the scalar "${stringAttr(attrs, 'name')}"`) },
  simplify: null, commutative: false, cost: 'free',
  samples: [{ inputs: [], attrs: { name: 'lr' } }],
  rejects: [{ inputs: [], attrs: {}, message: /Expected attribute "name" to be a string/ }],
})

export const iota = defineOp({
  name: 'iota', doc: 'Positions along `axis`: element (i0, i1, …) is i_axis.', arity: 0,
  infer: typeRules.iota,
  gradient: noInputs,
  lowering: { kind: 'generate', expr: (index, node) => indexExpr(node.type.dtype, index[numberAttr(node.attrs, 'axis')]!) },
  evaluate: (_, { attrs, shape }) => Float64Array.from(positions(shape, shape.map(isAxis(numberAttr(attrs, 'axis'))))),
  simplify: null, commutative: false, cost: 'free',
  samples: [
    { inputs: [], attrs: { axis: 0, dtype: 'int32', shape: [17] } }, { inputs: [], attrs: { axis: 1, dtype: 'float32', shape: [3, 33] } },
    { inputs: [], attrs: { axis: 0, dtype: 'int32', shape: [16, 3] } }, { inputs: [], attrs: { axis: 0, dtype: 'int32', shape: [0] } },
  ],
  rejects: [
    { inputs: [], attrs: { axis: 1, dtype: 'int32', shape: [3] }, message: /expected an axis from 0 to 0 of shape \[3\], found 1/ },
    { inputs: [], attrs: { axis: 0, dtype: 'bool', shape: [3] }, message: /expected dtype/ },
  ],
})

export const randomUniform = defineOp({
  name: 'randomUniform',
  doc: 'float32 uniform in [0, 1) with 24 bits, from random stream `stream`: the same numbers for the same seed, step and element everywhere.',
  arity: 0,
  infer: typeRules.randomUniform,
  gradient: noInputs,
  lowering: {
    kind: 'generate',
    expr: (index, node) => ({ kind: 'random', dtype: 'float32', stream: streamOf(node.attrs), index: linearIndex(index, node.type.shape) }),
  },
  evaluate: (_, { attrs, shape, seed, step }) =>
    Float64Array.from({ length: elementCount(shape) }, (_value, element) => uniform(seed, streamOf(attrs), step, element)),
  // Numbers are drawn by the place of an element among all.
  reshaped: ({ attrs }, shape) => makeNode('randomUniform', [], { ...attrs, shape }),
  simplify: null, commutative: false, cost: 'cheap',
  samples: [
    { inputs: [], attrs: { stream: 1, shape: [] } }, { inputs: [], attrs: { stream: 2, shape: [65] } }, { inputs: [], attrs: { stream: 3, shape: [7, 33] } },
    { inputs: [], attrs: { stream: 4, shape: [0] } },
  ],
  rejects: [
    { inputs: [], attrs: { stream: -1, shape: [3] }, message: /expected a stream from 0 to 2\^32-1, found -1/ },
    { inputs: [], attrs: { stream: 1 }, message: /Expected attribute "shape"/ },
  ],
})

export const dimension = defineOp({
  name: 'dimension', doc: 'The value of the dimension `dim` as a 0-d float32.', arity: 0,
  infer: typeRules.dimension,
  gradient: noInputs,
  lowering: { kind: 'generate', expr: (_, node) => ({ kind: 'dim', dtype: 'float32', dim: dimAttr(node.attrs, 'dim') }) },
  evaluate: (_, { attrs, size }) => Float64Array.of(size(dimAttr(attrs, 'dim'))),
  simplify: ({ attrs }) => { const dim = dimAttr(attrs, 'dim'); return isStatic(dim) ? dimensionOf(dim) : null },
  commutative: false, cost: 'free',
  samples: [{ inputs: [], attrs: { dim: 12 } }],
  rejects: [{ inputs: [], attrs: {}, message: /Expected attribute "dim" to be a dimension/ }],
})
