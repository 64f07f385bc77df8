/** Affine indices: their algebra against plain evaluation. */
import { expect, test } from 'vitest'
import { symbol } from '../../compiler/ir/dim.js'
import { addIndex, axisIndex, callExpr, castExpr, constExpr, constIndex, equalIndex, linearIndex, scaleIndex, shiftIndex, substituteIndex } from '../../compiler/ir/expr.js'
import { evaluateIndex } from '../ops/expr-evaluate.js'

const i = axisIndex('i'), j = axisIndex('j')

test('sums, multiples and shifts', () => {
  const index = shiftIndex(addIndex(scaleIndex(i, 4), addIndex(j, i)), 7)
  expect(evaluateIndex(index, { i: 3, j: 2 })).toBe(5 * 3 + 2 + 7)
  expect(index.terms.length).toBe(2)
  expect(addIndex(i, scaleIndex(i, -1))).toEqual(constIndex(0))
  expect(scaleIndex(index, 0)).toEqual(constIndex(0))
})

test('row-major position', () => {
  const index = linearIndex([i, j, constIndex(1)], [5, 6, 7])
  expect(evaluateIndex(index, { i: 2, j: 3 })).toBe((2 * 6 + 3) * 7 + 1)
  expect(linearIndex([i, j], [3, symbol('B')]).terms).toEqual([{ axis: 'i', stride: symbol('B') }, { axis: 'j', stride: 1 }])
  expect(linearIndex([], [])).toEqual(constIndex(0))
})

test('substitution', () => {
  const index = addIndex(scaleIndex(i, 3), j)
  const result = substituteIndex(index, (axis) => (axis === 'i' ? addIndex(j, constIndex(2)) : undefined))
  expect(equalIndex(result, shiftIndex(scaleIndex(j, 4), 6))).toBe(true)
  expect(equalIndex(result, index)).toBe(false)
})

test('dtypes of calls and casts', () => {
  const x = constExpr('float32', 1)
  expect(callExpr('add', x, x).dtype).toBe('float32')
  expect(callExpr('lt', x, x).dtype).toBe('bool')
  expect(callExpr('select', constExpr('bool', 1), x, x).dtype).toBe('float32')
  expect(castExpr('float32', x)).toBe(x)
  expect(castExpr('int32', x)).toEqual({ kind: 'cast', dtype: 'int32', arg: x })
})
