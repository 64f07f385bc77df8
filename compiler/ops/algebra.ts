/**
 * Simplification of arithmetic. Rules keep the value for all finite operands and NaN, up to the sign of zero; a rule that
 * joins two constants may change the last digit. x * 0 stays, because it is NaN for NaN and infinity.
 */
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import { argumentOf, constantOf, isConstant, isOp, isPowerOfTwo, isTame, operandsOf, withConstant } from './patterns.js'

const isFloat = (node: Node): boolean => node.type.dtype !== 'int32'
const pair = (node: Node): readonly [Node, Node] => [node.inputs[0]!, node.inputs[1]!]

/** The operands with a lone constant second, or null when they are so already. */
const constantLast = (node: Node): readonly [Node, Node] | null => {
  const [x, y] = pair(node)
  return constantOf(x) !== null && constantOf(y) === null ? [y, x] : null
}

/** x * c, where the constant may make it simpler. */
const scaled = (x: Node, c: number): Node => (c === 1 ? x : b.mul(x, c))

/** x + 0 = x;  x + -y = x - y;  -x + y = y - x */
export function simplifyAdd(node: Node): Node | null {
  const swapped = constantLast(node)
  if (swapped) return b.add(...swapped)
  const [x, y] = pair(node)
  if (isConstant(y, 0)) return x
  const right = argumentOf(y, 'neg')
  if (right) return b.sub(x, right)
  const left = argumentOf(x, 'neg')
  return left && constantOf(y) === null ? b.sub(y, left) : null
}

/** x - 0 = x;  0 - y = -y;  x - -y = x + y */
export function simplifySub(node: Node): Node | null {
  const [x, y] = pair(node)
  if (isConstant(y, 0)) return x
  if (isConstant(x, 0)) return b.neg(y)
  const negated = argumentOf(y, 'neg')
  return negated ? b.add(x, negated) : null
}

/** --x = x;  -(x - y) = y - x;  -(x * c) = x * -c */
export function simplifyNeg({ inputs: [x] }: Node): Node | null {
  const twice = argumentOf(x!, 'neg')
  if (twice) return twice
  const difference = operandsOf(x!, 'sub')
  if (difference) return b.sub(difference[1], difference[0])
  const product = withConstant(x!, 'mul')
  return product && isFloat(x!) ? b.mul(product.x, -product.c) : null
}

/** x * 1 = x;  x * -1 = -x;  -x * -y = x * y;  x * (1 / y) = x / y; then products with a constant. */
export function simplifyMul(node: Node): Node | null {
  const swapped = constantLast(node)
  if (swapped) return b.mul(...swapped)
  const [x, y] = pair(node)
  if (isConstant(y, 1)) return x
  if (isConstant(y, -1)) return b.neg(x)
  const [left, right] = [argumentOf(x, 'neg'), argumentOf(y, 'neg')]
  if (left && right) return b.mul(left, right)
  const c = constantOf(y)
  return c === null ? byReciprocal(x, y) ?? byReciprocal(y, x) : isFloat(node) ? timesConstant(x, c) : null
}

function byReciprocal(x: Node, y: Node): Node | null {
  const quotient = operandsOf(y, 'div')
  return quotient && isConstant(quotient[0], 1) ? b.div(x, quotient[1]) : null
}

/**
 * (x * k) * c = x * kc;  (x / k) * c = x * (c / k);  -x * c = x * -c;  select(p, x, 0) * c = select(p, x * c, 0);
 * float(p) * c = select(p, c, 0): a scaled mask
 */
function timesConstant(x: Node, c: number): Node | null {
  const product = withConstant(x, 'mul')
  if (product && isTame(product.c * c)) return scaled(product.x, product.c * c)
  const quotient = withConstant(x, 'div')
  if (quotient && isTame(c / quotient.c)) return scaled(quotient.x, c / quotient.c)
  const negated = argumentOf(x, 'neg')
  if (negated) return b.mul(negated, -c)
  const bool = argumentOf(x, 'cast')
  if (bool?.type.dtype === 'bool' && Number.isFinite(c)) return b.select(bool, b.constant(c, x.type), b.zerosLike(x))
  if (!isOp(x, 'select') || !isConstant(x.inputs[2]!, 0) || !Number.isFinite(c)) return null
  return b.select(x.inputs[0]!, b.mul(x.inputs[1]!, c), x.inputs[2]!)
}

/** -x / -y = x / y;  x / c = x * (1 / c) where that is exact;  (x * k) / c = x * (k / c);  (x / k) / c = x / kc */
export function simplifyDiv(node: Node): Node | null {
  const [x, y] = pair(node)
  const [left, right] = [argumentOf(x, 'neg'), argumentOf(y, 'neg')]
  if (left && right) return b.div(left, right)
  const c = constantOf(y)
  if (c === null) return null
  if (isPowerOfTwo(c)) return scaled(x, 1 / c)
  const product = withConstant(x, 'mul')
  if (product && isTame(product.c / c)) return scaled(product.x, product.c / c)
  const quotient = withConstant(x, 'div')
  return quotient && isTame(quotient.c * c) ? b.div(quotient.x, quotient.c * c) : null
}

/** Powers that are cheaper otherwise. */
export function simplifyPow(node: Node): Node | null {
  const [x, y] = pair(node)
  switch (constantOf(y)) {
    case 0: return b.onesLike(x)
    case 1: return x
    case 2: return b.mul(x, x)
    case 3: return b.mul(b.mul(x, x), x)
    case 0.5: return b.sqrt(x)
    case -1: return b.div(1, x)
    default: return null
  }
}
