/**
 * The order in which kernels run, of those whose needs have run: while there are some that take hardly more memory than
 * they leave, the one that uses what was made last, which caches may still hold; else the one that takes least. Of equals,
 * the one that was opened first. So a weight's gradient is made before the next step back, and what it is made of need not
 * be kept until all other gradients are there.
 *
 *     dx3  normalise  dx2  normalise  dw3  dw2        →        dx3  normalise  dw3  dx2  normalise  dw2
 *
 * Greedy list scheduling: the best order is NP-hard to find (Sethi, "Complete register allocation problems", 1975).
 */
import type { Group } from './kernel-groups.js'

/** Memory that kernels share: taken when the first of them runs, free when the last has. */
export type Shared = { readonly bytes: number; readonly users: ReadonlySet<Group> }

/** A kernel takes hardly any memory when it adds less than this share of what is in use. */
const littleShare = 1 / 64

export function launchOrder(groups: readonly Group[], shared: readonly Shared[]): Group[] {
  const memory = new InUse(shared)
  const waiting = new Set([...groups].sort((a, b) => a.id - b.id))
  const order: Group[] = []
  while (waiting.size > 0) {
    const next = memory.best([...waiting].filter((group) => ![...group.needs].some((needed) => waiting.has(needed))))
    waiting.delete(next)
    memory.run(next)
    order.push(next)
  }
  return order
}

/** The first of those with the least value. */
function leastBy<T>(items: readonly T[], value: (item: T) => number): T {
  const values = items.map(value)
  return items[values.indexOf(Math.min(...values))]!
}

/** What is taken, since when, and how many kernels that use it are still to run. */
class InUse {
  private readonly left: Map<Shared, number>
  private readonly takenAt = new Map<Shared, number>()
  private readonly usedBy = new Map<Group, Shared[]>()
  private bytes = 0
  private launches = 0

  constructor(shared: readonly Shared[]) {
    this.left = new Map(shared.map((piece) => [piece, piece.users.size]))
    for (const piece of shared) for (const user of piece.users) this.usedBy.set(user, [...(this.usedBy.get(user) ?? []), piece])
  }

  best(ready: readonly Group[]): Group {
    const modest = ready.filter((group) => this.growth(group) <= this.bytes * littleShare)
    return modest.length > 0 ? leastBy(modest, (group) => -this.freshness(group)) : leastBy(ready, (group) => this.growth(group))
  }

  run(group: Group): void {
    this.bytes += this.growth(group)
    this.launches += 1
    for (const piece of this.of(group)) {
      if (!this.takenAt.has(piece)) this.takenAt.set(piece, this.launches)
      this.left.set(piece, this.left.get(piece)! - 1)
    }
  }

  /** Bytes that are in use after the kernel and were not before. */
  private growth(group: Group): number {
    return this.of(group).reduce((sum, piece) => sum + (this.takenAt.has(piece) ? 0 : piece.bytes) - (this.left.get(piece) === 1 ? piece.bytes : 0), 0)
  }

  /** When the youngest value that the kernel uses was made: 0 when it uses none that is there. */
  private freshness(group: Group): number {
    return Math.max(0, ...this.of(group).map((piece) => this.takenAt.get(piece) ?? 0))
  }

  private of(group: Group): readonly Shared[] {
    return this.usedBy.get(group) ?? []
  }
}
