/** Recognising the shape of a node in simplifications. */
import { equalShapes } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import type { OpName } from './type-rules.js'

/** The value all elements of a constant have, null for other nodes. */
export const constantOf = (node: Node): number | null =>
  isOp(node, 'constant') && typeof node.attrs.value === 'number' ? node.attrs.value : null

export const isConstant = (node: Node, value: number): boolean => constantOf(node) === value

export const isOp = (node: Node, op: OpName): boolean => node.op === op

/** The only input of a node of op `op`, null for other nodes. */
export const argumentOf = (node: Node, op: OpName): Node | null => (isOp(node, op) ? node.inputs[0] ?? null : null)

/** Both operands of a node of op `op`, null for other nodes. */
export function operandsOf(node: Node, op: OpName): readonly [Node, Node] | null {
  const [a, b] = node.inputs
  return isOp(node, op) && a && b ? [a, b] : null
}

/** `x` and `c` of `op(x, c)` with a constant second operand, where simplification puts constants. */
export function withConstant(node: Node, op: OpName): { readonly x: Node; readonly c: number } | null {
  const operands = operandsOf(node, op)
  const c = operands ? constantOf(operands[1]) : null
  return operands && c !== null ? { x: operands[0], c } : null
}

/** A node that is `scale` where the condition holds, else 0: a dropout or activation mask. */
export type Mask = { readonly condition: Node; readonly scale: number }

export function maskOf(node: Node): Mask | null {
  const cast = argumentOf(node, 'cast')
  if (cast?.type.dtype === 'bool') return { condition: cast, scale: 1 }
  const [condition, a, b] = node.inputs
  if (!isOp(node, 'select') || !condition || !a || !b || !isConstant(b, 0)) return null
  const scale = constantOf(a)
  return scale !== null && Number.isFinite(scale) ? { condition, scale } : null
}

/** The same value: the same node, or constants of one value and type. */
export const sameValue = (a: Node, b: Node): boolean =>
  a === b || (constantOf(a) !== null && Object.is(constantOf(a), constantOf(b)) && a.type.dtype === b.type.dtype && equalShapes(a.type.shape, b.type.shape))

/** Whether a product or quotient of constants may be computed ahead: it neither overflows nor loses digits in float32. */
export const isTame = (c: number): boolean => Number.isFinite(c) && Math.abs(c) > 1e-30 && Math.abs(c) < 1e30

/** Whether multiplying by 1/c is exactly dividing by c. */
export const isPowerOfTwo = (c: number): boolean => isTame(c) && Number.isInteger(Math.log2(Math.abs(c)))
