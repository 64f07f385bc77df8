/** Sliding windows, what convolutions and pooling read, and their transpose. */
import { subtractDims } from '../ir/dim.js'
import { addIndex, constIndex, scaleIndex } from '../ir/expr.js'
import type { Attrs, Node } from '../ir/graph.js'
import type { Index } from '../ir/loop.js'
import { integersAttr, shapeAttr } from './attrs.js'
import * as b from './build.js'
import type { WindowSpec } from './construct/windows.js'
import { defineOp, type Demand, type EvaluateContext, type Tensor } from './define-op.js'
import { addWindows } from './add-windows.js'
import { constantOf } from './patterns.js'
import { f32, i32 } from './samples.js'
import { elementCount, gather, positions, rowMajorStrides } from './strides.js'
import { typeRules, windowReach } from './type-rules.js'

const specOf = (attrs: Attrs): WindowSpec => ({
  axes: integersAttr(attrs, 'axes'), sizes: integersAttr(attrs, 'sizes'),
  strides: integersAttr(attrs, 'strides'), dilations: integersAttr(attrs, 'dilations'),
})

/** The first axis inside the windows. */
const firstInside = ({ axes }: WindowSpec): number => (axes.at(-1) ?? -1) + 1

/** Window o holds, at its place k, element o * stride + k * dilation. Axes of size 1 stand at 0. */
function sourceIndex(index: readonly Index[], node: Node): Index[] {
  const spec = specOf(node.attrs), inside = firstInside(spec)
  const at = (axis: number, factor: number): Index => (node.type.shape[axis] === 1 ? constIndex(0) : scaleIndex(index[axis]!, factor))
  return node.inputs[0]!.type.shape.map((_, axis) => {
    const i = spec.axes.indexOf(axis)
    if (i < 0) return index[axis < inside ? axis : axis + spec.axes.length]!
    return addIndex(at(axis, spec.strides[i]!), at(inside + i, spec.dilations[i]!))
  })
}

function evaluateWindows([x]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const spec = specOf(attrs), inside = firstInside(spec)
  const own = rowMajorStrides(x!.shape)
  const outside = own.map((stride, axis) => stride * (spec.strides[spec.axes.indexOf(axis)] ?? 1))
  const within = spec.axes.map((axis, i) => own[axis]! * spec.dilations[i]!)
  return gather(x!.data, positions(shape, [...outside.slice(0, inside), ...within, ...outside.slice(inside)]))
}

/** Windows of one element each, one after the other, are the elements. A window of a constant is constant. */
function simplifyWindows(node: Node): Node | null {
  const { sizes, strides } = specOf(node.attrs)
  if (sizes.every((s) => s === 1) && strides.every((s) => s === 1)) return b.reshape(node.inputs[0]!, node.type.shape)
  const value = constantOf(node.inputs[0]!)
  return value === null ? null : b.constant(value, node.type)
}

/** Fewer windows, further apart; places inside of them are not left out. */
function thinnedWindows({ inputs: [x], attrs }: Node, steps: readonly number[], read: (input: Node, steps: readonly number[]) => Node): Node | null {
  const spec = specOf(attrs), inside = firstInside(spec), within = spec.axes.map((_, i) => inside + i)
  if (within.some((axis) => steps[axis] !== 1)) return null
  const own = steps.filter((_, axis) => !within.includes(axis))
  return b.windows(read(x!, own.map((step, axis) => (spec.axes.includes(axis) ? 1 : step))), { ...spec, strides: spec.strides.map((stride, i) => stride * steps[spec.axes[i]!]!) })
}

/** A window on every axis. */
const windowDemands = ({ inputs: [x], attrs }: Node): Demand[] => {
  const { axes, sizes, dilations } = specOf(attrs)
  return axes.map((axis, i) => {
    const reach = windowReach(sizes[i]!, dilations[i]!)
    return { room: subtractDims(x!.type.shape[axis]!, reach), what: `windows that reach over ${reach} elements` }
  })
}

const attrs = (axes: number[], sizes: number[], strides: number[], dilations: number[]): Attrs => ({ axes, sizes, strides, dilations })

export const windows = defineOp({
  name: 'windows',
  doc: 'All windows over `axes`: each counts windows instead of elements, and axes of the window `sizes` follow the last of them. Element [.., o, .., k, ..] is x at o * stride + k * dilation.',
  arity: 1,
  infer: typeRules.windows,
  gradient: (node, g) => [b.overlapAdd(g, node.inputs[0]!.type.shape, specOf(node.attrs))],
  lowering: { kind: 'indexMap', map: sourceIndex },
  evaluate: evaluateWindows,
  simplify: simplifyWindows,
  thinned: thinnedWindows,
  commutative: false,
  cost: 'free',
  demands: windowDemands,
  samples: [
    { inputs: [f32(17)], attrs: attrs([0], [3], [1], [1]) }, { inputs: [f32(2, 9, 3)], attrs: attrs([1], [3], [2], [1]) },
    { inputs: [f32(2, 6, 5, 3)], attrs: attrs([1, 2], [3, 2], [1, 1], [1, 1]) }, { inputs: [f32(1, 7, 8, 2)], attrs: attrs([1, 2], [2, 3], [2, 3], [1, 1]) },
    { inputs: [f32(2, 7, 9)], attrs: attrs([1, 2], [3, 2], [1, 2], [2, 3]) }, { inputs: [f32(2, 4, 3, 5, 2)], attrs: attrs([1, 2, 3], [2, 1, 3], [1, 2, 1], [1, 1, 2]) },
    { inputs: [f32(2, 3, 7)], attrs: attrs([0, 2], [2, 3], [1, 4], [1, 1]) }, { inputs: [f32(3, 8, 2)], attrs: attrs([1], [2], [5], [1]) },
    { inputs: [f32(3, 5, 2)], attrs: attrs([1], [1], [1], [3]) }, { inputs: [f32(2, 5, 16)], attrs: attrs([1], [1], [2], [1]) },
    { inputs: [f32(2, 4, 2)], attrs: attrs([1], [4], [1], [1]) }, { inputs: [f32(1, 1, 1)], attrs: attrs([1], [1], [1], [1]) },
    { inputs: [f32(0, 5, 2)], attrs: attrs([1], [3], [2], [1]) }, { inputs: [f32(2, 2)], attrs: attrs([1], [2], [3], [1]) },
    { inputs: [i32(2, 6)], attrs: attrs([1], [2], [2], [1]) },
  ],
  rejects: [
    { inputs: [f32(2, 5)], attrs: attrs([1], [3], [1], [3]), message: /expected a window of at most \[5\] elements, found one of 7/ },
    { inputs: [f32(2, 5)], attrs: attrs([1], [0], [1], [1]), message: /expected sizes from 1 up for each of the axes \[1\], found \[0\]/ },
    { inputs: [f32(2, 5)], attrs: attrs([1], [2], [1, 1], [1]), message: /expected strides from 1 up for each of the axes \[1\], found \[1,1\]/ },
    { inputs: [f32(2, 5)], attrs: attrs([1, 0], [2, 2], [1, 1], [1, 1]), message: /expected rising axes/ },
    { inputs: [f32(2, 5)], attrs: attrs([2], [2], [1], [1]), message: /expected an axis from 0 to 1/ },
  ],
})

function evaluateOverlapAdd([g]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const spec = specOf(attrs), inside = firstInside(spec)
  const own = rowMajorStrides(shape)
  const outside = own.map((stride, axis) => stride * (spec.strides[spec.axes.indexOf(axis)] ?? 1))
  const within = spec.axes.map((axis, i) => own[axis]! * spec.dilations[i]!)
  const sums = new Float64Array(elementCount(shape))
  positions(g!.shape, [...outside.slice(0, inside), ...within, ...outside.slice(inside)]).forEach((to, from) => { sums[to]! += g!.data[from]! })
  return sums
}

const over = (shape: number[], ...spec: Parameters<typeof attrs>): Attrs => ({ shape, ...attrs(...spec) })

export const overlapAdd = defineOp({
  name: 'overlapAdd',
  doc: 'The transpose of `windows`: a tensor of `shape` in which every element of every window is added to the place where `windows` reads it; 0 where none does.',
  arity: 1,
  infer: typeRules.overlapAdd,
  gradient: ({ attrs }, g) => [b.windows(g, specOf(attrs))],
  lowering: { kind: 'composed', of: ({ inputs: [g], attrs }) => addWindows(g!, shapeAttr(attrs, 'shape'), specOf(attrs)) },
  evaluate: evaluateOverlapAdd,
  simplify: null,
  commutative: false,
  cost: 'costly',
  samples: [
    { inputs: [f32(15, 3)], attrs: over([17], [0], [3], [1], [1]) }, { inputs: [f32(2, 4, 3, 3)], attrs: over([2, 10, 3], [1], [3], [2], [1]) },
    { inputs: [f32(1, 3, 2, 2, 3, 2)], attrs: over([1, 7, 8, 2], [1, 2], [2, 3], [2, 3], [1, 1]) }, { inputs: [f32(2, 5, 3, 3, 2)], attrs: over([2, 7, 9], [1, 2], [3, 2], [1, 2], [1, 4]) },
    { inputs: [f32(3, 2, 2, 16)], attrs: over([3, 8, 16], [1], [2], [5], [1]) }, { inputs: [f32(0, 2, 3, 2)], attrs: over([0, 5, 2], [1], [3], [2], [1]) },
  ],
  rejects: [
    { inputs: [f32(4, 3)], attrs: over([7], [0], [3], [1], [1]), message: /overlapAdd: expected windows of shape \[5,3\] for a result of \[7\], found \[4,3\]/ },
  ],
})
