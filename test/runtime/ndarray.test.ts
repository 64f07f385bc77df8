import { describe, expect, it } from 'vitest'
import { NDArray } from '../../runtime/ndarray.js'
import { evaluateDim } from '../../runtime/dims.js'
import { ReadWriteLock } from '../../runtime/read-write-lock.js'

describe('NDArray', () => {
  it('makes views, not copies', () => {
    const a = NDArray.from([[1, 2], [3, 4], [5, 6]])
    const middle = a.rows(1, 2)
    middle.data[0] = 9
    expect(a.toNested()).toEqual([[1, 2], [9, 4], [5, 6]])
    expect(a.reshape([2, 3]).at(1, 2)).toBe(6)
    expect(new NDArray(a.data, [6]).data).toBe(a.data)
    expect(() => a.reshape([4])).toThrow('cannot view an array of size 6 as shape (4,)')
    expect(() => a.at(3, 0)).toThrow('index (3, 0) is out of bounds for an array of shape (3, 2)')
  })

  it('converts element types and refuses what would be lost', () => {
    expect(NDArray.from(BigInt64Array.of(-3n)).data).toEqual(Int32Array.of(-3))
    expect(NDArray.from([true, false], 'bool').toNested()).toEqual([true, false])
    expect(NDArray.from(Float32Array.of(0, 2), 'bool').data).toEqual(Uint8Array.of(0, 1))
    expect(() => NDArray.from([1.5], 'int32')).toThrow('expected integers of dtype int32, but got 1.5 at element 0')
    expect(() => NDArray.from([256], 'uint8')).toThrow('got 256')
  })

  // Texts printed by numpy 1.26.
  it.each<readonly [NDArray, string]>([
    [NDArray.zeros([2, 2], 'float64'), 'array([[0., 0.],\n       [0., 0.]])'],
    [NDArray.from([0.1, 0.25, 3], 'float64'), 'array([0.1 , 0.25, 3.  ])'],
    [NDArray.from([0.1, 0.2]), 'array([0.1, 0.2], dtype=float32)'],
    [NDArray.from([1e-7, 1], 'float64'), 'array([1.e-07, 1.e+00])'],
    [NDArray.from([NaN, -1.5, Infinity], 'float64'), 'array([ nan, -1.5,  inf])'],
    [NDArray.from([[1, 20], [300, 4]], 'int32'), 'array([[  1,  20],\n       [300,   4]], dtype=int32)'],
    [NDArray.from([true, false], 'bool'), 'array([ True, False])'],
    [NDArray.from([[[1], [2]], [[3], [4]]], 'float64'), 'array([[[1.],\n        [2.]],\n\n       [[3.],\n        [4.]]])'],
    [NDArray.zeros([2000], 'float64'), 'array([0., 0., 0., ..., 0., 0., 0.])'],
    [NDArray.zeros([20], 'float64'), 'array([0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n       0., 0., 0.])'],
    [NDArray.zeros([0, 3], 'float64'), 'array([], shape=(0, 3), dtype=float64)'],
    [NDArray.from([0.12345678912, 1000.5], 'float64'), 'array([1.23456789e-01, 1.00050000e+03])'],
    [NDArray.from([1.5, 2.25, 1e5], 'float64'), 'array([1.50e+00, 2.25e+00, 1.00e+05])'],
    [NDArray.from([123456.789, 0.5]), 'array([1.2345679e+05, 5.0000000e-01], dtype=float32)'],
    [NDArray.from([-1, 2.5], 'float64'), 'array([-1. ,  2.5])'],
  ])('prints like numpy %#', (array, text) => { expect(String(array)).toBe(text) })
})

describe('dimensions', () => {
  it.each([['4*B+1', 9], ['B*T-2*B', 6], ['B', 2], [7, 7], ['-1+B', 1]] as const)('%s', (dim, value) => {
    expect(evaluateDim(dim, (s) => (s === 'B' ? 2 : 5))).toBe(value)
  })
  it('unreadable', () => { expect(() => evaluateDim('B/2', () => 1)).toThrow(SyntaxError) })
})

describe('ReadWriteLock', () => {
  it('is first come, first served', async () => {
    const lock = new ReadWriteLock(), log: string[] = []
    const job = (name: string, exclusive: boolean): Promise<void> => lock.run(exclusive, async () => {
      log.push(`${name}+`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`${name}-`)
    })
    await Promise.all([job('r1', false), job('r2', false), job('w1', true), job('r3', false), job('w2', true)])
    expect(log).toEqual(['r1+', 'r2+', 'r1-', 'r2-', 'w1+', 'w1-', 'r3+', 'r3-', 'w2+', 'w2-'])
    await expect(lock.run(true, async () => { throw new Error('x') })).rejects.toThrow('x')
    expect(lock.busy).toBe(false)
  })
})
