/** Subscripts of tensors, against the elements that numpy's subscripts take. */
import { describe, expect, it } from 'vitest'
import type { TensorIndex } from '../../compiler/nn/indexing.js'
import { Input } from '../../compiler/nn/layers/index.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { input } from '../../compiler/ops/build.js'
import { evaluate } from './training-shared.js'

// Element (i, j, k) is 100 i + 10 j + k.
const shape = [2, 3, 4]
const data = Float64Array.from({ length: 24 }, (_, n) => 100 * Math.floor(n / 12) + 10 * (Math.floor(n / 4) % 3) + (n % 4))
const x = new KTensor(input('x', { dtype: 'float32', shape }))

describe('x.slice', () => {
  const cases: readonly (readonly [string, TensorIndex, readonly number[], readonly number[]])[] = [
    ['x[1]', [1], [3, 4], [100, 101, 102, 103, 110, 111, 112, 113, 120, 121, 122, 123]],
    ['x[:, 0]', [null, 0], [2, 4], [0, 1, 2, 3, 100, 101, 102, 103]],
    ['x[:, -1, 2]', [null, -1, 2], [2], [22, 122]],
    ['x[..., 3]', ['...', 3], [2, 3], [3, 13, 23, 103, 113, 123]],
    ['x[1, ..., 1:-1]', [1, '...', [1, -1]], [3, 2], [101, 102, 111, 112, 121, 122]],
    ['x[0, 1:, :2]', [0, [1], [null, 2]], [2, 2], [10, 11, 20, 21]],
    ['x[0, -2:99, 3]', [0, [-2, 99], 3], [2], [13, 23]],
    ['x[0, 2:1]', [0, [2, 1]], [0, 4], []],
    ['x[1, 2, 3]', [1, 2, 3], [], [123]],
  ]
  it.each(cases)('%s', (_, index, wanted, values) => {
    const part = x.slice(index)
    expect(part.shape).toEqual(wanted)
    expect([...evaluate(part.node, { x: { shape, data } }).data]).toEqual(values)
  })

  it('leaves the batch open', () => {
    expect(Input({ shape: [5, 3] }).slice([null, -1]).shape).toEqual([null, 3])
    expect(Input({ shape: [5, 3] }).slice([null, [1, null], [0, 1]]).shape).toEqual([null, 4, 1])
  })

  it('refuses what numpy refuses, and steps', () => {
    expect(() => x.slice([2])).toThrow('slice: index 2 is out of bounds for axis 0 with size 2')
    expect(() => x.slice([0, -4])).toThrow('slice: index -4 is out of bounds for axis 1 with size 3')
    expect(() => x.slice([0, 0, 0, 0])).toThrow("slice: expected at most 3 entries and one '...', found 4: [0, 0, 0, 0]")
    expect(() => x.slice(['...', 0, '...'])).toThrow("expected at most 3 entries and one '...'")
    expect(() => x.slice([0.5])).toThrow('slice: expected whole numbers for axis 0, found 0.5')
    expect(() => x.slice([[0, 2, 2] as never])).toThrow('steps other than 1 are not there')
  })
})
