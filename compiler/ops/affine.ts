/** Arithmetic on operands that may be numbers: what is known is computed at once, rounded as float32. */
import type { Affine, Operand } from './define-op.js'
import * as b from './build.js'

/** Nothing multiplied, nothing added. */
export const unchanged: Affine = { factor: 1, offset: 0 }

export function times(x: Operand, y: Operand): Operand {
  if (x === 1) return y
  if (y === 1) return x
  if (typeof x === 'number' && typeof y === 'number') return Math.fround(x * y)
  return typeof y !== 'number' && x === -1 ? b.neg(y) : typeof x !== 'number' && y === -1 ? b.neg(x) : b.mul(x, y)
}

export function plus(x: Operand, y: Operand): Operand {
  if (x === 0) return y
  if (y === 0) return x
  return typeof x === 'number' && typeof y === 'number' ? Math.fround(x + y) : b.add(x, y)
}

export const inverse = (x: Operand): Operand => (typeof x === 'number' ? Math.fround(1 / x) : b.div(1, x))

/** `second` of `first`. */
export const composed = (first: Affine, second: Affine): Affine =>
  ({ factor: times(first.factor, second.factor), offset: plus(first.offset === 0 ? 0 : times(first.offset, second.factor), second.offset) })
