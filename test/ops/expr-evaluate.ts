/** Plain evaluation of loop expressions, to compare an op's lowering with its meaning. */
import { randomUniform } from '../../runtime/contract/philox.js'
import { evaluateDim } from '../../compiler/ir/dim.js'
import type { Expr, Index, Intrinsic } from '../../compiler/ir/loop.js'
import { castElement } from '../../compiler/ops/logic.js'

export type ExprEnv = {
  readonly axes: Readonly<Record<string, number>>
  readonly locals: Readonly<Record<string, number>>
  readonly seed: number
  readonly step: number
}

export const evaluateIndex = (index: Index, axes: ExprEnv['axes']): number =>
  index.terms.reduce((sum, t) => sum + axes[t.axis]! * evaluateDim(t.stride, {}), evaluateDim(index.offset, {}))

export function evaluateExpr(expr: Expr, env: ExprEnv): number {
  switch (expr.kind) {
    case 'const': return expr.value
    case 'local': return env.locals[expr.name]!
    case 'index': return evaluateIndex(expr.index, env.axes)
    case 'dim': return evaluateDim(expr.dim, {})
    case 'random': return randomUniform(env.seed, expr.stream, env.step, evaluateIndex(expr.index, env.axes))
    case 'cast': return castElement(evaluateExpr(expr.arg, env), expr.dtype)
    case 'call': return intrinsics[expr.fn](...expr.args.map((a) => evaluateExpr(a, env)))
    case 'load': case 'lookup': case 'guard': case 'scalar': throw new Error(`not an expression of an op: ${expr.kind}`)
  }
}

const intrinsics: Record<Intrinsic, (...args: number[]) => number> = {
  add: (a, b) => a! + b!, sub: (a, b) => a! - b!, mul: (a, b) => a! * b!, div: (a, b) => a! / b!, divBounded: (a, b) => a! / b!, pow: (a, b) => a! ** b!,
  max: Math.max, min: Math.min, neg: (a) => -a!, abs: Math.abs, sign: Math.sign, floor: Math.floor,
  exp: Math.exp, expm1: Math.expm1, log: Math.log, log1p: Math.log1p, sqrt: Math.sqrt, tanh: Math.tanh, sigmoid: (a) => 1 / (1 + Math.exp(-a!)),
  eq: (a, b) => Number(a === b), ne: (a, b) => Number(a !== b), lt: (a, b) => Number(a! < b!), le: (a, b) => Number(a! <= b!),
  gt: (a, b) => Number(a! > b!), ge: (a, b) => Number(a! >= b!),
  and: (a, b) => Number(a !== 0 && b !== 0), or: (a, b) => Number(a !== 0 || b !== 0), not: (a) => Number(a === 0), select: (c, a, b) => (c !== 0 ? a! : b!),
}
