/** NaN, infinities, zeros of both signs and the ends of int32 through every elementwise op, as its record says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataType } from '../../compiler/ir/element-type.js'
import type { TensorType } from '../../compiler/ir/graph.js'
import { interpret, type Values } from '../../compiler/ops/interpret.js'
import { leafName } from '../../compiler/ops/leaf.js'
import { registry } from '../../compiler/ops/registry.js'
import { opCase, type OpCase } from '../ops/cases.js'
import { compileTasks, emitTasks, type NativeFunctions, type Task } from './native-functions.js'

const floats = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2.5, 1e30, -1e30, 3, 2 ** 24]
const integers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 65536, -65537]
const valuesOf = ({ dtype }: TensorType): readonly number[] => {
  switch (dataType(dtype)) {
    case 'float32': case 'float64': return floats
    case 'int32': return integers
    case 'uint8': return [0, 1, 127, 255]
    case 'bool': return [0, 1]
  }
}
/** More than one whole vector of any level, with a rest. */
const count = floats.length ** 2

/** Every pair of special values; a third operand runs through its own. */
const operands = (types: readonly TensorType[]): Values => Object.fromEntries(types.map((type, k) => {
  const values = valuesOf(type)
  return [`x${k}`, { shape: [count], data: Float64Array.from({ length: count }, (_, i) => values[Math.floor(i / floats.length ** (k % 2)) % values.length]!) }]
}))

const ops = registry.filter((op) => op.lowering.kind === 'pointwise')
/** One case for every op and combination of dtypes that its samples have. */
const cases = ops.flatMap((op) => {
  const samples = new Map(op.samples.map((s) => [JSON.stringify([s.inputs.map((t) => t.dtype), s.attrs ?? {}]), s]))
  return [...samples.values()].map((s, i) => opCase(op, { ...s, inputs: s.inputs.map((t) => ({ ...t, shape: [count] })) }, 200 + i))
})
const planned = emitTasks('special', cases.map((c): Task => ({ name: c.name, graph: c.module.functions[0]!, variables: [], scalars: [], fuse: true })))
let native: NativeFunctions

beforeAll(async () => { native = await compileTasks(planned) })
afterAll(() => native.close())

/** What the record leaves open: a float outside the range of the integer it is cast to. */
const isOpen = (c: OpCase, x: number): boolean =>
  c.op.name === 'cast' && c.sample.inputs[0]!.dtype === 'float32' && ['int32', 'uint8'].includes(String(c.sample.attrs?.['dtype'])) && !(Math.abs(x) < 2 ** 31)

describe('special values', () => {
  test.each(cases.map((c) => [c.title, c] as const))('%s', (_title, c) => {
    const inputs = operands(c.module.functions[0]!.inputs.map((n) => n.type))
    const actual = native.call(c.name, { inputs })['y']!
    const expected = interpret(c.module.functions[0]!, { inputs, precision: 'f32' }).outputs['y']!.data
    const faults = [...expected].flatMap((e, i) => {
      const args = c.module.functions[0]!.inputs.map((n) => inputs[leafName(n)]!.data[i]!)
      return agrees(actual[i]!, e, c.ulp) || isOpen(c, args[0]!) ? [] : [`${c.op.name}(${args.join(', ')}) = ${actual[i]}, expected ${e}`]
    })
    expect(faults).toEqual([])
  })
})

/** NaN meets NaN, an infinity itself; results too small for a normal float32 may be flushed. */
function agrees(actual: number, expected: number, ulp: number): boolean {
  if (Object.is(actual, expected) || actual === expected) return true
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return false
  return Math.abs(actual - expected) <= Math.max(ulp * 2 ** -23 * Math.abs(expected), 2 ** -126)
}
