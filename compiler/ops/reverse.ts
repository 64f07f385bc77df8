/** Reading axes backwards. */
import { subtractDims, type Shape } from '../ir/dim.js'
import { scaleIndex, shiftIndex } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import { integersAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp } from './define-op.js'
import { argumentOf, constantOf } from './patterns.js'
import { f32, i32 } from './samples.js'
import { gather, positions, rowMajorStrides } from './strides.js'
import { typeRules } from './type-rules.js'

const axesOf = (node: Node): readonly number[] => integersAttr(node.attrs, 'axes')

/** Axes of size 1 read the same either way; what is reversed twice is as it was. */
function simplifyReverse(node: Node): Node | null {
  const x = node.inputs[0]!, axes = axesOf(node)
  const real = axes.filter((axis) => x.type.shape[axis] !== 1)
  if (real.length < axes.length) return real.length === 0 ? x : b.reverse(x, real)
  const inner = argumentOf(x, 'reverse')
  if (inner && axesOf(x).join() === axes.join()) return inner
  const value = constantOf(x)
  return value === null ? null : b.constant(value, node.type)
}

/** Row-major strides, and where the walk starts, when `axes` are walked from their ends. */
function backwards(shape: readonly number[], axes: readonly number[]): { strides: number[]; start: number } {
  const own = rowMajorStrides(shape)
  const start = axes.reduce((sum, axis) => sum + Math.max(shape[axis]! - 1, 0) * own[axis]!, 0)
  return { strides: own.map((stride, i) => (axes.includes(i) ? -stride : stride)), start }
}

export const reverse = defineOp({
  name: 'reverse',
  doc: 'x with the order of its elements along `axes` reversed.',
  arity: 1,
  infer: typeRules.reverse,
  gradient: (node, g) => [b.reverse(g, axesOf(node))],
  lowering: {
    kind: 'indexMap',
    map: (index, node) => {
      const shape: Shape = node.type.shape, axes = axesOf(node)
      return index.map((ix, i) => (axes.includes(i) ? shiftIndex(scaleIndex(ix, -1), subtractDims(shape[i]!, 1)) : ix))
    },
  },
  evaluate: ([x], { attrs, shape }) => {
    const { strides, start } = backwards(shape, integersAttr(attrs, 'axes'))
    return gather(x!.data, positions(shape, strides, start))
  },
  simplify: simplifyReverse,
  commutative: false,
  cost: 'free',
  samples: [
    { inputs: [f32(17)], attrs: { axes: [0] } }, { inputs: [f32(3, 16)], attrs: { axes: [1] } }, { inputs: [f32(3, 4, 5)], attrs: { axes: [0, 2] } },
    { inputs: [f32(1, 5)], attrs: { axes: [0, 1] } }, { inputs: [f32(0, 3)], attrs: { axes: [0] } }, { inputs: [i32(2, 33)], attrs: { axes: [0, 1] } },
  ],
  rejects: [
    { inputs: [f32(2, 5)], attrs: { axes: [2] }, message: /expected an axis from 0 to 1/ },
    { inputs: [f32(2, 5)], attrs: { axes: [1, 0] }, message: /expected rising axes/ },
  ],
})
