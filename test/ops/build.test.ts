/** Constructors: broadcasting, literals, axes, provenance, and what they say when they refuse. */
import { describe, expect, test } from 'vitest'
import { ValueError } from '../../runtime/contract/errors.js'
import { dimText, symbol } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import { opOf } from '../../compiler/ops/registry.js'
import * as b from '../../compiler/ops/build.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { bool, f32, i32 } from '../../compiler/ops/samples.js'

const B = symbol('B')
const x = b.input('x', f32(B, 3)), row = b.input('row', f32(3)), n = b.input('n', i32(B))

const value = (node: Node, inputs: Record<string, number[]> = {}): number[] => {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([k, data]) => [k, { shape: [data.length], data: Float64Array.from(data) }]))
  const { outputs } = interpret({ name: 'f', inputs: [], outputs: [{ name: 'y', node }], updates: [] }, { inputs: tensors, dims: { B: 2 } })
  return [...outputs['y']!.data]
}

describe('constructors', () => {
  test('broadcast as numpy, by explicit nodes', () => {
    const y = b.add(x, row)
    expect(y.type).toEqual(f32(B, 3))
    expect(y.inputs.map((i) => i.op)).toEqual(['input', 'broadcastTo'])
    expect(b.mul(b.expandDims(row, 1), row).type.shape).toEqual([3, 3])
    expect(b.select(b.input('c', bool(3)), 1, x).type).toEqual(f32(B, 3))
    expect(() => b.add(x, b.input('z', f32(4)))).toThrow('operands could not be broadcast together with shapes [B,3] [4]')
  })

  test('numbers take the dtype of the other operand', () => {
    expect(b.add(n, 2).inputs[1]!.type).toEqual(i32(B))
    expect(b.select(b.greater(x, 0), 1, 0).type).toEqual(f32(B, 3))
    expect(() => b.add(1, 2)).toThrow('add: expected a tensor among the operands, found only the numbers 1, 2.')
    expect(() => b.add(x, b.input('m', i32(3)))).toThrow('add: expected operands of one dtype, found float32[B,3] and int32[B,3].')
  })

  test('do nothing where nothing changes', () => {
    expect(b.reshape(x, [B, 3])).toBe(x)
    expect(b.broadcastTo(x, [B, 3])).toBe(x)
    expect(b.cast(x, 'float32')).toBe(x)
    expect(b.sum(x, [])).toBe(x)
  })

  test('resolve -1 and negative axes', () => {
    expect(b.reshape(b.input('t', f32(B, 4, 5)), [-1, 20]).type.shape).toEqual([B, 20])
    expect(b.reshape(b.input('t', f32(B, 4, 5)), [B, -1]).type.shape).toEqual([B, 20])
    expect(b.slice(b.input('t', f32(B, 9)), [0, 2], [-1, -1]).type.shape).toEqual([B, 7])
    expect(b.sum(x, -1).type.shape).toEqual([B])
    expect(b.sum(x, [-1, 0], true).type.shape).toEqual([1, 1])
    expect(b.transpose(b.input('t', f32(2, B, 4))).type.shape).toEqual([4, B, 2])
    expect(() => b.reshape(x, [-1, -1])).toThrow(/expected one -1 at most/)
    expect(() => b.reshape(x, [-1, 2])).toThrow(/that \[-1,2\] divides/)
    expect(() => b.sum(x, 2)).toThrow('sum: expected an axis from -2 to 1, found 2.')
    expect(() => b.squeeze(x, 1)).toThrow('squeeze: expected size 1 at axis 1, found [B,3].')
  })

  test('a range that is outside whatever the sizes are is refused; others are checked at each call', () => {
    expect(() => b.slice(x, [0, 1], [B, 3])).toThrow(/expected a range inside \[B,3\]/)
    const second = b.slice(x, [1, 0], [1, 3])
    expect(opOf(second).demands!(second).map(({ room }) => dimText(room))).toContain('B-2')
  })

  test('errors and nodes carry the place being built, also after a throw', () => {
    const location = { file: 'model.ts', line: 12, column: 5 }
    const build = (): Node => b.within({ location, path: 'dense_1' }, () => b.matmul(x, row))
    expect(build).toThrow(ValueError)
    try { build() } catch (error) { expect((error as ValueError).location).toEqual(location) }
    expect(b.currentProvenance()).toEqual({ location: null, path: '' })
    const inner = b.within({ location, path: 'a' }, () => b.within({ path: 'a/b' }, () => b.exp(x)))
    expect(inner.from).toEqual({ location, path: 'a/b' })
  })
})

describe('values', () => {
  const v = b.input('v', f32(3)), w = b.input('w', f32(3))
  const nan = { v: [NaN, 1, -1], w: [1, NaN, -2] }

  test('NaN goes through max, min and relu, not through comparisons and argmax', () => {
    expect(value(b.maximum(v, w), nan)).toEqual([NaN, NaN, -1])
    expect(value(b.minimum(v, w), nan)).toEqual([NaN, NaN, -2])
    expect(value(b.relu(v), nan)).toEqual([NaN, 1, 0])
    expect(value(b.sign(v), nan)).toEqual([NaN, 1, -1])
    expect(value(b.max(v), nan)).toEqual([NaN])
    expect(value(b.min(v), nan)).toEqual([NaN])
    expect(value(b.greaterEqual(v, w), nan)).toEqual([0, 0, 1])
    expect(value(b.notEqual(v, v), nan)).toEqual([1, 0, 0])
    expect(value(b.argmax(v, 0), nan)).toEqual([1])
    expect(value(b.argmax(v, 0), { v: [NaN, NaN, NaN] })).toEqual([0])
    expect(value(b.argmax(v, 0), { v: [1, 2, 2] })).toEqual([1])
  })

  test('of reductions of nothing', () => {
    const none = b.constant(0, f32(0))
    expect([b.sum(none), b.prod(none), b.max(none), b.min(none), b.mean(none)].flatMap((y) => value(y))).toEqual([0, 1, -Infinity, Infinity, NaN])
  })

  test('int32 wraps around, float32 is rounded, sizes are numbers', () => {
    expect(value(b.add(b.constant(2 ** 31 - 1, i32()), 1))).toEqual([-(2 ** 31)])
    expect(value(b.mul(b.constant(123456789, i32()), 987654321))).toEqual([Math.imul(123456789, 987654321)])
    expect(value(b.add(b.constant(0.1, f32()), 0.2))).toEqual([Math.fround(Math.fround(0.1) + Math.fround(0.2))])
    expect(value(b.dimension(B))).toEqual([2])
    expect(value(b.cast(b.constant(-2.7, f32()), 'int32'))).toEqual([-2])
    expect(value(b.cast(b.constant(NaN, f32()), 'bool'))).toEqual([1])
  })

  test('random streams differ, repeat, and change with the step', () => {
    const at = (stream: number, step: number): number[] => {
      const graph = { name: 'f', inputs: [], outputs: [{ name: 'y', node: b.randomUniform([1000], stream) }], updates: [] }
      return [...interpret(graph, { inputs: {}, seed: 1, step }).outputs['y']!.data]
    }
    expect(at(1, 0)).toEqual(at(1, 0))
    expect(at(1, 0)).not.toEqual(at(2, 0))
    expect(at(1, 0)).not.toEqual(at(1, 1))
    const mean = at(1, 0).reduce((s, u) => s + u, 0) / 1000
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05)
  })

  test('a missing value is named', () => {
    expect(() => value(v)).toThrow('no value for the input "v"')
    expect(() => value(v, { v: [1, 2] })).toThrow('expected 3 elements for input "v", found 2')
    expect(() => value(b.scalar('lr'))).toThrow('no value for the scalar "lr"')
  })
})
