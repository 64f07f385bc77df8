/** Contractions: matmul. */
import type { Attrs, Node } from '../ir/graph.js'
import { flagAttr } from './attrs.js'
import * as b from './build.js'
import { defineOp, type EvaluateContext, type Sample, type Tensor } from './define-op.js'
import { argumentOf } from './patterns.js'
import { f32, i32 } from './samples.js'
import { typeRules } from './type-rules.js'

const transposed = (attrs: Attrs): { lhs: boolean; rhs: boolean } => ({ lhs: flagAttr(attrs, 'transposeA'), rhs: flagAttr(attrs, 'transposeB') })

/** Both gradients are matmuls again, with transposes taken by the operands: X·W gives dY·Wᵀ and Xᵀ·dY. */
function matmulGradient(node: Node, g: Node): [Node, Node] {
  const [x, w] = node.inputs as [Node, Node]
  const { lhs, rhs } = transposed(node.attrs)
  return [
    lhs ? b.matmul(w, g, { transposeA: rhs, transposeB: true }) : b.matmul(g, w, { transposeB: !rhs }),
    rhs ? b.matmul(g, x, { transposeA: true, transposeB: lhs }) : b.matmul(x, g, { transposeA: !lhs }),
  ]
}

function evaluateMatmul([x, w]: readonly Tensor[], { attrs, shape }: EvaluateContext): Float64Array {
  const { lhs, rhs } = transposed(attrs)
  const [m, n] = shape as [number, number]
  const k = x!.shape[lhs ? 0 : 1]!
  const [xRow, xCol] = lhs ? [1, m] : [k, 1]
  const [wRow, wCol] = rhs ? [1, k] : [n, 1]
  const out = new Float64Array(m * n)
  for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) {
    const left = x!.data[i * xRow + p * xCol]!
    for (let j = 0; j < n; j++) out[i * n + j]! += left * w!.data[p * wRow + j * wCol]!
  }
  return out
}

/** A transposed operand is read as it is. */
function absorbTranspose(node: Node): Node | null {
  const [x, w] = node.inputs as [Node, Node]
  const { lhs, rhs } = transposed(node.attrs)
  const left = argumentOf(x, 'transpose'), right = argumentOf(w, 'transpose')
  if (!left && !right) return null
  return b.matmul(left ?? x, right ?? w, { transposeA: left ? !lhs : lhs, transposeB: right ? !rhs : rhs })
}

/** One product in each of the four layouts. */
function layouts(m: number, n: number, k: number): Sample[] {
  return [false, true].flatMap((transposeA) => [false, true].map((transposeB): Sample => ({
    inputs: [transposeA ? f32(k, m) : f32(m, k), transposeB ? f32(n, k) : f32(k, n)],
    attrs: { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }) },
    ulp: 64,
  })))
}

export const matmul = defineOp({
  name: 'matmul',
  doc: 'The matrix product of two rank-2 tensors; with `transposeA` or `transposeB` that operand is read transposed. NaN and infinity spread as products and sums do.',
  arity: 2,
  infer: typeRules.matmul,
  gradient: matmulGradient,
  lowering: { kind: 'contract', transposed: (node) => transposed(node.attrs) },
  evaluate: evaluateMatmul,
  simplify: absorbTranspose,
  commutative: false,
  cost: 'costly',
  samples: [
    ...layouts(3, 5, 4), ...layouts(17, 33, 31), ...layouts(1, 16, 15), ...layouts(15, 1, 33), ...layouts(1, 1, 1),
    ...layouts(0, 3, 4).slice(0, 1), ...layouts(3, 4, 0), ...layouts(64, 47, 65),
  ],
  rejects: [
    { inputs: [f32(2, 3)], message: /expected 2 inputs, found 1/ },
    { inputs: [f32(2, 3), f32(4, 5)], message: /expected equal inner sizes, found \[3\] and \[4\]/ },
    { inputs: [f32(2, 3, 4), f32(4, 5)], message: /expected operands of rank 2, found float32\[2,3,4\]/ },
    { inputs: [i32(2, 3), i32(3, 2)], message: /expected dtype float32 or float64/ },
    { inputs: [f32(2, 3), f32(3, 5)], attrs: { transposeB: true }, message: /expected equal inner sizes/ },
  ],
})
