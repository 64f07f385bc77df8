/** Elementwise logic and choice: and or not select cast. */
import { isShortFloat, type ElementType } from '../ir/element-type.js'
import { castExpr } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import * as b from './build.js'
import { defineOp } from './define-op.js'
import { defineElementwise, evaluateElements } from './elementwise.js'
import { argumentOf, constantOf, isConstant, isOp, maskOf, operandsOf, sameValue } from './patterns.js'
import { bool, elementwiseRejects, elementwiseSamples, f32, i32, u8 } from './samples.js'
import { typeRules } from './type-rules.js'

const noBool = { none: 'a bool has no gradient' } as const

/** x with itself is x; `neutral` leaves the other operand, its opposite decides. */
const simplifyJunction = (neutral: 0 | 1) => ({ inputs: [x, y] }: Node): Node | null => {
  if (sameValue(x!, y!)) return x!
  if (isConstant(y!, neutral) || isConstant(x!, 1 - neutral)) return x!
  return isConstant(x!, neutral) || isConstant(y!, 1 - neutral) ? y! : null
}

/** Comparisons that never hold of NaN. */
const ordered = ['greater', 'greaterEqual', 'less', 'lessEqual', 'equal'] as const

/** Does `p` hold only where `q` does? A comparison with x holds nowhere where x is not even equal to itself. */
function implies(p: Node, q: Node): boolean {
  const same = operandsOf(q, 'equal')
  return p === q || (same !== null && same[0] === same[1] && ordered.some((op) => operandsOf(p, op)?.includes(same[0]) === true))
}

/** What one operand says already is left out of the other. */
function simplifyAnd({ inputs: [x, y] }: Node): Node | null {
  for (const [p, q] of [[x!, y!], [y!, x!]] as const) {
    if (implies(p, q)) return p
    const inner = operandsOf(q, 'and'), known = inner?.findIndex((each) => implies(p, each)) ?? -1
    if (inner && known >= 0) return b.and(p, inner[1 - known]!)
  }
  return null
}

export const and = defineElementwise({
  name: 'and', doc: 'True where both operands are.', commutative: true,
  value: ([x, y]) => Number(x !== 0 && y !== 0), fn: 'and', gradient: noBool, simplify: (node) => simplifyJunction(1)(node) ?? simplifyAnd(node),
  samples: elementwiseSamples(2, bool), rejects: elementwiseRejects(2, bool, f32(3)),
}, 2)

export const or = defineElementwise({
  name: 'or', doc: 'True where at least one operand is.', commutative: true,
  value: ([x, y]) => Number(x !== 0 || y !== 0), fn: 'or', gradient: noBool, simplify: simplifyJunction(0),
  samples: elementwiseSamples(2, bool), rejects: elementwiseRejects(2, bool, f32(3)),
}, 2)

export const not = defineElementwise({
  name: 'not', doc: 'True where the operand is not.',
  value: ([x]) => Number(x === 0), fn: 'not', gradient: noBool,
  simplify: ({ inputs: [x] }) => {
    const equals = operandsOf(x!, 'equal'), differs = operandsOf(x!, 'notEqual')
    return argumentOf(x!, 'not') ?? (equals && b.notEqual(...equals)) ?? (differs && b.equal(...differs))
  },
  samples: elementwiseSamples(1, bool), rejects: elementwiseRejects(1, bool, f32(3)),
}, 1)

export const select = defineElementwise({
  name: 'select', doc: 'a where the condition holds, else b; NaN in what is not chosen does not matter.',
  value: ([c, x, y]) => (c !== 0 ? x! : y!), fn: 'select',
  gradient: ({ inputs: [c] }, g) => [null, b.select(c!, g, 0), b.select(c!, 0, g)],
  simplify: (node) => simplifyChoice(node) ?? mergeMasks(node),
  samples: [
    ...elementwiseSamples(3, f32).map((s) => ({ ...s, inputs: [bool(...s.inputs[0]!.shape), ...s.inputs.slice(1)] })),
    { inputs: [bool(17), i32(17), i32(17)] },
  ],
  rejects: [
    { inputs: [bool(3), f32(3)], message: /expected 3 inputs, found 2/ },
    { inputs: [f32(3), f32(3), f32(3)], message: /expected dtype bool, found float32\[3\]/ },
    { inputs: [bool(3), f32(3), i32(3)], message: /expected operands of one dtype/ },
    { inputs: [bool(4), f32(3), f32(3)], message: /expected a condition of shape \[3\], found bool\[4\]/ },
  ],
}, 3)

/** Choices that are decided, or that an inner choice repeats. */
function simplifyChoice({ inputs }: Node): Node | null {
  const [c, x, y] = inputs as [Node, Node, Node]
  const known = constantOf(c)
  if (known !== null) return known !== 0 ? x : y
  if (sameValue(x, y)) return x
  const inverted = argumentOf(c, 'not')
  if (inverted) return b.select(inverted, y, x)
  if (isOp(x, 'select') && x.inputs[0] === c) return b.select(c, x.inputs[1]!, y)
  return isOp(y, 'select') && y.inputs[0] === c ? b.select(c, x, y.inputs[2]!) : null
}

/**
 * Joins two masks into one: select(c, select(k, x, 0), 0) = select(c and k, x, 0), and
 * select(c, x * mask, 0) = select(c and k, x * s, 0) where the mask is s where k holds, else 0.
 * So a relu's and a dropout's backward make one bool. (An infinite or NaN x that the inner mask
 * multiplies by 0 gives 0 instead of NaN.)
 */
function mergeMasks({ inputs }: Node): Node | null {
  const [c, x, y] = inputs as [Node, Node, Node]
  if (isOp(x, 'select') && sameValue(x.inputs[2]!, y)) return b.select(b.and(c, x.inputs[0]!), x.inputs[1]!, y)
  const product = isConstant(y, 0) ? operandsOf(x, 'mul') : null
  if (!product) return null
  const [left, right] = [maskOf(product[0]), maskOf(product[1])]
  const mask = right ?? left
  if (!mask) return null
  const other = right ? product[0] : product[1]
  return b.select(b.and(c, mask.condition), mask.scale === 1 ? other : b.mul(other, mask.scale), y)
}

const isFloat = (dtype: ElementType): boolean => isShortFloat(dtype) || dtype === 'float32' || dtype === 'float64'

/** Whether every value of `from` survives in `to`. */
function isWidening(from: ElementType, to: ElementType): boolean {
  const wider: Record<ElementType, readonly ElementType[]> = {
    bool: ['uint8', 'int32', 'float32', 'float64'], uint8: ['int32', 'float32', 'float64'], int32: ['float64'], float32: ['float64'], float64: [],
    bfloat16: ['tfloat32', 'float32', 'float64'], tfloat32: ['float32', 'float64'],
  }
  return from === to || wider[from].includes(to)
}

/** One element of another dtype. Values an integer type cannot hold are not defined, as in C. */
export function castElement(x: number, dtype: ElementType): number {
  switch (dtype) {
    case 'float32': case 'float64': case 'bfloat16': case 'tfloat32': return x
    case 'int32': return Math.trunc(x) | 0
    case 'uint8': return Math.trunc(x) & 255
    case 'bool': return Number(x !== 0)
  }
}

export const cast = defineOp({
  name: 'cast',
  doc: 'x as `dtype`: floats are rounded, integers truncated toward 0, bool tells whether x is not 0 (NaN is not). A float outside the range of an integer type has no defined result.',
  arity: 1,
  infer: typeRules.cast,
  gradient: (node, g) => [isFloat(node.inputs[0]!.type.dtype) ? b.cast(g, node.inputs[0]!.type.dtype) : null],
  lowering: { kind: 'pointwise', expr: ([x], node) => castExpr(node.type.dtype, x!) },
  evaluate: (inputs, context) => evaluateElements(inputs, context, ([x], dtype) => castElement(x!, dtype)),
  simplify: ({ inputs: [x], type }) => {
    if (x!.type.dtype === type.dtype) return x!
    const inner = argumentOf(x!, 'cast')
    return inner && isWidening(inner.type.dtype, x!.type.dtype) ? b.cast(inner, type.dtype) : null
  },
  commutative: false,
  cost: 'cheap',
  samples: [
    ...elementwiseSamples(1, f32, { attrs: { dtype: 'int32' } }),
    ...elementwiseSamples(1, i32, { attrs: { dtype: 'float32' } }).slice(4, 7),
    { inputs: [bool(17)], attrs: { dtype: 'float32' } }, { inputs: [u8(33)], attrs: { dtype: 'float32' }, range: [0, 200] },
    { inputs: [f32(17)], attrs: { dtype: 'bool' } }, { inputs: [i32(17)], attrs: { dtype: 'uint8' }, range: [0, 200] },
    { inputs: [bool(16)], attrs: { dtype: 'int32' } }, { inputs: [i32(16)], attrs: { dtype: 'bool' } },
  ],
  rejects: [
    { inputs: [], attrs: { dtype: 'float32' }, message: /expected 1 input, found 0/ },
    { inputs: [f32(3)], attrs: { dtype: 'float16' }, message: /Expected attribute "dtype" to be one of .*found "float16"/ },
  ],
})
