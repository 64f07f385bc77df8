/** Tests generated from the op records: every sample, every reject. */
import { describe, expect, test } from 'vitest'
import { evaluateShape } from '../../compiler/ir/dim.js'
import { axisIndex, localExpr } from '../../compiler/ir/expr.js'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { printModule } from '../../compiler/ir/graph-text.js'
import type { Module } from '../../compiler/ir/graph.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret, type Run } from '../../compiler/ops/interpret.js'
import { registry } from '../../compiler/ops/registry.js'
import { elementCount, positions } from '../../compiler/ops/strides.js'
import { inferType, typeRules } from '../../compiler/ops/type-rules.js'
import { graphPasses } from '../../compiler/pipeline.js'
import { opCases, type OpCase } from './cases.js'
import { evaluateExpr, evaluateIndex } from './expr-evaluate.js'
import { errorInUlp } from './values.js'

const cases = opCases()

const runOf = (c: OpCase, precision: 'f32' | 'f64', seed = 1): Run => ({
  inputs: c.inputs(seed), variables: c.variables(seed), scalars: Object.fromEntries(c.module.scalars.map((s) => [s.name, s.value])), seed: 7, step: 3, precision,
})

const valueOf = (c: OpCase): Tensor => interpret(c.module.functions[0]!, runOf(c, 'f32')).outputs['y']!

describe('records', () => {
  test('every type rule has a record with that rule, and every record a type rule', () => {
    const rules = Object.entries(typeRules).sort(([a], [b]) => a.localeCompare(b))
    expect(registry.map((op) => [op.name, op.infer] as const).sort(([a], [b]) => a.localeCompare(b))).toEqual(rules)
  })

  test('every record is documented, sampled, and refuses something', () => {
    for (const op of registry) {
      expect(op.doc, op.name).toMatch(/^.{3,}\.$/s)
      expect(op.samples.length, op.name).toBeGreaterThan(0)
      expect(op.rejects.length, op.name).toBeGreaterThan(0)
    }
  })

  test.each(registry.flatMap((op) => op.rejects.map((r) => [op.name, r] as const)))('%s refuses %j', (name, reject) => {
    expect(() => inferType(name, reject.inputs, reject.attrs ?? {})).toThrow(reject.message)
  })
})

const isInteger = (x: number): boolean => Number.isInteger(x)
const dtypeHolds: Record<string, (x: number) => boolean> = {
  float32: (x) => Object.is(Math.fround(x), x), float64: () => true, int32: (x) => isInteger(x) && (x | 0) === x,
  uint8: (x) => isInteger(x) && x >= 0 && x < 256, bool: (x) => x === 0 || x === 1,
}

describe.each(cases.map((c) => [c.title, c] as const))('%s', (_title, c) => {
  const y = c.module.functions[0]!.outputs[0]!.node

  test('evaluation gives what the type rule says', () => {
    const { shape, data } = valueOf(c)
    expect(shape).toEqual(evaluateShape(y.type.shape, {}))
    expect(data.length).toBe(elementCount(shape))
    expect(data.every((x) => dtypeHolds[y.type.dtype]!(x))).toBe(true)
  })

  test('the module verifies, and reads back from its text', () => {
    verifyModule(c.module, inferType)
    const text = printModule(c.module)
    expect(printModule(parseModule(text))).toBe(text)
    expect(parseModule(text)).toEqual(c.module)
  })

  test('simplified, folded and shared it gives the same', () => {
    const after: Module = { ...c.module, functions: c.module.functions.map((f) => graphPasses.reduce((g, { run }) => run(g), f)) }
    verifyModule(after, inferType)
    c.module.functions.forEach((before, i) => {
      const expected = interpret(before, runOf(c, 'f64')).outputs, actual = interpret(after.functions[i]!, runOf(c, 'f64')).outputs
      for (const [name, { data }] of Object.entries(expected)) expect(errorInUlp(actual[name]!.data, data), name).toBeLessThan(0.01)
    })
  })

  const lowered = loweredValue(c)
  if (lowered !== null) test('the lowering computes the same', () => {
    expect(errorInUlp(lowered, interpret(c.module.functions[0]!, runOf(c, 'f64')).outputs['y']!.data)).toBeLessThan(0.01)
  })
})

/** The result element by element through the lowering; null for kinds that the compiled tests cover. */
function loweredValue(c: OpCase): Float64Array | null {
  const y = c.module.functions[0]!.outputs[0]!.node
  const { lowering } = c.op
  const values = c.inputs(1)
  const xs = c.sample.inputs.map((_, i) => values[`x${i}`]!)
  const shape = evaluateShape(y.type.shape, {})
  const index = shape.map((_, i) => axisIndex(`d${i}`))
  const at = (element: number): Record<string, number> => Object.fromEntries(shape.map((_, i) => [`d${i}`, indexAlong(shape, i)[element]!]))
  const each = (f: (axes: Record<string, number>, element: number) => number): Float64Array =>
    Float64Array.from({ length: elementCount(shape) }, (_, e) => f(at(e), e))
  const env = { seed: 7, step: 3, locals: {} }
  if (lowering.kind === 'pointwise') {
    const expr = lowering.expr(xs.map((_, i) => localExpr(c.sample.inputs[i]!.dtype, `x${i}`)), y)
    return each((axes, e) => evaluateExpr(expr, { ...env, axes, locals: Object.fromEntries(xs.map((x, i) => [`x${i}`, x.data[e]!])) }))
  }
  if (lowering.kind === 'generate' && c.module.scalars.length === 0) {
    const expr = lowering.expr(index, y)
    return each((axes) => evaluateExpr(expr, { ...env, axes }))
  }
  if (lowering.kind !== 'indexMap') return null
  const source = lowering.map(index, y)
  const [x] = xs
  const strides = x!.shape.map((_, i) => elementCount(x!.shape.slice(i + 1)))
  return each((axes) => x!.data[source.reduce((sum, ix, i) => sum + evaluateIndex(ix, axes) * strides[i]!, 0)]!)
}

/** The index along `axis` of each element. */
const indexAlong = (shape: readonly number[], axis: number): Int32Array => positions(shape, shape.map((_, i) => Number(i === axis)))
