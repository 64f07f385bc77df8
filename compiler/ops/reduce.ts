/** Reductions: sum prod max min over axes, argmax along one. */
import { isStatic, sizeOf, type Dim, type Shape } from '../ir/dim.js'
import type { Attrs, Node, TensorType } from '../ir/graph.js'
import type { ReduceOp } from '../ir/loop.js'
import { integersAttr, numberAttr, tiesAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type EvaluateContext, type Gradient, type OpDefinition, type Reject, type Sample, type Tensor } from './define-op.js'
import { argumentOf, constantOf, isOp } from './patterns.js'
import { f32, i32, u8 } from './samples.js'
import { elementCount, positions, rowMajorStrides } from './strides.js'
import { typeRules } from './type-rules.js'

const axesOf = (attrs: Attrs): readonly number[] => integersAttr(attrs, 'axes')

/** `reduced`, a result over `axes` of a tensor of `shape`, at every position it was combined from. */
const spread = (reduced: Node, shape: Shape, axes: readonly number[]): Node =>
  b.broadcastTo(b.reshape(reduced, shape.map((d, i) => (axes.includes(i) ? 1 : d))), shape)

type Reduction = {
  readonly name: ReduceOp
  /** Cases beside those that all reductions have. */
  readonly samples?: readonly Sample[]
  readonly rejects?: readonly Reject[]
  readonly doc: string
  readonly start: (dtype: TensorType['dtype']) => number
  readonly combine: (a: number, b: number) => number
  readonly gradient: Gradient
  readonly simplify: (node: Node) => Node | null
  readonly range?: readonly [number, number]
}

function evaluateReduction([x]: readonly Tensor[], context: EvaluateContext, reduction: Reduction): Float64Array {
  const axes = axesOf(context.attrs)
  const kept = rowMajorStrides(context.shape)
  let next = 0
  const strides = x!.shape.map((_, i) => (axes.includes(i) ? 0 : kept[next++]!))
  const out = new Float64Array(elementCount(context.shape)).fill(reduction.start(context.dtype))
  positions(x!.shape, strides).forEach((to, from) => { out[to] = reduction.combine(out[to]!, x!.data[from]!) })
  return out
}

function reductionSamples(range: readonly [number, number] | undefined): Sample[] {
  const options = range ? { range, ulp: 64 } : { ulp: 64 }
  const cases: [TensorType, number[]][] = [
    [f32(1), [0]], [f32(3), [0]], [f32(17), [0]], [f32(33), [0]], [f32(16, 31), [1]], [f32(16, 31), [0]], [f32(15, 33), [0, 1]],
    [f32(3, 5, 17), [1]], [f32(3, 5, 17), [0, 2]], [f32(0), [0]], [f32(0, 3), [0]], [f32(3, 0), [1]], [f32(2, 3, 0), [0]], [f32(1, 1), [0]], [i32(17), [0]],
  ]
  return cases.map(([type, axes]) => ({ inputs: [type], attrs: { axes }, ...options }))
}

function defineReduction(reduction: Reduction): OpDefinition {
  const { name, doc, gradient, simplify } = reduction
  return defineOp({
    name, doc, gradient, arity: 1,
    infer: typeRules[name],
    lowering: { kind: 'reduce', op: name, axes: (node) => axesOf(node.attrs) },
    evaluate: (inputs, context) => evaluateReduction(inputs, context, reduction),
    simplify: (node) => simplifyAxes(node) ?? simplify(node),
    sliced: (node, begin, size) => slicedReduction(node, begin, size),
    commutative: false,
    cost: 'costly',
    samples: [...reductionSamples(reduction.range), ...(reduction.samples ?? [])],
    rejects: [
      { inputs: [f32(3), f32(3)], attrs: { axes: [0] }, message: /expected 1 input, found 2/ },
      { inputs: [u8(3)], attrs: { axes: [0] }, message: /expected dtype .*found uint8\[3\]/ },
      { inputs: [f32(3, 4)], attrs: { axes: [2] }, message: /expected an axis from 0 to 1 of shape \[3,4\], found 2/ },
      { inputs: [f32(3, 4)], attrs: { axes: [1, 0] }, message: /expected rising axes without repetition, found \[1,0\]/ },
      { inputs: [f32(3)], attrs: {}, message: /Expected attribute "axes" to be a list of integers/ },
      ...(reduction.rejects ?? []),
    ],
  })
}

/** Nothing to combine over: another shape. Twice the same reduction: one over the axes of both. */
function simplifyAxes(node: Node): Node | null {
  const x = node.inputs[0]!
  const axes = axesOf(node.attrs)
  if (axes.every((a) => x.type.shape[a] === 1)) return b.reshape(x, node.type.shape)
  if (x.op !== node.op) return null
  const inner = axesOf(x.attrs)
  const left = x.inputs[0]!.type.shape.map((_, i) => i).filter((i) => !inner.includes(i))
  const all = [...inner, ...axes.map((a) => left[a]!)].sort((p, q) => p - q)
  return b.makeNode(reduceName(node), [x.inputs[0]!], { axes: all })
}

/** What is left out needs nothing of the input; along the axes that are combined all is needed. */
function slicedReduction(node: Node, begin: Shape, size: Shape): Node {
  const x = node.inputs[0]!, axes = axesOf(node.attrs)
  const kept = x.type.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const along = (box: Shape, whole: (axis: number) => Dim): Dim[] => x.type.shape.map((_, axis) => (axes.includes(axis) ? whole(axis) : box[kept.indexOf(axis)]!))
  const part = b.slice(x, along(begin, () => 0), along(size, (axis) => x.type.shape[axis]!))
  return b.makeNode(reduceName(node), [part], node.attrs)
}

/** The reduction's own name, as a constructor takes it. */
function reduceName(node: Node): ReduceOp {
  const names: readonly ReduceOp[] = ['sum', 'max', 'min', 'prod']
  return names.find((n) => isOp(node, n))!
}

/** sum(broadcast(x)) = sum(x over its own axes) * number of repetitions; sum of a finite constant = constant * count */
function simplifySum(node: Node): Node | null {
  const x = node.inputs[0]!
  if (node.type.dtype === 'int32') return null
  const value = constantOf(x)
  if (value !== null && Number.isFinite(value)) return times(b.constant(value, node.type), sizeOf(axesOf(node.attrs).map((a) => x.type.shape[a]!)))
  const source = argumentOf(x, 'broadcastTo')
  if (!source) return null
  const { shape } = x.type
  const aligned = b.reshape(source, [...shape.slice(source.type.shape.length).map(() => 1), ...source.type.shape])
  const axes = axesOf(node.attrs).filter((a) => aligned.type.shape[a] === 1 && shape[a] !== 1)
  if (axes.length === 0) return null
  const others = axesOf(node.attrs).filter((a) => !axes.includes(a))
  const summed = b.sum(aligned, others, true)
  const kept = b.reshape(summed, summed.type.shape.filter((_, i) => !axesOf(node.attrs).includes(i)))
  return repeated(b.broadcastTo(kept, node.type.shape), sizeOf(axes.map((a) => shape[a]!)))
}

const times = (x: Node, count: Dim): Node => b.mul(x, b.cast(b.dimension(count), x.type.dtype))

/** x added `count` times: 0 of nothing, also where x is infinite or NaN, as a mean over no samples is. */
function repeated(x: Node, count: Dim): Node {
  if (isStatic(count)) return count === 0 ? b.zerosLike(x) : times(x, count)
  return b.select(b.greater(b.dimension(count), 0), times(x, count), 0)
}

export const sum = defineReduction({
  name: 'sum', doc: 'The sum over `axes`, which are dropped; 0 of nothing; int32 wraps around. NaN when an element is NaN.',
  start: () => 0, combine: (a, x) => a + x,
  gradient: ({ inputs: [x], attrs }, g) => [spread(g, x!.type.shape, axesOf(attrs))],
  simplify: simplifySum,
})

/** Exact also where one element is 0: there the gradient is the product of the others. */
function prodGradient(node: Node, g: Node): [Node] {
  const x = node.inputs[0]!, axes = axesOf(node.attrs)
  const everywhere = (n: Node): Node => spread(n, x.type.shape, axes)
  const isZero = b.equal(x, 0)
  const zeros = everywhere(b.sum(b.cast(isZero, x.type.dtype), axes))
  const nonzero = b.select(isZero, 1, x)
  const others = everywhere(b.prod(nonzero, axes))
  const elsewhere = b.select(b.equal(zeros, 0), b.div(others, nonzero), 0)
  return [b.mul(everywhere(g), b.select(isZero, b.select(b.equal(zeros, 1), others, 0), elsewhere))]
}

export const prod = defineReduction({
  name: 'prod', doc: 'The product over `axes`, which are dropped; 1 of nothing; NaN when an element is NaN.',
  start: () => 1, combine: (a, x) => a * x, range: [0.75, 1.25],
  gradient: prodGradient,
  simplify: () => null,
})

/** 1 where an element attains the extreme, else 0. */
const attaining = (node: Node, x: Node): Node => b.cast(b.equal(x, spread(node, x.type.shape, axesOf(node.attrs))), x.type.dtype)

/** Split equally among the elements that attain the extreme, as in TensorFlow's reductions. */
function extremeGradient(node: Node, g: Node): [Node] {
  const x = node.inputs[0]!, axes = axesOf(node.attrs)
  const attained = attaining(node, x)
  const share = b.div(g, b.sum(attained, axes))
  return [b.mul(attained, spread(share, x.type.shape, axes))]
}

/** For each of the elements that `axes` combine: how many come before it in row-major order. */
function ordinals(shape: Shape, axes: readonly number[]): Node {
  const within = (i: number): Node => b.cast(b.dimension(sizeOf(axes.slice(i + 1).map((a) => shape[a]!))), 'int32')
  const along = axes.map((axis, i) => b.mul(b.iota(shape, axis, 'int32'), within(i)))
  return along.reduce((sum, part) => b.add(sum, part))
}

/** All of it to the first element that attains the extreme: a position for each result, which depends on nothing differentiable. */
function firstGradient(node: Node, g: Node): [Node] {
  const x = node.inputs[0]!, axes = axesOf(node.attrs), { shape } = x.type
  const at = ordinals(shape, axes)
  const first = b.min(b.select(b.equal(x, spread(node, shape, axes)), at, largestOf('int32')), axes)
  return [b.select(b.equal(at, spread(first, shape, axes)), spread(g, shape, axes), 0)]
}

function maxGradient(node: Node, g: Node): [Node] {
  const x = node.inputs[0]!
  switch (tiesAttr(node.attrs)) {
    case 'shared': return extremeGradient(node, g)
    case 'first': return firstGradient(node, g)
    case 'every': return [b.mul(attaining(node, x), spread(g, x.type.shape, axesOf(node.attrs)))]
  }
}

const leastOf = (dtype: TensorType['dtype']): number => (dtype === 'int32' ? -(2 ** 31) : -Infinity)
const largestOf = (dtype: TensorType['dtype']): number => (dtype === 'int32' ? 2 ** 31 - 1 : Infinity)

export const max = defineReduction({
  name: 'max', doc: 'The largest element over `axes`, which are dropped; NaN when an element is NaN; -Infinity (the least int32) of nothing. The gradient is split equally among ties; with `ties` "first" the first of them in row-major order has all of it, with "every" each one has.',
  start: leastOf, combine: Math.max, gradient: maxGradient,
  // Only the gradient depends on it, and gradients have been taken.
  simplify: (node) => (tiesAttr(node.attrs) === 'shared' ? null : b.max(node.inputs[0]!, axesOf(node.attrs))),
  samples: [
    { inputs: [f32(3, 17)], attrs: { axes: [1], ties: 'first' } }, { inputs: [f32(2, 3, 3, 5)], attrs: { axes: [1, 2], ties: 'first' } }, { inputs: [f32(0, 3)], attrs: { axes: [0], ties: 'first' } },
    { inputs: [f32(3, 2, 5)], attrs: { axes: [0, 1], ties: 'every' } },
  ],
  rejects: [{ inputs: [f32(3)], attrs: { axes: [0], ties: 'last' }, message: /Expected attribute "ties" to be one of shared, first, every, found "last"/ }],
})

export const min = defineReduction({
  name: 'min', doc: 'The smallest element over `axes`, which are dropped; NaN when an element is NaN; Infinity (the largest int32) of nothing. The gradient is split equally among ties.',
  start: largestOf, combine: Math.min, gradient: extremeGradient, simplify: () => null,
})

function evaluateArgmax([x]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const axis = numberAttr(attrs, 'axis')
  const strides = rowMajorStrides(x!.shape)
  const starts = positions(shape, strides.filter((_, i) => i !== axis))
  return Float64Array.from(starts, (start) => {
    let best = -Infinity, at = 0
    for (let k = 0; k < x!.shape[axis]!; k++) {
      const value = x!.data[start + k * strides[axis]!]!
      if (value > best) { best = value; at = k }
    }
    return at
  })
}

export const argmax = defineOp({
  name: 'argmax',
  doc: 'int32 position of the first largest element along `axis`, which is dropped. NaNs and -Infinity are passed over; 0 when nothing else is there.',
  arity: 1,
  infer: typeRules.argmax,
  gradient: { none: 'a position has no gradient' },
  lowering: { kind: 'argmax', axis: (node) => numberAttr(node.attrs, 'axis') },
  evaluate: evaluateArgmax,
  simplify: null,
  commutative: false,
  cost: 'costly',
  samples: [
    { inputs: [f32(1)], attrs: { axis: 0 } }, { inputs: [f32(33)], attrs: { axis: 0 } }, { inputs: [f32(16, 10)], attrs: { axis: 1 } },
    { inputs: [f32(17, 31)], attrs: { axis: 1 } }, { inputs: [f32(17, 31)], attrs: { axis: 0 } }, { inputs: [f32(0, 3)], attrs: { axis: 1 } },
    { inputs: [f32(3, 5, 7)], attrs: { axis: 1 } }, { inputs: [i32(4, 9)], attrs: { axis: 1 }, range: [-3, 3] },
  ],
  rejects: [
    { inputs: [f32(3)], attrs: { axis: 1 }, message: /expected an axis from 0 to 0 of shape \[3\], found 1/ },
    { inputs: [u8(3)], attrs: { axis: 0 }, message: /expected dtype/ },
  ],
})
