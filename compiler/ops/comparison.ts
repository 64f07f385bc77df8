/** Elementwise comparisons of two operands of one dtype: bool. All but notEqual are false when an operand is NaN. */
import type { Intrinsic } from '../ir/loop.js'
import type { OpDefinition } from './define-op.js'
import { defineElementwise } from './elementwise.js'
import { elementwiseSamples, f32, i32 } from './samples.js'
import type { OpName } from './type-rules.js'

type Comparison = { readonly name: OpName; readonly sign: string; readonly fn: Intrinsic; readonly holds: (a: number, b: number) => boolean; readonly commutative?: boolean }

const define = ({ name, sign, fn, holds, commutative }: Comparison): OpDefinition =>
  defineElementwise({
    name, doc: `a ${sign} b, as bool; ${name === 'notEqual' ? 'true' : 'false'} when an operand is NaN.`, commutative: commutative ?? false,
    value: ([a, b]) => Number(holds(a!, b!)), fn,
    gradient: { none: 'a bool has no gradient' },
    simplify: null,
    samples: [...elementwiseSamples(2, f32), ...elementwiseSamples(2, i32).slice(4, 7)],
    rejects: [
      { inputs: [f32(3)], message: /expected 2 inputs, found 1/ },
      { inputs: [f32(3), i32(3)], message: /expected operands of one dtype, found float32\[3\] and int32\[3\]/ },
      { inputs: [f32(3), f32(4)], message: /expected operands of one shape/ },
    ],
  }, 2)

export const equal = define({ name: 'equal', sign: '=', fn: 'eq', holds: (a, b) => a === b, commutative: true })
export const notEqual = define({ name: 'notEqual', sign: '!=', fn: 'ne', holds: (a, b) => a !== b, commutative: true })
export const less = define({ name: 'less', sign: '<', fn: 'lt', holds: (a, b) => a < b })
export const lessEqual = define({ name: 'lessEqual', sign: '<=', fn: 'le', holds: (a, b) => a <= b })
export const greater = define({ name: 'greater', sign: '>', fn: 'gt', holds: (a, b) => a > b })
export const greaterEqual = define({ name: 'greaterEqual', sign: '>=', fn: 'ge', holds: (a, b) => a >= b })
