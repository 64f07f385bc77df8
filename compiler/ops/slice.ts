/** Parts of a tensor. */
import { addDims, dimText, equalDims, equalShapes, isStatic, multiplyDims, subtractDims, type Dim, type Shape } from '../ir/dim.js'
import { shiftIndex } from '../ir/expr.js'
import type { Attrs, Node } from '../ir/graph.js'
import type { Index } from '../ir/loop.js'
import { integersAttr, numberAttr, shapeAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type Demand } from './define-op.js'
import { argumentOf, constantOf } from './patterns.js'
import { f32 } from './samples.js'
import { gather, positions, rowMajorStrides } from './strides.js'
import { typeRules, windowReach } from './type-rules.js'

const beginOf = (attrs: Attrs): Shape => shapeAttr(attrs, 'begin')

/** The box lies inside. */
const sliceDemands = ({ inputs: [x], attrs, type }: Node): Demand[] => x!.type.shape.flatMap((d, i) => {
  const begin = beginOf(attrs)[i]!, end = addDims(begin, type.shape[i]!)
  return [{ room: begin, what: `a part from ${dimText(begin)} on` }, { room: type.shape[i]!, what: `a part of ${dimText(type.shape[i]!)} elements` }, { room: subtractDims(d, end), what: `a part up to ${dimText(end)}` }]
})

function sliceGradient(node: Node, g: Node): [Node] {
  const begin = beginOf(node.attrs)
  const whole = node.inputs[0]!.type.shape
  const after = whole.map((d, i) => subtractDims(d, addDims(begin[i]!, node.type.shape[i]!)))
  return [b.pad(g, begin, after)]
}

function sliceOfConstant(node: Node): Node | null {
  const value = constantOf(node.inputs[0]!)
  return value === null ? null : b.constant(value, node.type)
}

/** Less of a border, or of what is inside it; where the slice is all border, or sizes do not tell, it stays. */
function sliceOfBorder({ inputs: [padded], attrs, type }: Node): Node | null {
  const inner = argumentOf(padded!, 'pad')
  if (!inner) return null
  const [before, after] = [shapeAttr(padded!.attrs, 'before'), shapeAttr(padded!.attrs, 'after')]
  // What the slice leaves out at either end, less what the border has there.
  const first = beginOf(attrs).map((d, i) => subtractDims(d, before[i]!))
  const last = padded!.type.shape.map((d, i) => subtractDims(subtractDims(d, addDims(beginOf(attrs)[i]!, type.shape[i]!)), after[i]!))
  if (![...first, ...last].every(isStatic)) return null
  const [cutFirst, cutLast] = [first, last].map((cuts) => cuts.map((d) => Math.max(d as number, 0))) as [number[], number[]]
  const left = inner.type.shape.map((d, i) => subtractDims(d, cutFirst[i]! + cutLast[i]!))
  if (left.some((d) => isStatic(d) && d <= 0)) return null
  const rest = (cuts: readonly Dim[]): number[] => cuts.map((d) => Math.max(-(d as number), 0))
  return b.pad(b.slice(inner, cutFirst, left), rest(first), rest(last), numberAttr(padded!.attrs, 'value'))
}

/** Fewer windows are the windows of less; places inside windows are not left out. */
function sliceOfWindows({ inputs: [windowed], attrs, type }: Node): Node | null {
  const inner = argumentOf(windowed!, 'windows')
  if (!inner) return null
  const [axes, sizes, strides, dilations] = ['axes', 'sizes', 'strides', 'dilations'].map((name) => integersAttr(windowed!.attrs, name)) as [readonly number[], readonly number[], readonly number[], readonly number[]]
  const inside = axes.at(-1)! + 1, places = axes.map((_, i) => inside + i)
  if (places.some((axis) => !equalDims(type.shape[axis]!, windowed!.type.shape[axis]!)) || type.shape.includes(0)) return null
  const outer = (axis: number): number => (axis < inside ? axis : axis + axes.length)
  const strideAt = (axis: number): number => strides[axes.indexOf(axis)] ?? 1
  const begin = inner.type.shape.map((_, axis) => multiplyDims(beginOf(attrs)[outer(axis)]!, strideAt(axis)))
  const size = inner.type.shape.map((_, axis) => {
    const count = type.shape[outer(axis)]!, i = axes.indexOf(axis)
    return i < 0 ? count : addDims(multiplyDims(subtractDims(count, 1), strides[i]!), windowReach(sizes[i]!, dilations[i]!))
  })
  return b.windows(b.slice(inner, begin, size), { axes, sizes, strides, dilations })
}

export const slice = defineOp({
  name: 'slice',
  doc: 'The box of `size` elements of x that starts at `begin`.',
  arity: 1,
  infer: typeRules.slice,
  gradient: sliceGradient,
  lowering: { kind: 'indexMap', map: (index, { attrs }) => index.map((ix: Index, i) => shiftIndex(ix, beginOf(attrs)[i]!)) },
  evaluate: ([x], { attrs, shape, size }) => {
    const own = rowMajorStrides(x!.shape)
    const offset = beginOf(attrs).reduce<number>((sum, d, i) => sum + size(d) * own[i]!, 0)
    return gather(x!.data, positions(shape, own, offset))
  },
  simplify: (node) => {
    const x = node.inputs[0]!
    if (equalShapes(x.type.shape, node.type.shape)) return x
    const inner = argumentOf(x, 'slice')
    if (inner) return b.slice(inner, beginOf(node.attrs).map((d, i) => addDims(d, beginOf(x.attrs)[i]!)), node.type.shape)
    return sliceOfConstant(node) ?? sliceOfBorder(node) ?? sliceOfWindows(node)
  },
  commutative: false,
  cost: 'free',
  demands: sliceDemands,
  samples: [
    { inputs: [f32(17)], attrs: { begin: [3], size: [9] } }, { inputs: [f32(5, 33)], attrs: { begin: [1, 16], size: [3, 17] } },
    { inputs: [f32(5, 6)], attrs: { begin: [0, 2], size: [5, 0] } }, { inputs: [f32(4, 4)], attrs: { begin: [0, 0], size: [4, 4] } },
  ],
  rejects: [
    { inputs: [f32(5)], attrs: { begin: [3], size: [3] }, message: /expected a range inside \[5\], found begin \[3\] and size \[3\]/ },
    { inputs: [f32(5, 5)], attrs: { begin: [0], size: [1] }, message: /expected begin of 2 entries/ },
    { inputs: [f32(5)], attrs: { begin: [-1], size: [2] }, message: /expected a range inside/ },
  ],
})
