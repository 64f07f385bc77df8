/**
 * Ops whose positions are computed: gather and, its transpose, scatterAdd. An index outside the axis names nothing: zeros are
 * read from there and nothing is added there, so that the two stay each other's transpose whatever the indices are.
 */
import { isStatic } from '../ir/dim.js'
import { axisIndex } from '../ir/expr.js'
import type { Attrs, Node } from '../ir/graph.js'
import { numberAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, lookedUp, type EvaluateContext, type Sample, type Tensor } from './define-op.js'
import { constantOf, isConstant, isOp } from './patterns.js'
import { bool, f32, i32, u8 } from './samples.js'
import { elementCount } from './strides.js'
import { typeRules } from './type-rules.js'

const axisOf = (attrs: Attrs): number => numberAttr(attrs, 'axis')

/** Elements before, along and after an axis. */
function parts(shape: readonly number[], axis: number): { outer: number; along: number; inner: number } {
  return { outer: elementCount(shape.slice(0, axis)), along: shape[axis]!, inner: elementCount(shape.slice(axis + 1)) }
}

function evaluateGather([table, indices]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const { outer, along, inner } = parts(table!.shape, axisOf(attrs))
  const out = new Float64Array(elementCount(shape)), count = indices!.data.length
  for (let o = 0; o < outer; o++) for (let p = 0; p < count; p++) {
    const at = indices!.data[p]!
    if (at < 0 || at >= along) continue
    for (let i = 0; i < inner; i++) out[(o * count + p) * inner + i] = table!.data[(o * along + at) * inner + i]!
  }
  return out
}

/** A table of zeros gives zeros; one row for all indices is that row repeated. */
function simplifyGather(node: Node): Node | null {
  const [table, indices] = node.inputs as [Node, Node]
  if (isConstant(table, 0)) return b.constant(0, node.type)
  const row = constantOf(indices), axis = axisOf(node.attrs), rows = table.type.shape[axis]!
  if (row === null || !isStatic(rows)) return null
  return row >= 0 && row < rows ? repeatedRow(node, row) : b.constant(0, node.type)
}

function repeatedRow(node: Node, row: number): Node {
  const [table, indices] = node.inputs as [Node, Node]
  const axis = axisOf(node.attrs), { shape } = table.type
  const found = b.slice(table, shape.map((_, i) => (i === axis ? row : 0)), shape.map((d, i) => (i === axis ? 1 : d)))
  const ones = indices.type.shape.map(() => 1)
  return b.broadcastTo(b.reshape(found, [...shape.slice(0, axis), ...ones, ...shape.slice(axis + 1)]), node.type.shape)
}

/** The input that `x` shows unchanged, but for its shape and for what is after the point; null where it is computed. */
function shownInput(x: Node): Node | null {
  if (isOp(x, 'input')) return x
  const [shown] = x.inputs
  const keeps = x.inputs.length === 1 && (isOp(x, 'reshape') || isOp(x, 'transpose') || isOp(x, 'broadcastTo') || isOp(x, 'stopGradient'))
  const cuts = isOp(x, 'cast') && (x.type.dtype === 'int32' || x.type.dtype === 'float32') && shown!.type.dtype !== 'bool'
  return keeps || cuts ? shownInput(shown!) : null
}

function indexedInputs(node: Node): { input: Node; rows: number }[] {
  const [table, indices] = node.inputs as [Node, Node]
  const input = shownInput(indices), rows = table.type.shape[axisOf(node.attrs)]!
  return input && isStatic(rows) ? [{ input, rows }] : []
}

/** Tables and indices around a vector; the range gives repeated indices and some outside on both sides. */
function gatherSamples(): Sample[] {
  const cases: [Sample['inputs'], number][] = [
    [[f32(5, 16), i32(7)], 0], [[f32(5, 17), i32(3, 3)], 0], [[f32(4, 1), i32(5)], 0], [[f32(1, 3), i32(33)], 0], [[f32(5), i32(33)], 0], [[f32(5, 31), i32()], 0],
    [[f32(3, 5), i32(17)], 1], [[f32(3, 5, 15), i32(2, 4)], 1], [[f32(2, 3, 5), i32(16)], 2], [[f32(5, 3), i32(0)], 0], [[f32(5, 0), i32(4)], 0], [[f32(0, 3), i32(2)], 0],
    [[i32(5, 17), i32(3)], 0], [[i32(5), i32(18)], 0], [[bool(5, 17), i32(3)], 0], [[bool(5), i32(18)], 0], [[u8(5, 17), i32(3)], 0], [[u8(3, 5), i32(19)], 1],
  ]
  return cases.map(([inputs, axis]) => ({ inputs, attrs: { axis }, range: [-1, 6], ulp: 16 }))
}

export const gather = defineOp({
  name: 'gather',
  doc: 'The slices of a table along `axis` at int32 indices of any shape, which takes the place of that axis; zeros (false) for an index outside the axis.',
  arity: 2,
  infer: typeRules.gather,
  gradient: ({ inputs: [table, indices], attrs }, g) => [b.scatterAdd(indices!, g, table!.type.shape[axisOf(attrs)]!, axisOf(attrs)), null],
  lowering: {
    kind: 'lookup',
    axis: ({ attrs }) => axisOf(attrs),
    table: (index, { inputs, attrs }) => {
      const axis = axisOf(attrs)
      return [...index.slice(0, axis), axisIndex(lookedUp), ...index.slice(axis + inputs[1]!.type.shape.length)]
    },
    at: (index, { inputs, attrs }) => index.slice(axisOf(attrs), axisOf(attrs) + inputs[1]!.type.shape.length),
  },
  evaluate: evaluateGather,
  simplify: simplifyGather,
  commutative: false,
  cost: 'cheap',
  indices: indexedInputs,
  samples: gatherSamples(),
  rejects: [
    { inputs: [f32(3)], attrs: { axis: 0 }, message: /expected 2 inputs, found 1/ },
    { inputs: [f32(3), f32(2)], attrs: { axis: 0 }, message: /expected indices of dtype int32, found float32\[2\]/ },
    { inputs: [f32(3, 4), i32(2)], attrs: { axis: 2 }, message: /expected an axis from 0 to 1 of shape \[3,4\], found 2/ },
    { inputs: [f32(), i32(2)], attrs: { axis: 0 }, message: /expected a table with an axis, found float32\[\]/ },
    { inputs: [f32(3), i32(2)], attrs: {}, message: /Expected attribute "axis" to be a number/ },
  ],
})

function evaluateScatter([indices, updates]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const { outer, along, inner } = parts(shape, axisOf(attrs))
  const out = new Float64Array(elementCount(shape)), count = indices!.data.length
  for (let o = 0; o < outer; o++) for (let p = 0; p < count; p++) {
    const at = indices!.data[p]!
    if (at < 0 || at >= along) continue
    for (let i = 0; i < inner; i++) out[(o * along + at) * inner + i]! += updates!.data[(o * count + p) * inner + i]!
  }
  return out
}

function scatterSamples(): Sample[] {
  const cases: [Sample['inputs'], number, number][] = [
    [[i32(7), f32(7, 16)], 0, 5], [[i32(33), f32(33, 17)], 0, 5], [[i32(5), f32(5, 1)], 0, 4], [[i32(17), f32(17)], 0, 5], [[i32(3), f32(3, 31)], 0, 1], [[i32(1), f32(1, 3)], 0, 3],
    [[i32(6), f32(3, 6)], 1, 5], [[i32(6), f32(3, 6, 15)], 1, 4], [[i32(9), f32(2, 2, 9)], 2, 6], [[i32(0), f32(0, 3)], 0, 4], [[i32(4), f32(4, 0)], 0, 4], [[i32(4), f32(4, 2)], 0, 0],
    [[i32(9), i32(9, 17)], 0, 5],
  ]
  return cases.map(([inputs, axis, size]) => ({ inputs, attrs: { axis, size }, range: [-1, 6], ulp: 64 }))
}

export const scatterAdd = defineOp({
  name: 'scatterAdd',
  doc: 'Zeros with `size` places along `axis`, to which the slices of the second input along that axis are added in order, each at its own of the rank-1 int32 indices; slices for an index outside are left out. int32 wraps around.',
  arity: 2,
  infer: typeRules.scatterAdd,
  gradient: ({ inputs: [indices], attrs }, g) => [null, b.gather(g, indices!, axisOf(attrs))],
  lowering: { kind: 'collect', axis: ({ attrs }) => axisOf(attrs) },
  evaluate: evaluateScatter,
  simplify: (node) => (isConstant(node.inputs[1]!, 0) || node.inputs[0]!.type.shape[0] === 0 ? b.constant(0, node.type) : null),
  commutative: false,
  cost: 'costly',
  samples: scatterSamples(),
  rejects: [
    { inputs: [i32(3)], attrs: { axis: 0, size: 2 }, message: /expected 2 inputs, found 1/ },
    { inputs: [f32(3), f32(3)], attrs: { axis: 0, size: 2 }, message: /expected indices of dtype int32, found float32\[3\]/ },
    { inputs: [i32(3, 1), f32(3)], attrs: { axis: 0, size: 2 }, message: /expected indices of rank 1, found int32\[3,1\]/ },
    { inputs: [i32(3), f32(4, 2)], attrs: { axis: 0, size: 2 }, message: /expected a slice for each index, found int32\[3\] and float32\[4,2\]/ },
    { inputs: [i32(3), f32(3)], attrs: { axis: 1, size: 2 }, message: /expected an axis from 0 to 0/ },
    { inputs: [i32(3), u8(3)], attrs: { axis: 0, size: 2 }, message: /expected dtype/ },
    { inputs: [i32(3), f32(3)], attrs: { axis: 0, size: -1 }, message: /expected sizes from 0 up, found \[-1\]/ },
  ],
})
