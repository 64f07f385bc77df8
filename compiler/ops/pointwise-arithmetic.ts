/** Elementwise arithmetic: add sub mul div pow maximum minimum neg abs sign relu floor. int32 wraps around. */
import { callExpr, constExpr } from '../ir/expr.js'
import * as b from './build.js'
import { inverse, times } from './affine.js'
import { defineArithmetic, defineElementwise } from './elementwise.js'
import { simplifyAdd, simplifyDiv, simplifyMul, simplifyNeg, simplifyPow, simplifySub } from './algebra.js'
import { argumentOf, isConstant, sameValue } from './patterns.js'
import { elementwiseRejects, elementwiseSamples, f32, i32 } from './samples.js'

const absorbsNaN = 'NaN when an operand is NaN'

export const add = defineArithmetic({
  name: 'add', doc: 'a + b; int32 wraps around.', commutative: true,
  value: ([x, y]) => x! + y!, fn: 'add',
  gradient: (_, g) => [g, g],
  simplify: simplifyAdd,
  affine: (_, [other]) => ({ factor: 1, offset: other! }),
}, 2)

export const sub = defineArithmetic({
  name: 'sub', doc: 'a - b; int32 wraps around.',
  value: ([x, y]) => x! - y!, fn: 'sub',
  gradient: (_, g) => [g, b.neg(g)],
  simplify: simplifySub,
  affine: (at, [other]) => (at === 0 ? { factor: 1, offset: times(other!, -1) } : { factor: -1, offset: other! }),
}, 2)

export const mul = defineArithmetic({
  name: 'mul', doc: 'a * b; int32 wraps around. 0 * NaN is NaN.', commutative: true,
  value: ([x, y], dtype) => (dtype === 'int32' ? Math.imul(x!, y!) : x! * y!), fn: 'mul',
  gradient: ({ inputs: [x, y] }, g) => [b.mul(g, y!), b.mul(g, x!)],
  simplify: simplifyMul,
  affine: (_, [other]) => ({ factor: other!, offset: 0 }),
}, 2)

export const div = defineElementwise({
  name: 'div', doc: 'a / b of floats, as IEEE 754: x/0 is infinite, 0/0 is NaN.',
  value: ([x, y]) => x! / y!, fn: 'div',
  gradient: (node, g) => [b.div(g, node.inputs[1]!), b.neg(b.div(b.mul(g, node), node.inputs[1]!))],
  simplify: simplifyDiv,
  affine: (at, [other]) => (at === 0 ? { factor: inverse(other!), offset: 0 } : null),
  samples: elementwiseSamples(2, f32, { range: [0.25, 2] }),
  rejects: elementwiseRejects(2, f32, i32(3)),
}, 2)

export const pow = defineElementwise({
  name: 'pow', doc: "a to the power b of floats, as C's pow; NaN for a negative base and a broken exponent. The gradient to b takes log(a) as 0 where a <= 0.",
  value: ([x, y]) => (y === 0 || x === 1 || (x === -1 && Math.abs(y!) === Infinity) ? 1 : x! ** y!), fn: 'pow', cost: 'costly',
  gradient: (node, g) => {
    const [x, y] = node.inputs as [typeof node, typeof node]
    const positive = b.greater(x, 0)
    const logBase = b.select(positive, b.log(b.select(positive, x, 1)), 0)
    return [b.mul(g, b.mul(y, b.pow(x, b.sub(y, 1)))), b.mul(g, b.mul(node, logBase))]
  },
  simplify: simplifyPow,
  samples: elementwiseSamples(2, f32, { range: [0.25, 2], ulp: 16 }),
  rejects: elementwiseRejects(2, f32, i32(3)),
}, 2)

export const maximum = defineArithmetic({
  name: 'maximum', doc: `The larger of a and b; ${absorbsNaN}. The gradient goes to a where a >= b, else to b.`, commutative: true,
  value: ([x, y]) => Math.max(x!, y!), fn: 'max',
  gradient: ({ inputs: [x, y] }, g) => { const first = b.greaterEqual(x!, y!); return [b.select(first, g, 0), b.select(first, 0, g)] },
  simplify: ({ inputs: [x, y] }) => (sameValue(x!, y!) ? x! : isConstant(y!, 0) ? b.relu(x!) : null),
}, 2)

export const minimum = defineArithmetic({
  name: 'minimum', doc: `The smaller of a and b; ${absorbsNaN}. The gradient goes to a where a <= b, else to b.`, commutative: true,
  value: ([x, y]) => Math.min(x!, y!), fn: 'min',
  gradient: ({ inputs: [x, y] }, g) => { const first = b.lessEqual(x!, y!); return [b.select(first, g, 0), b.select(first, 0, g)] },
  simplify: ({ inputs: [x, y] }) => (sameValue(x!, y!) ? x! : null),
}, 2)

export const neg = defineArithmetic({
  name: 'neg', doc: 'x with the other sign.',
  value: ([x]) => -x!, fn: 'neg',
  gradient: (_, g) => [b.neg(g)],
  simplify: simplifyNeg,
  affine: () => ({ factor: -1, offset: 0 }),
}, 1)

export const abs = defineArithmetic({
  name: 'abs', doc: '|x|; NaN of NaN. The gradient at 0 is 0.',
  value: ([x]) => Math.abs(x!), fn: 'abs',
  gradient: ({ inputs: [x] }, g) => [b.mul(g, b.sign(x!))],
  simplify: ({ inputs: [x] }) => {
    const negated = argumentOf(x!, 'neg')
    if (negated) return b.abs(negated)
    return argumentOf(x!, 'abs') ?? argumentOf(x!, 'relu') ? x! : null
  },
}, 1)

export const sign = defineArithmetic({
  name: 'sign', doc: '-1, 0 or 1; NaN of NaN.',
  value: ([x]) => (x! > 0 ? 1 : x! < 0 ? -1 : x!), fn: 'sign',
  gradient: { none: 'constant wherever it is differentiable' },
  simplify: null,
}, 1)

export const relu = defineArithmetic({
  name: 'relu', doc: 'max(x, 0); NaN of NaN. The gradient passes where the result is above 0.',
  value: ([x]) => Math.max(x!, 0), fn: (x) => callExpr('max', x!, constExpr(x!.dtype, 0)),
  gradient: (node, g) => [b.select(b.greater(node, 0), g, 0)],
  simplify: ({ inputs: [x] }) => (argumentOf(x!, 'relu') ?? argumentOf(x!, 'abs') ? x! : null),
}, 1)

export const floor = defineElementwise({
  name: 'floor', doc: 'The largest whole number not above x; NaN of NaN.',
  value: ([x]) => Math.floor(x!), fn: 'floor',
  gradient: { none: 'constant wherever it is differentiable' },
  simplify: ({ inputs: [x] }) => (argumentOf(x!, 'floor') ? x! : null),
  samples: elementwiseSamples(1, f32), rejects: elementwiseRejects(1, f32, i32(3)),
}, 1)
