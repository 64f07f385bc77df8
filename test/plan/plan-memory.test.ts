/** The memory plan: who shares with whom, how large slots are, and that plans of random functions are sound. */
import { describe, expect, test } from 'vitest'
import { symbol } from '../../compiler/ir/dim.js'
import { planGraph } from '../../compiler/pipeline.js'
import { alignment, arenaBytes, arenaText, planMemory, type Tenant } from '../../compiler/plan/plan-memory.js'
import { checkPlan } from '../fuzz/check-plan.js'
import { fuzzCases } from '../fuzz/fuzz-cases.js'

const tenant = (key: string, bytes: Tenant['bytes'], first: number, last: number): Tenant => ({ key, bytes, first, last })
const B = symbol('B')

describe('planMemory', () => {
  test('values that do not meet share a slot, others do not', () => {
    const { slotOf, slots } = planMemory([tenant('a', 64, 0, 1), tenant('b', 64, 1, 2), tenant('c', 64, 2, 3)])
    expect(slots.length).toBe(2)
    expect(slotOf.get('a')).toBe(slotOf.get('c'))
    expect(slotOf.get('b')).not.toBe(slotOf.get('a'))
  })

  test('a slot is as large as its largest tenant at any size', () => {
    const plan = planMemory([tenant('a', 100, 0, 0), tenant('b', B, 1, 1)])
    expect(arenaText(plan)).toBe('max(100, B)')
    expect(arenaBytes(plan, { B: 1 })).toBe(128)
    expect(arenaBytes(plan, { B: 1000 })).toBe(1024)
    expect(arenaBytes(plan, { B: 1 }) % alignment).toBe(0)
  })

  test('a result takes the place of what it replaces, but of nothing that is read later', () => {
    const over = (key: string, first: number, last: number): Tenant => ({ ...tenant(key, 64, first, last), replaces: new Set(['a', 'b']) })
    const { slots, slotOf } = planMemory([tenant('a', 64, 0, 1), tenant('b', 64, 0, 2), over('c', 1, 2), over('d', 1, 2)])
    expect(slots.length).toBe(3)
    expect(slotOf.get('c')).toBe(slotOf.get('a'))
    expect(new Set(['b', 'c', 'd'].map((key) => slotOf.get(key))).size).toBe(3)
  })

  test('nothing needs nothing', () => {
    expect(arenaBytes(planMemory([]), {})).toBe(0)
    expect(arenaText(planMemory([]))).toBe('0')
  })

  test('the free slot that wastes least is taken', () => {
    const { slotOf } = planMemory([tenant('small', 64, 0, 0), tenant('large', 4096, 0, 0), tenant('next', 3000, 1, 1)])
    expect(slotOf.get('next')).toBe(slotOf.get('large'))
  })
})

test('plans of random functions are sound, fused and not', () => {
  for (const c of fuzzCases(7000, 150)) for (const fuse of [true, false]) checkPlan(`seed ${c.seed}`, planGraph(c.optimized, { fuse }))
})
