/** Soundness of a memory plan, from the kernels alone. */
import type { Node } from '../../compiler/ir/graph.js'
import { replaceable } from '../../compiler/plan/in-place.js'
import { workspaceKey, type PlannedFunction } from '../../compiler/plan/plan-function.js'

/** May `next`, which kernel `at` writes first, lie where `value` does, which it reads last? */
const replaces = ({ kernels }: PlannedFunction, at: number, value: Node | string, next: Node | string): boolean =>
  typeof value !== 'string' && typeof next !== 'string' && replaceable(kernels[at]!).get(next)?.has(value) === true

type Life = { first: number; last: number }

/** @throws Error when a slot has two tenants in one kernel, is too small, or a value is read before it is written. */
export function checkPlan(name: string, planned: PlannedFunction): void {
  const { kernels, memory } = planned
  const lives = new Map<Node | string, Life>()
  kernels.forEach((kernel, i) => {
    for (const { node, home, written, buffer } of kernel.bindings) {
      if (home.kind !== 'arena') continue
      const known = lives.get(node)
      if (!known && (!written || kernel.program.reads.includes(buffer.name))) throw new Error(`${name}: kernel ${kernel.program.name} reads ${node.op} before it is written`)
      lives.set(node, { first: known?.first ?? i, last: i })
    }
    if (kernel.workspace !== 0) lives.set(workspaceKey(i), { first: i, last: i })
  })
  for (const slot of memory.slots) {
    const tenants = [...lives].filter(([key]) => slot.tenants.some((t) => t.key === key))
    for (const [one, a] of tenants) for (const [other, b] of tenants) {
      const isInPlace = (a.last === b.first && replaces(planned, b.first, one, other)) || (b.last === a.first && replaces(planned, a.first, other, one))
      if (one !== other && a.first <= b.last && b.first <= a.last && !isInPlace) throw new Error(`${name}: two values of one slot are alive together`)
    }
    if (tenants.length !== slot.tenants.length) throw new Error(`${name}: a slot has a tenant nobody uses`)
  }
  for (const key of lives.keys()) if (!memory.slotOf.has(key)) throw new Error(`${name}: a value has no slot`)
}
