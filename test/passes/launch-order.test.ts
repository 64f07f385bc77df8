/** The order of kernels, by what they need and by the memory they take. */
import { expect, test } from 'vitest'
import { launchOrder, type Shared } from '../../compiler/passes/launch-order.js'
import type { Group } from '../../compiler/passes/kernel-groups.js'

/** Kernels by name, each with those it needs; ids in the order given. */
function kernels(needs: Record<string, string[]>): Record<string, Group> {
  const names = Object.keys(needs)
  const groups = Object.fromEntries(names.map((name, id): [string, Group] => [name, { id, kind: 'map', domain: [], reduced: [], roles: new Map(), needs: new Set() }]))
  for (const name of names) for (const needed of needs[name]!) groups[name]!.needs.add(groups[needed]!)
  return groups
}

function orderOf(needs: Record<string, string[]>, memory: readonly [bytes: number, users: string[]][]): string {
  const groups = kernels(needs), names = Object.keys(groups)
  const shared = memory.map(([bytes, users]): Shared => ({ bytes, users: new Set(users.map((name) => groups[name]!)) }))
  return launchOrder(Object.values(groups), shared).map((group) => names.find((name) => groups[name] === group)).join(' ')
}

test('what is needed comes first, else what was opened first', () => {
  expect(orderOf({ a: ['c'], b: [], c: [] }, [])).toBe('b c a')
})

test('a gradient of a weight comes before the next step back', () => {
  const needs = { x1: [], x2: ['x1'], dx2: ['x2'], dx1: ['dx2'], dx0: ['dx1'], end: ['dx0'], dw2: ['dx2', 'x1'], dw1: ['dx1', 'x1'] }
  expect(orderOf(needs, [[100, ['x1', 'x2', 'dw2']], [100, ['x2', 'dx2', 'dw2']], [100, ['dx2', 'dx1', 'dw1']], [100, ['dx1', 'dx0']], [200, ['dx0', 'end']]])).toBe('x1 x2 dx2 dw2 dx1 dw1 dx0 end')
})

test('what was made last is used while it is near, when that takes no more memory', () => {
  const needs = { far: [], near: ['far'], old: ['near'], young: ['near'] }
  expect(orderOf(needs, [[100, ['far', 'old']], [100, ['near', 'young']], [1, ['young', 'old']]])).toBe('far near young old')
})

test('of branches the one that takes least begins', () => {
  expect(orderOf({ large: [], small: [], sum: ['large', 'small'] }, [[100, ['large', 'sum']], [10, ['small', 'sum']]])).toBe('small large sum')
})
