/** Borders around a tensor. */
import { addDims, dimText, equalShapes, isStatic, subtractDims, type Dim, type Shape } from '../ir/dim.js'
import { shiftIndex } from '../ir/expr.js'
import type { Attrs, Node } from '../ir/graph.js'
import { numberAttr, shapeAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type Demand, type EvaluateContext, type Tensor } from './define-op.js'
import { argumentOf, constantOf } from './patterns.js'
import { bool, f32, i32 } from './samples.js'
import { positions, rowMajorStrides } from './strides.js'
import { typeRules } from './type-rules.js'

type Border = { readonly before: Shape; readonly after: Shape; readonly value: number }
const borderOf = (attrs: Attrs): Border => ({ before: shapeAttr(attrs, 'before'), after: shapeAttr(attrs, 'after'), value: numberAttr(attrs, 'value') })

function evaluatePad([x]: readonly Tensor[], { attrs, shape, size }: EvaluateContext): Float64Array {
  const { before, value } = borderOf(attrs)
  const own = rowMajorStrides(shape)
  const offset = before.reduce<number>((sum, d, i) => sum + size(d) * own[i]!, 0)
  const out = new Float64Array(shape.reduce((p, d) => p * d, 1)).fill(value)
  positions(x!.shape, own, offset).forEach((to, from) => { out[to] = x!.data[from]! })
  return out
}

/** Nothing around; a constant around its like; two borders of one value. */
function simplifyPad(node: Node): Node | null {
  const x = node.inputs[0]!, { before, after, value } = borderOf(node.attrs)
  if (equalShapes(x.type.shape, node.type.shape)) return x
  if (Object.is(constantOf(x), value)) return b.constant(value, node.type)
  const inner = argumentOf(x, 'pad'), own = inner && borderOf(x.attrs)
  if (!inner || !own || !Object.is(own.value, value)) return null
  const both = (outside: Shape, inside: Shape): Dim[] => outside.map((d, i) => addDims(d, inside[i]!))
  return b.makeNode('pad', [inner], { before: both(before, own.before), after: both(after, own.after), value })
}

/** Constants before and after along each axis in turn. */
function assembled(node: Node): Node {
  const { before, after, value } = borderOf(node.attrs)
  const fill = (at: Node, axis: number, size: Dim): Node[] =>
    (size === 0 ? [] : [b.constant(value, { dtype: at.type.dtype, shape: at.type.shape.map((d, i) => (i === axis ? size : d)) })])
  return node.type.shape.reduce<Node>((at, _, axis) => {
    const parts = [...fill(at, axis, before[axis]!), at, ...fill(at, axis, after[axis]!)]
    return parts.length === 1 ? at : b.concat(parts, axis)
  }, node.inputs[0]!)
}

/** Borders are not negative. */
const padDemands = ({ attrs }: Node): Demand[] => {
  const { before, after } = borderOf(attrs)
  return [...before, ...after].filter((d) => !isStatic(d)).map((room) => ({ room, what: `a border of ${dimText(room)} elements` }))
}

const attrs = (before: number[], after: number[], value = 0): Attrs => ({ before, after, value })

export const pad = defineOp({
  name: 'pad',
  doc: 'x with `before` and `after` elements of `value` around it along each axis.',
  arity: 1,
  infer: typeRules.pad,
  gradient: ({ inputs: [x], attrs }, g) => [b.slice(g, borderOf(attrs).before, x!.type.shape)],
  lowering: {
    kind: 'border',
    inside: (index, { attrs }) => index.map((ix, i) => shiftIndex(ix, subtractDims(0, borderOf(attrs).before[i]!))),
    value: ({ attrs }) => borderOf(attrs).value,
    assembled,
  },
  evaluate: evaluatePad,
  simplify: simplifyPad,
  commutative: false,
  cost: 'free',
  demands: padDemands,
  samples: [
    { inputs: [f32(17)], attrs: attrs([2], [3]) }, { inputs: [f32(3, 16)], attrs: attrs([1, 0], [2, 0]) }, { inputs: [f32(3, 16)], attrs: attrs([1, 2], [0, 15], 1.5) },
    { inputs: [f32(2, 4, 3, 17)], attrs: attrs([0, 1, 2, 0], [0, 1, 0, 0]) }, { inputs: [f32(2, 3, 33)], attrs: attrs([1, 0, 0], [0, 1, 0], -7) },
    { inputs: [f32(0, 3)], attrs: attrs([2, 0], [0, 0]) }, { inputs: [f32(1, 1)], attrs: attrs([0, 0], [0, 0]) }, { inputs: [i32(4, 5)], attrs: attrs([1, 1], [1, 1], 7) }, { inputs: [bool(3, 5)], attrs: attrs([1, 0], [1, 0], 1) },
  ],
  rejects: [
    { inputs: [f32(3, 4)], attrs: attrs([1], [0, 0]), message: /expected before of 2 entries for shape \[3,4\], found 1/ },
    { inputs: [f32(3)], attrs: attrs([-1], [0]), message: /expected borders from 0 up, found before \[-1\] and after \[0\]/ },
  ],
})
