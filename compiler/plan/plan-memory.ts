/**
 * Memory of one function: every value kept between kernels, and every kernel's scratch, gets a slot of one arena.
 * Values whose lifetimes do not meet share a slot. Sizes may be symbolic: a slot is as large as its largest tenant,
 * taken when the function is called; who shares with whom is decided here, at a reference batch.
 *
 * Invariant: two tenants of a slot are never alive in the same kernel, but for a result in the place of what it replaces there.
 */
import { isNeverNegative } from '../ir/dim-bounds.js'
import { atReference } from '../ir/cost.js'
import { evaluateDim, dimText, type Dim } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'

/** Alive from kernel `first` (which writes it) to kernel `last` (which reads it last), both included. */
export type Tenant = {
  readonly key: Node | string; readonly bytes: Dim; readonly first: number; readonly last: number
  /** Tenants of as many bytes whose place it may take in kernel `first`, if they are not alive after it. */
  readonly replaces?: ReadonlySet<Node | string>
}
export type Slot = { readonly sizes: readonly Dim[]; readonly tenants: readonly Tenant[] }
export type MemoryPlan = { readonly slots: readonly Slot[]; readonly slotOf: ReadonlyMap<Node | string, number> }

/** Every slot starts at a multiple of this: a cache line, and the widest vector. */
export const alignment = 64

export function planMemory(tenants: readonly Tenant[]): MemoryPlan {
  const slots: { sizes: Dim[]; tenants: Tenant[] }[] = []
  const slotOf = new Map<Node | string, number>()
  for (const tenant of [...tenants].sort((a, b) => a.first - b.first || atReference(b.bytes) - atReference(a.bytes))) {
    const at = bestSlot(slots, tenant)
    const slot = slots[at] ?? (slots[at] = { sizes: [], tenants: [] })
    slot.tenants.push(tenant)
    if (!slot.sizes.some((size) => dimText(size) === dimText(tenant.bytes))) slot.sizes.push(tenant.bytes)
    slotOf.set(tenant.key, at)
  }
  return { slots, slotOf }
}

/** That of a value which the tenant replaces; else the free slot that wastes least; a new one when all are taken. */
function bestSlot(slots: readonly { sizes: Dim[]; tenants: Tenant[] }[], tenant: Tenant): number {
  const isReplaced = (t: Tenant): boolean => t.last === tenant.first && tenant.replaces?.has(t.key) === true
  const free = slots.map((slot, i) => ({ slot, i })).filter(({ slot }) => slot.tenants.every((t) => t.last < tenant.first || tenant.last < t.first || isReplaced(t)))
  const waste = ({ slot }: { slot: { sizes: Dim[]; tenants: Tenant[] } }): number =>
    slot.tenants.some(isReplaced) ? -1 : Math.abs(Math.max(...slot.sizes.map(atReference)) - atReference(tenant.bytes))
  return free.sort((a, b) => waste(a) - waste(b))[0]?.i ?? slots.length
}

/**
 * Sizes whose largest is the slot's. Windows larger than an axis whose size is not known have a count below 0: such a
 * tenant takes no room, and must not move the slots after it.
 */
export const sizesOf = ({ sizes }: Slot): readonly Dim[] => (sizes.every(isNeverNegative) ? sizes : [...sizes, 0])

const roundUp = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/** Bytes of the arena for given symbols. */
export const arenaBytes = (plan: MemoryPlan, env: Readonly<Record<string, number>>): number =>
  plan.slots.reduce((sum, slot) => sum + roundUp(Math.max(...sizesOf(slot).map((size) => evaluateDim(size, env)))), 0)

/** The same as a formula for people. */
export const arenaText = (plan: MemoryPlan): string =>
  plan.slots.map(sizesOf).map((sizes) => (sizes.length === 1 ? dimText(sizes[0]!) : `max(${sizes.map((size) => dimText(size)).join(', ')})`)).join(' + ') || '0'
