/** Ops that move elements: reshape stopGradient broadcastTo transpose concat. NaN moves like any value. */
import { alignedAxes } from '../ir/aligned-axes.js'
import { addDims, ceilDivideDims, divideDims, equalDims, equalShapes, isStatic, multiplyDims, sizeOf, type Dim, type Shape } from '../ir/dim.js'
import { constIndex } from '../ir/expr.js'
import type { Attrs, Node } from '../ir/graph.js'
import { integersAttr, numberAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type EvaluateContext, type Tensor } from './define-op.js'
import { argumentOf, constantOf, isOp } from './patterns.js'
import { f32, i32 } from './samples.js'
import { elementCount, gather, positions, rowMajorStrides } from './strides.js'
import { typeRules } from './type-rules.js'

/** A constant moved anywhere is the same constant in the new shape. */
function constantIn(node: Node): Node | null {
  const value = constantOf(node.inputs[0]!)
  return value === null ? null : b.constant(value, node.type)
}

/** A reshape of a broadcast that only adds or drops axes of size 1: the broadcast of such a reshape. */
function reshapeBelowBroadcast(node: Node): Node | null {
  const broadcast = node.inputs[0]!
  const source = argumentOf(broadcast, 'broadcastTo')
  if (!source) return null
  const from = broadcast.type.shape, to = node.type.shape
  const own = [...from.slice(source.type.shape.length).map(() => 1), ...source.type.shape]
  const wide = from.flatMap((d, i) => (d === 1 ? [] : [i]))
  const kept = to.filter((d) => d !== 1)
  if (!equalShapes(kept, wide.map((i) => from[i]!))) return null
  let next = 0
  return b.broadcastTo(b.reshape(source, to.map((d) => (d === 1 ? 1 : own[wide[next++]!]!))), to)
}

/**
 * Where the part lies along one axis of those that were merged or taken apart, and is whole along those inside of it: the
 * same part before the reshape. Else the reshape is taken apart.
 */
function slicedReshape(node: Node, begin: Shape, size: Shape): Node {
  const x = node.inputs[0]!, from = x.type.shape
  const boxes = alignedAxes(from, node.type.shape)?.map(({ from: axes, to }) => partBefore(axes.map((axis) => from[axis]!), to.map((axis) => ({ whole: node.type.shape[axis]!, begin: begin[axis]!, size: size[axis]! }))))
  if (!boxes || !boxes.every((box) => box !== null)) return b.slice(node, begin, size)
  const box = boxes.flat()
  return b.reshape(b.slice(x, box.map((s) => s.begin), box.map((s) => s.size)), size)
}

type Part = { readonly begin: Dim; readonly size: Dim }

/** The part of axes of sizes `from` that is the given part of the axes that hold the same, or null. */
function partBefore(from: Shape, to: readonly (Part & { readonly whole: Dim })[]): Part[] | null {
  const wide = from.map((d, i) => (d === 1 ? -1 : i)).filter((i) => i >= 0)
  const partial = to.filter((axis) => axis.begin !== 0 || !equalDims(axis.size, axis.whole))
  const everything = from.map((d): Part => ({ begin: 0, size: d }))
  if (partial.length === 0) return everything
  const [outer] = wide, before = to.slice(0, to.indexOf(partial[0]!))
  if (outer === undefined || partial.length > 1 || before.some((axis) => axis.whole !== 1)) return null
  // Steps of the outermost axis, in elements of the merged axes; the part begins and ends between two of them.
  const steps = sizeOf(from.slice(outer + 1)), inside = sizeOf(to.slice(before.length + 1).map((axis) => axis.whole))
  const [at, count] = [partial[0]!.begin, partial[0]!.size].map((d) => (steps === 0 ? null : divideDims(multiplyDims(d, inside), steps))) as [Dim | null, Dim | null]
  return at === null || count === null ? null : everything.map((part, i) => (i === outer ? { begin: at, size: count } : part))
}

/** The same elements before a reshape that only adds or drops axes of size 1. */
function thinnedReshape({ inputs: [x], type: { shape } }: Node, steps: readonly number[], read: (input: Node, steps: readonly number[]) => Node): Node | null {
  const wide = steps.filter((_, axis) => shape[axis] !== 1), { shape: from } = x!.type
  if (!equalShapes(from.filter((d) => d !== 1), shape.filter((d) => d !== 1))) return null
  let next = 0
  return b.reshape(read(x!, from.map((d) => (d === 1 ? 1 : wide[next++]!))), shape.map((d, axis) => everyDim(d, steps[axis]!)))
}

/** How many of `d` elements are left when every `step`-th is taken. */
const everyDim = (d: Dim, step: number): Dim => (step === 1 ? d : ceilDivideDims(d, step))

export const reshape = defineOp({
  name: 'reshape',
  doc: 'The same elements in row-major order under `shape`.',
  arity: 1,
  infer: typeRules.reshape,
  gradient: ({ inputs: [x] }, g) => [b.reshape(g, x!.type.shape)],
  lowering: { kind: 'view' },
  evaluate: ([x]) => x!.data.slice(),
  simplify: (node) => {
    const x = node.inputs[0]!
    if (equalShapes(x.type.shape, node.type.shape)) return x
    const inner = argumentOf(x, 'reshape')
    return inner ? b.reshape(inner, node.type.shape) : constantIn(node) ?? reshapeBelowBroadcast(node)
  },
  sliced: slicedReshape,
  thinned: thinnedReshape,
  commutative: false,
  cost: 'free',
  samples: [
    { inputs: [f32(6)], attrs: { shape: [2, 3] } }, { inputs: [f32(4, 1, 33)], attrs: { shape: [4, 33] } }, { inputs: [f32(1)], attrs: { shape: [] } },
    { inputs: [f32(3, 4, 5)], attrs: { shape: [12, 5] } }, { inputs: [f32(0, 3)], attrs: { shape: [3, 0] } }, { inputs: [i32(16)], attrs: { shape: [4, 4] } },
  ],
  rejects: [
    { inputs: [f32(6)], attrs: { shape: [4] }, message: /found \[6\], expected the size of \[4\]/ },
    { inputs: [f32(6)], attrs: { shape: [-2, -3] }, message: /expected sizes from 0 up/ },
    { inputs: [], attrs: { shape: [] }, message: /expected 1 input, found 0/ },
  ],
})

export const stopGradient = defineOp({
  name: 'stopGradient',
  doc: 'x itself, as a constant to differentiation. Simplification removes it, so it runs after differentiation.',
  arity: 1,
  infer: typeRules.stopGradient,
  gradient: { none: 'that is its purpose' },
  lowering: { kind: 'view' },
  evaluate: ([x]) => x!.data.slice(),
  simplify: ({ inputs: [x] }) => x!,
  commutative: false,
  cost: 'free',
  samples: [{ inputs: [f32(17)] }, { inputs: [f32(0)] }],
  rejects: [{ inputs: [], message: /expected 1 input, found 0/ }],
})

/** Axes of `shape` along which `from` is repeated. */
function repeatedAxes(from: Shape, shape: Shape): number[] {
  const skipped = shape.length - from.length
  return shape.flatMap((d, i) => (i < skipped || (from[i - skipped] === 1 && d !== 1) ? [i] : []))
}

/** The gradient of a broadcast: the sum over what was repeated. */
function unbroadcast(g: Node, shape: Shape): Node {
  return b.reshape(b.sum(g, repeatedAxes(shape, g.type.shape)), shape)
}

/** Leading axes of size 1, and any of a single element, make no difference to a broadcast. */
function withoutLeadingOnes(x: Node): Node | null {
  if (x.type.shape.length > 0 && x.type.shape.every((d) => d === 1)) return b.reshape(x, [])
  const inner = argumentOf(x, 'reshape')
  if (!inner) return null
  const extra = x.type.shape.length - inner.type.shape.length
  const added = extra > 0 && x.type.shape.slice(0, extra).every((d) => d === 1) && equalShapes(x.type.shape.slice(extra), inner.type.shape)
  return added ? inner : null
}

export const broadcastTo = defineOp({
  name: 'broadcastTo',
  doc: 'x repeated to `shape` as numpy does: shapes are aligned at the last axis, and axes of size 1 are repeated.',
  arity: 1,
  infer: typeRules.broadcastTo,
  gradient: ({ inputs: [x] }, g) => [unbroadcast(g, x!.type.shape)],
  lowering: {
    kind: 'indexMap',
    map: (index, node) => {
      const from = node.inputs[0]!.type.shape
      return from.map((d, i) => (d === 1 ? constIndex(0) : index[node.type.shape.length - from.length + i]!))
    },
  },
  evaluate: ([x], { shape }) => {
    const own = rowMajorStrides(x!.shape)
    const skipped = shape.length - x!.shape.length
    return gather(x!.data, positions(shape, shape.map((_, i) => (i < skipped || x!.shape[i - skipped] === 1 ? 0 : own[i - skipped]!))))
  },
  simplify: (node) => {
    const x = node.inputs[0]!
    if (equalShapes(x.type.shape, node.type.shape)) return x
    const inner = argumentOf(x, 'broadcastTo') ?? withoutLeadingOnes(x)
    return inner ? b.broadcastTo(inner, node.type.shape) : constantIn(node)
  },
  thinned: ({ inputs: [x], type: { shape } }, steps, read) => {
    const own = steps.slice(shape.length - x!.type.shape.length)
    return b.broadcastTo(read(x!, own.map((step, axis) => (x!.type.shape[axis] === 1 ? 1 : step))), shape.map((d, axis) => everyDim(d, steps[axis]!)))
  },
  commutative: false,
  cost: 'free',
  samples: [
    { inputs: [f32()], attrs: { shape: [17] } }, { inputs: [f32(17)], attrs: { shape: [3, 17] } }, { inputs: [f32(16, 1)], attrs: { shape: [16, 33] } },
    { inputs: [f32(1, 5, 1)], attrs: { shape: [2, 3, 5, 15] } }, { inputs: [f32(1)], attrs: { shape: [0] } }, { inputs: [f32(0)], attrs: { shape: [3, 0] } },
  ],
  rejects: [
    { inputs: [f32(3)], attrs: { shape: [3, 4] }, message: /expected sizes that are 1 or equal those of \[3,4\].*found \[3\]/ },
    { inputs: [f32(2, 3)], attrs: { shape: [3] }, message: /expected sizes that are 1 or equal/ },
  ],
})

const permOf = (attrs: Attrs): readonly number[] => integersAttr(attrs, 'perm')
const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i))

/** Transposing only axes of size 1 leaves the bytes as they are. */
function keepsOrder(x: Node, perm: readonly number[]): boolean {
  const moved = perm.filter((p) => x.type.shape[p] !== 1)
  return moved.every((p, i) => i === 0 || p > moved[i - 1]!)
}

export const transpose = defineOp({
  name: 'transpose',
  doc: 'Axis i of the result is axis `perm[i]` of x.',
  arity: 1,
  infer: typeRules.transpose,
  gradient: ({ attrs }, g) => [b.transpose(g, inverse(permOf(attrs)))],
  lowering: { kind: 'indexMap', map: (index, { attrs }) => inverse(permOf(attrs)).map((i) => index[i]!) },
  evaluate: ([x], { attrs, shape }) => {
    const own = rowMajorStrides(x!.shape)
    return gather(x!.data, positions(shape, permOf(attrs).map((p) => own[p]!)))
  },
  simplify: (node) => {
    const x = node.inputs[0]!, perm = permOf(node.attrs)
    if (keepsOrder(x, perm)) return b.reshape(x, node.type.shape)
    const inner = argumentOf(x, 'transpose')
    return inner ? b.transpose(inner, perm.map((p) => permOf(x.attrs)[p]!)) : constantIn(node)
  },
  commutative: false,
  cost: 'free',
  samples: [
    { inputs: [f32(16, 33)], attrs: { perm: [1, 0] } }, { inputs: [f32(3, 5, 17)], attrs: { perm: [2, 0, 1] } }, { inputs: [f32(3, 1, 5)], attrs: { perm: [1, 0, 2] } },
    { inputs: [f32(0, 3)], attrs: { perm: [1, 0] } }, { inputs: [f32(7)], attrs: { perm: [0] } },
  ],
  rejects: [
    { inputs: [f32(2, 3)], attrs: { perm: [0] }, message: /expected a permutation of 2 entries for shape \[2,3\], found 1/ },
    { inputs: [f32(2, 3)], attrs: { perm: [1, 1] }, message: /expected each axis of \[2,3\] once, found \[1,1\]/ },
  ],
})

const concatAxis = (attrs: Attrs): number => numberAttr(attrs, 'axis')

/** Where each input starts in the result. */
function offsetsOf(node: Node): Shape[] {
  const axis = concatAxis(node.attrs)
  let start: Dim = 0
  return node.inputs.map((x) => {
    const offset = x.type.shape.map((_, i) => (i === axis ? start : 0))
    start = addDims(start, x.type.shape[axis]!)
    return offset
  })
}

function evaluateConcat(inputs: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const axis = concatAxis(attrs)
  const strides = rowMajorStrides(shape)
  const out = new Float64Array(elementCount(shape))
  let start = 0
  for (const x of inputs) {
    positions(x.shape, strides, start * strides[axis]!).forEach((to, from) => { out[to] = x.data[from]! })
    start += x.shape[axis]!
  }
  return out
}

/** Of each input what lies in the box; along the axis of unknown sizes it is taken of the whole. */
function slicedConcat(node: Node, begin: Shape, size: Shape): Node {
  const axis = concatAxis(node.attrs), start = begin[axis]!, count = size[axis]!
  const starts = offsetsOf(node).map((offset) => offset[axis]!)
  const whole = start === 0 && equalDims(count, node.type.shape[axis]!)
  if (!whole && ![start, count, ...starts, ...node.inputs.map((x) => x.type.shape[axis]!)].every(isStatic)) return b.slice(node, begin, size)
  const parts = node.inputs.flatMap((x, i) => {
    const length = x.type.shape[axis]!
    const first = whole ? 0 : Math.max(Number(start) - Number(starts[i]), 0), rest: Dim = whole ? length : Math.min(Number(start) + Number(count) - Number(starts[i]), Number(length)) - first
    const along = (box: Shape, own: Dim): Dim[] => box.map((d, at) => (at === axis ? own : d))
    return isStatic(rest) && rest <= 0 ? [] : [b.slice(x, along(begin, first), along(size, rest))]
  })
  return parts.length === 0 ? b.slice(node, begin, size) : b.concat(parts, axis)
}

/** A concat of concats along the same axis, and of parts without elements. */
function simplifyConcat(node: Node): Node | null {
  const axis = concatAxis(node.attrs)
  if (node.inputs.length === 1) return node.inputs[0]!
  const isNested = (x: Node): boolean => isOp(x, 'concat') && concatAxis(x.attrs) === axis
  const parts = node.inputs.flatMap((x) => (isNested(x) ? x.inputs : [x])).filter((x) => x.type.shape[axis] !== 0)
  const same = parts.length === node.inputs.length && parts.every((p, i) => p === node.inputs[i])
  return same || parts.length === 0 ? null : b.concat(parts, axis)
}

export const concat = defineOp({
  name: 'concat',
  doc: 'The inputs one after the other along `axis`; their other sizes agree.',
  arity: 'any',
  infer: typeRules.concat,
  gradient: (node, g) => offsetsOf(node).map((begin, i) => b.slice(g, begin, node.inputs[i]!.type.shape)),
  lowering: { kind: 'tiles', offsets: offsetsOf },
  evaluate: evaluateConcat,
  simplify: simplifyConcat,
  sliced: slicedConcat,
  commutative: false,
  cost: 'cheap',
  samples: [
    { inputs: [f32(3), f32(14)], attrs: { axis: 0 } }, { inputs: [f32(4, 3), f32(4, 16), f32(4, 1)], attrs: { axis: 1 } },
    { inputs: [f32(2, 3, 4), f32(1, 3, 4)], attrs: { axis: 0 } }, { inputs: [f32(3, 0), f32(3, 5)], attrs: { axis: 1 } }, { inputs: [f32(7)], attrs: { axis: 0 } },
  ],
  rejects: [
    { inputs: [], attrs: { axis: 0 }, message: /expected at least one input, found none/ },
    { inputs: [f32(2, 3), f32(3, 3)], attrs: { axis: 1 }, message: /expected inputs that agree but for axis 1, found float32\[2,3\] and float32\[3,3\]/ },
    { inputs: [f32(2), i32(2)], attrs: { axis: 0 }, message: /expected inputs that agree/ },
    { inputs: [f32(2)], attrs: { axis: 1 }, message: /expected an axis from 0 to 0/ },
  ],
})
