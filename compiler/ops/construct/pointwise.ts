/**
 * Constructors of elementwise ops. Operands are broadcast as in numpy, by explicit `broadcastTo` nodes; a number becomes
 * a constant of the other operand's dtype. Dtypes are never changed silently: cast first.
 */
import type { ElementType } from '../../ir/element-type.js'
import type { Shape } from '../../ir/dim.js'
import type { Node } from '../../ir/graph.js'
import { refuse, type OpName } from '../type-rules.js'
import { constant } from './leaf.js'
import { broadcastShapes, broadcastTo } from './movement.js'
import { makeNode } from './node.js'

export type Operand = Node | number

/** A number in `shape`, or the node broadcast to it. */
const lift = (x: Operand, shape: Shape, dtype: ElementType): Node =>
  typeof x === 'number' ? constant(x, { dtype, shape }) : broadcastTo(x, shape)

const isNode = (x: Operand): x is Node => typeof x !== 'number'

/** All operands as nodes of one shape. The dtype of numbers is that of the first node. */
function align(op: string, operands: readonly Operand[], shape: Shape = []): Node[] {
  const nodes = operands.filter(isNode)
  const first = nodes[0]
  if (first === undefined) refuse(`${op}: expected a tensor among the operands, found only the numbers ${operands.join(', ')}.`)
  const common = nodes.reduce<Shape>((s, n) => broadcastShapes(s, n.type.shape), shape)
  return operands.map((x) => lift(x, common, first.type.dtype))
}

const unary = (op: OpName) => (x: Node): Node => makeNode(op, [x])
const binary = (op: OpName) => (a: Operand, b: Operand): Node => makeNode(op, align(op, [a, b]))

export const add = binary('add')
export const sub = binary('sub')
export const mul = binary('mul')
export const div = binary('div')
export const pow = binary('pow')
export const maximum = binary('maximum')
export const minimum = binary('minimum')

export const neg = unary('neg')
export const abs = unary('abs')
export const sign = unary('sign')
export const relu = unary('relu')
export const floor = unary('floor')
export const exp = unary('exp')
export const expm1 = unary('expm1')
export const log = unary('log')
export const log1p = unary('log1p')
export const sqrt = unary('sqrt')
export const tanh = unary('tanh')
export const sigmoid = unary('sigmoid')

export const equal = binary('equal')
export const notEqual = binary('notEqual')
export const less = binary('less')
export const lessEqual = binary('lessEqual')
export const greater = binary('greater')
export const greaterEqual = binary('greaterEqual')
export const and = binary('and')
export const or = binary('or')
export const not = unary('not')

/** `a` where `condition` holds, else `b`. All three broadcast; with two numbers the result is float32. */
export function select(condition: Node, a: Operand, b: Operand): Node {
  const { shape } = condition.type
  if (!isNode(a) && !isNode(b)) return makeNode('select', [condition, lift(a, shape, 'float32'), lift(b, shape, 'float32')])
  const [x, y] = align('select', [a, b], shape) as [Node, Node]
  return makeNode('select', [broadcastTo(condition, x.type.shape), x, y])
}

/** Another element type: to integers truncates, to bool asks whether the value is not 0. */
export const cast = (x: Node, dtype: ElementType): Node => (x.type.dtype === dtype ? x : makeNode('cast', [x], { dtype }))

export type MatmulOptions = { readonly transposeA?: boolean; readonly transposeB?: boolean; readonly inner?: number }

/**
 * The matrix product over `inner` axes (default 1): [rows…, inner…] · [inner…, columns…] = [rows…, columns…]. With
 * `transposeA` the first operand is [inner…, rows…], with `transposeB` the second is [columns…, inner…].
 */
export function matmul(a: Node, b: Node, { transposeA, transposeB, inner = 1 }: MatmulOptions = {}): Node {
  return makeNode('matmul', [a, b], { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }), ...(inner !== 1 && { inner }) })
}
