/**
 * Takes several vectors at once where elements go through functions one after the other. Each function is a chain of some ten
 * operations that wait for each other; a core looks about 500 operations ahead, which is many short elements but only two or
 * three long ones. Copies of the statements side by side bring as many chains within its sight: two functions in a row
 * take 0.75 of the time, four of them less than half.
 *
 *   for d0 < B vector {                  for d0 < B vector by 8 {
 *     let v0 = sigmoid(in0[d0])            let v0 = sigmoid(in0[d0])
 *     let v1 = tanh(v0)             →      let v1 = tanh(v0)
 *     store out0[d0] = v1                  store out0[d0] = v1
 *   }                                    }
 */
import { widestVector } from '../ir/cost.js'
import { costlyCalls } from '../ir/kernel-work.js'
import { VECTORS, type Axis, type AxisMode, type Expr, type KernelProgram, type Stmt } from '../ir/loop.js'

/** Functions in a row from which on a core has too little of the next vectors in sight: one alone gains nothing. */
const leastInRow = 2

export const vectorsAbreast = (kernel: KernelProgram): KernelProgram => ({ ...kernel, body: kernel.body.map(widened) })

function widened(s: Stmt): Stmt {
  if (s.kind === 'for') {
    return isWorthIt(s.mode, s.axis, s.body, []) ? { ...s, mode: 'vector by 8' } : { ...s, body: s.body.map(widened) }
  }
  if (s.kind !== 'reduce' || !isWorthIt(s.modes.at(-1)!, s.axes.at(-1)!, s.body, s.results.map((r) => r.value))) return s
  return { ...s, modes: s.modes.with(-1, 'vector by 8') }
}

function isWorthIt(mode: AxisMode, { extent }: Axis, body: readonly Stmt[], values: readonly Expr[]): boolean {
  const isLong = typeof extent !== 'number' || extent >= VECTORS * widestVector
  return mode === 'vector' && isLong && body.every((s) => s.kind === 'let' || s.kind === 'store') && mostInRow(body, values) >= leastInRow
}

/** Functions that an element goes through one after the other, where it goes through most. */
function mostInRow(body: readonly Stmt[], values: readonly Expr[]): number {
  const known = new Map<string, number>()
  for (const s of body) if (s.kind === 'let') known.set(s.name, inRow(s.value, known))
  const ends = [...body.flatMap((s) => (s.kind === 'store' ? [s.value] : [])), ...values]
  return Math.max(0, ...ends.map((value) => inRow(value, known)))
}

function inRow(expr: Expr, known: ReadonlyMap<string, number>): number {
  switch (expr.kind) {
    case 'call': return Math.max(0, ...expr.args.map((arg) => inRow(arg, known))) + (costlyCalls.has(expr.fn) ? 1 : 0)
    case 'cast': return inRow(expr.arg, known)
    case 'guard': return inRow(expr.value, known)
    case 'lookup': return inRow(expr.at, known)
    case 'local': return known.get(expr.name) ?? 0
    case 'const': case 'load': case 'scalar': case 'index': case 'dim': case 'random': return 0
  }
}
