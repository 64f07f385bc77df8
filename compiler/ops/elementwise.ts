/** What the records of elementwise ops have in common. */
import type { ElementType } from '../ir/element-type.js'
import type { Node } from '../ir/graph.js'
import type { Expr, Intrinsic } from '../ir/loop.js'
import { callExpr } from '../ir/expr.js'
import { defineOp, type AffineIn, type EvaluateContext, type Gradient, type OpDefinition, type Reject, type Sample, type Tensor } from './define-op.js'
import { elementwiseRejects, elementwiseSamples, f32, i32, u8 } from './samples.js'
import { typeRules, type OpName } from './type-rules.js'

type Simplify = (node: Node) => Node | null

/** The fields that differ between two elementwise ops. */
export type Elementwise = {
  readonly name: OpName
  readonly doc: string
  /** One element from the operands' elements, in doubles. */
  readonly value: (args: readonly number[], dtype: ElementType) => number
  readonly fn: Intrinsic | ((...args: readonly Expr[]) => Expr)
  readonly gradient: Gradient | { readonly none: string }
  readonly simplify: Simplify | null
  readonly commutative?: boolean
  readonly cost?: 'cheap' | 'costly'
  readonly affine?: AffineIn
  readonly samples: readonly Sample[]
  readonly rejects: readonly Reject[]
}

/** Applies `value` to the elements of all inputs at each position. */
export function evaluateElements(inputs: readonly Tensor[], context: EvaluateContext, value: Elementwise['value']): Float64Array {
  const data = new Float64Array(context.shape.reduce((p, d) => p * d, 1))
  const args = inputs.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    for (let k = 0; k < args.length; k++) args[k] = inputs[k]!.data[i]!
    data[i] = value(args, context.dtype)
  }
  return data
}

export function defineElementwise(op: Elementwise, arity: number): OpDefinition {
  const { name, doc, gradient, simplify, samples, rejects, fn, value } = op
  return defineOp({
    name, doc, arity, gradient, simplify, samples, rejects,
    infer: typeRules[name],
    lowering: { kind: 'pointwise', expr: (args) => (typeof fn === 'string' ? callExpr(fn, ...args) : fn(...args)) },
    evaluate: (inputs, context) => evaluateElements(inputs, context, value),
    commutative: op.commutative ?? false,
    cost: op.cost ?? 'cheap',
    ...(op.affine && { affine: op.affine }),
  })
}

type Ranged = { readonly range?: readonly [number, number]; readonly ulp?: number }

/** An op of one float operand. */
export const defineFloatFunction = (op: Omit<Elementwise, 'samples' | 'rejects'> & Ranged): OpDefinition => {
  const options = { ...(op.range && { range: op.range }), ...(op.ulp !== undefined && { ulp: op.ulp }) }
  return defineElementwise({ ...op, samples: elementwiseSamples(1, f32, options), rejects: elementwiseRejects(1, f32, i32(3)) }, 1)
}

/** An op of `arity` operands that are all float32 or all int32. */
export const defineArithmetic = (op: Omit<Elementwise, 'samples' | 'rejects'> & Ranged, arity: 1 | 2): OpDefinition => {
  const options = { ...(op.range && { range: op.range }) }
  const samples = [...elementwiseSamples(arity, f32, options), ...elementwiseSamples(arity, i32, options).slice(4, 7)]
  return defineElementwise({ ...op, samples, rejects: elementwiseRejects(arity, f32, u8(3)) }, arity)
}
