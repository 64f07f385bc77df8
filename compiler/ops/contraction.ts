/** Contractions: matmul. */
import type { Dim, Shape } from '../ir/dim.js'
import type { Attrs, Node } from '../ir/graph.js'
import { flagAttr, numberAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type ContractAxes, type EvaluateContext, type Sample, type Tensor } from './define-op.js'
import { argumentOf } from './patterns.js'
import { f32, i32 } from './samples.js'
import { elementCount, positions, rowMajorStrides } from './strides.js'
import { typeRules } from './type-rules.js'

/** How many axes of each operand are summed over. */
const innerCount = (attrs: Attrs): number => (attrs['inner'] === undefined ? 1 : numberAttr(attrs, 'inner'))
const transposed = (attrs: Attrs): { lhs: boolean; rhs: boolean } => ({ lhs: flagAttr(attrs, 'transposeA'), rhs: flagAttr(attrs, 'transposeB') })

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

/** The outer axes stand before the inner ones, unless `innerFirst`. */
function axesOf(rank: number, inner: number, innerFirst: boolean): { outer: number[]; inner: number[] } {
  const outer = rank - inner
  return innerFirst ? { outer: range(inner, rank), inner: range(0, inner) } : { outer: range(0, outer), inner: range(outer, rank) }
}

/** Which axes of the operands are rows, columns, and summed over. */
export function contractAxes(ranks: readonly [number, number], attrs: Attrs): ContractAxes {
  const inner = innerCount(attrs), { lhs, rhs } = transposed(attrs)
  return { lhs: axesOf(ranks[0], inner, lhs), rhs: axesOf(ranks[1], inner, !rhs) }
}

const axesAt = ({ inputs: [x, w], attrs }: Node): ContractAxes => contractAxes([x!.type.shape.length, w!.type.shape.length], attrs)

/** Both gradients are matmuls again, with transposes taken by the operands: X·W gives dY·Wᵀ and Xᵀ·dY. */
function matmulGradient(node: Node, g: Node): [Node, Node] {
  const [x, w] = node.inputs as [Node, Node]
  const { lhs, rhs } = transposed(node.attrs), axes = axesAt(node)
  const rows = axes.lhs.outer.length, columns = axes.rhs.outer.length
  return [
    lhs ? b.matmul(w, g, { transposeA: rhs, transposeB: true, inner: columns }) : b.matmul(g, w, { transposeB: !rhs, inner: columns }),
    rhs ? b.matmul(g, x, { transposeA: true, transposeB: lhs, inner: rows }) : b.matmul(x, g, { transposeA: !lhs, inner: rows }),
  ]
}

function evaluateMatmul([x, w]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const axes = contractAxes([x!.shape.length, w!.shape.length], attrs)
  const at = ({ shape }: Tensor, which: readonly number[]): Int32Array => {
    const strides = rowMajorStrides(shape)
    return positions(which.map((a) => shape[a]!), which.map((a) => strides[a]!))
  }
  const [rows, left, right, columns] = [at(x!, axes.lhs.outer), at(x!, axes.lhs.inner), at(w!, axes.rhs.inner), at(w!, axes.rhs.outer)]
  const out = new Float64Array(elementCount(shape))
  for (const [i, row] of rows.entries()) for (const [p, k] of left.entries()) {
    const value = x!.data[row + k]!
    for (const [j, column] of columns.entries()) out[i * columns.length + j]! += value * w!.data[right[p]! + column]!
  }
  return out
}

/** A transposed operand is read as it is. */
function absorbTranspose(node: Node): Node | null {
  const [x, w] = node.inputs as [Node, Node]
  if (x.type.shape.length !== 2 || w.type.shape.length !== 2) return null
  const { lhs, rhs } = transposed(node.attrs)
  const left = argumentOf(x, 'transpose'), right = argumentOf(w, 'transpose')
  if (!left && !right) return null
  return b.matmul(left ?? x, right ?? w, { transposeA: left ? !lhs : lhs, transposeB: right ? !rhs : rhs })
}

/** Rows and columns that are left out need none of their operand. */
function slicedMatmul(node: Node, begin: Shape, size: Shape): Node {
  const [x, w] = node.inputs as [Node, Node], axes = axesAt(node), rows = axes.lhs.outer.length
  const part = (operand: Node, outer: readonly number[], first: number): Node => {
    const along = (box: Shape, whole: (axis: number) => Dim): Dim[] => operand.type.shape.map((_, axis) => (outer.includes(axis) ? box[first + outer.indexOf(axis)]! : whole(axis)))
    return b.slice(operand, along(begin, () => 0), along(size, (axis) => operand.type.shape[axis]!))
  }
  return b.makeNode('matmul', [part(x, axes.lhs.outer, 0), part(w, axes.rhs.outer, rows)], node.attrs)
}

/** Rows that are left out need none of the first operand; of all columns. */
function thinnedMatmul(node: Node, steps: readonly number[], read: (input: Node, steps: readonly number[]) => Node): Node | null {
  const [x, w] = node.inputs as [Node, Node], { lhs: { outer } } = axesAt(node)
  if (steps.slice(outer.length).some((step) => step !== 1)) return null
  return b.makeNode('matmul', [read(x, x.type.shape.map((_, axis) => steps[outer.indexOf(axis)] ?? 1)), w], node.attrs)
}

/** One product in each of the four layouts. */
function layouts(m: number, n: number, k: number): Sample[] {
  return [false, true].flatMap((transposeA) => [false, true].map((transposeB): Sample => ({
    inputs: [transposeA ? f32(k, m) : f32(m, k), transposeB ? f32(n, k) : f32(k, n)],
    attrs: { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }) },
    ulp: 64,
  })))
}

/** Several rows, columns or inner axes, in each of the four layouts. */
function groups(rows: number[], columns: number[], inner: number[]): Sample[] {
  return [false, true].flatMap((transposeA) => [false, true].map((transposeB): Sample => ({
    inputs: [transposeA ? f32(...inner, ...rows) : f32(...rows, ...inner), transposeB ? f32(...columns, ...inner) : f32(...inner, ...columns)],
    attrs: { inner: inner.length, ...(transposeA && { transposeA }), ...(transposeB && { transposeB }) },
    ulp: 64,
  })))
}

export const matmul = defineOp({
  name: 'matmul',
  doc: 'The matrix product over `inner` axes (1 where it is not given): [rows…, inner…] times [inner…, columns…] gives [rows…, columns…]. With `transposeA` the first operand is [inner…, rows…], with `transposeB` the second is [columns…, inner…]. Operands of bfloat16 or TF32 give sums in float32. NaN and infinity spread as products and sums do.',
  arity: 2,
  infer: typeRules.matmul,
  gradient: matmulGradient,
  lowering: { kind: 'contract', axes: axesAt },
  evaluate: evaluateMatmul,
  simplify: absorbTranspose,
  sliced: slicedMatmul,
  thinned: thinnedMatmul,
  commutative: false,
  cost: 'costly',
  samples: [
    ...layouts(3, 5, 4), ...layouts(17, 33, 31), ...layouts(1, 16, 15), ...layouts(15, 1, 33), ...layouts(1, 1, 1),
    ...layouts(0, 3, 4).slice(0, 1), ...layouts(3, 4, 0), ...layouts(64, 47, 65),
    ...groups([2, 3], [17], [4]), ...groups([5], [2, 3, 4], [16]), ...groups([3, 2, 2], [5], [2, 3, 3]), ...groups([2, 1], [1, 16], [1, 7]), ...groups([0, 3], [4], [2, 2]),
    // A run of rank above 2 that is longer than the line of zeros of the kernels: sums of 4160 terms, and as many more roundings.
    { ...groups([3], [17], [65, 64])[0]!, ulp: 512 },
  ],
  rejects: [
    { inputs: [f32(2, 3)], message: /expected 2 inputs, found 1/ },
    { inputs: [f32(2, 3), f32(4, 5)], message: /expected equal inner sizes, found \[3\] and \[4\]/ },
    { inputs: [f32(2), f32(2, 5)], message: /expected operands of rank 2 or more, found float32\[2\]/ },
    { inputs: [f32(2, 3), f32(2, 3)], attrs: { inner: 2 }, message: /expected operands of rank 3 or more/ },
    { inputs: [f32(2, 3), f32(3, 2)], attrs: { inner: 0 }, message: /expected at least one inner axis, found 0/ },
    { inputs: [i32(2, 3), i32(3, 2)], message: /expected dtype float32 or float64/ },
    { inputs: [f32(2, 3), f32(3, 5)], attrs: { transposeB: true }, message: /expected equal inner sizes/ },
  ],
})
