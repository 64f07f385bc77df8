/** Starts the peers, lets them prepare, and measures them in alternating rounds, within a time that is given. */
import { PeerError, PeerProcess } from './peer-process.js'
import type { PeerSpec } from './peer-process.js'
import type { Skipped } from './peers.js'
import type { Hello, Limits, Prepared, Timing } from './protocol.js'
import type { Check, Results, Row } from './results.js'
import { summarize } from './statistics.js'
import { CHECKED_STEPS, taskName, tasks, workloads } from './workloads.js'
import type { Task } from './workloads.js'

export type Plan = {
  readonly rounds: number
  /** Of one measurement. */
  readonly seconds: number
  /** Rounds end, and preparation is cut short, so that the whole run takes no longer. */
  readonly totalSeconds: number
  readonly log: (text: string) => void
}

/** Time for the threads of one peer to stop spinning before the next one is measured. */
const PAUSE_MS = 40
const SLOWEST_RUN = 30

type Entry = { readonly peer: PeerProcess; readonly task: Task; way: string; readonly times: number[] }

const describe = ({ name, threads }: PeerSpec): string => `${name}, ${threads} thread${threads === 1 ? '' : 's'}`
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class Measurement {
  readonly #deadline: number
  readonly #peers: PeerProcess[]
  readonly #entries: Entry[] = []
  readonly #limits = new Map<number, Limits[]>()
  readonly #versions = new Map<string, string>()
  readonly #skipped: Skipped[] = []
  #checks: Check[] = []
  #rounds = 0

  constructor(specs: readonly PeerSpec[], readonly plan: Plan) {
    this.#deadline = performance.now() + plan.totalSeconds * 1000
    this.#peers = specs.map((spec) => new PeerProcess(spec))
  }

  #left(share = 1): number { return Math.max(5, ((this.#deadline - performance.now()) / 1000) * share) }

  /** The last third of the time belongs to the rounds. */
  #leftToPrepare(): number { return Math.max(3, this.#left() - this.plan.totalSeconds / 3) }

  /** A peer that fails is left out of what failed; the others go on. */
  async #attempt<Result>(peer: PeerProcess, what: string, body: () => Promise<Result>): Promise<Result | null> {
    try {
      return await body()
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      this.#skipped.push({ name: describe(peer.spec), reason: `${what}: ${messageOf(error)}` })
      return null
    }
  }

  async run(): Promise<Pick<Results, 'limits' | 'versions' | 'rounds' | 'seconds' | 'rows' | 'checks' | 'skipped'>> {
    try {
      await this.#prepare()
      await this.#check()
      await this.#choose()
      await this.#measure()
      return this.#results()
    } finally {
      for (const peer of this.#peers) peer.close()
    }
  }

  /** Models that a peer needs of another are there once the peers before it are ready; two prepare at a time. */
  async #prepare(): Promise<void> {
    const started = await Promise.all(this.#peers.map(async (peer) => {
      const hello = await this.#attempt(peer, 'start', () => peer.ask<Hello>({ command: 'hello' }, this.#left(0.4)))
      if (hello !== null) this.#versions.set(peer.spec.name, hello.version)
      return hello === null ? [] : [peer]
    }))
    const writers = (peer: PeerProcess): boolean => !peer.spec.trains && peer.spec.command !== process.execPath
    const ready = started.flat()
    await Promise.all(ready.filter(writers).map((peer) => this.#prepareOne(peer)))
    const slowLast = ({ spec }: PeerProcess): number => (spec.env['KCC_BENCH_MODE'] === 'compile' ? 1 : 0)
    const queue = ready.filter((peer) => !writers(peer)).sort((a, b) => slowLast(a) - slowLast(b))
    const work = async (): Promise<void> => {
      for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) await this.#prepareOne(peer)
    }
    await Promise.all([work(), work()])
    this.#entries.sort((a, b) => this.#peers.indexOf(a.peer) - this.#peers.indexOf(b.peer))
  }

  async #prepareOne(peer: PeerProcess): Promise<void> {
    for (const task of tasks.filter(({ kind }) => (kind === 'train' ? peer.spec.trains : peer.spec.predicts))) {
      this.plan.log(`preparing ${describe(peer.spec)}: ${taskName(task)}`)
      const prepared = await this.#attempt(peer, taskName(task), () => peer.ask<Prepared>({ command: 'prepare', ...task }, this.#leftToPrepare()))
      if (prepared === null && peer.ended) return
      if (prepared === null) continue
      for (const reason of prepared.failures) this.#skipped.push({ name: describe(peer.spec), reason: `${taskName(task)}: ${reason}` })
      this.#entries.push({ peer, task, way: prepared.ways[0] ?? '', times: [] })
    }
  }

  /** Losses of the first steps, compared with those of kcc. The setting with most threads speaks for a peer. */
  async #check(): Promise<void> {
    const speakers = new Map(this.#entries.map(({ peer }) => [peer.spec.name, peer]))
    for (const workload of workloads) {
      const found: { peer: string; losses: readonly number[] }[] = []
      for (const [name, peer] of speakers) {
        const losses = await this.#attempt(peer, `losses of ${workload.name}`, () => peer.ask<number[] | null>({ command: 'check', workload, steps: CHECKED_STEPS }, this.#left(0.4)))
        if (losses !== null) found.push({ peer: name, losses })
      }
      const reference = found.find(({ peer }) => peer === 'kcc')?.losses ?? []
      this.#checks.push(...found.map(({ peer, losses }) => ({
        workload: workload.name, peer, losses, difference: Math.max(...losses.map((loss, i) => Math.abs(loss - reference[i]!) / Math.abs(reference[i]!))),
      })))
    }
  }

  async #choose(): Promise<void> {
    for (const entry of this.#entries) {
      const { peer, task } = entry
      if (peer.ended) continue
      entry.way = await this.#attempt(peer, `choice for ${taskName(task)}`, () => peer.ask<string>({ command: 'choose', ...task, seconds: 0.1 }, SLOWEST_RUN)) ?? entry.way
    }
  }

  async #measure(): Promise<void> {
    for (let round = 0; round < this.plan.rounds; round++) {
      const before = performance.now()
      await this.#measureLimits()
      for (const task of tasks) await this.#measureTask(this.#entries.filter((entry) => entry.task === task), round)
      this.#rounds = round + 1
      const taken = performance.now() - before
      this.plan.log(`round ${this.#rounds} of ${this.plan.rounds}: ${(taken / 1000).toFixed(1)} s`)
      if (performance.now() + taken > this.#deadline) break
    }
  }

  /** Each round begins with another peer, so that none always follows the same neighbour. */
  async #measureTask(entries: readonly Entry[], round: number): Promise<void> {
    for (let i = 0; i < entries.length; i++) {
      const { peer, task, times } = entries[(i + round) % entries.length]!
      if (peer.ended) continue
      const timing = await this.#attempt(peer, taskName(task), () => peer.ask<Timing>({ command: 'run', ...task, seconds: this.plan.seconds }, SLOWEST_RUN))
      if (timing !== null) times.push(timing.seconds)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  async #measureLimits(): Promise<void> {
    for (const peer of this.#peers.filter(({ spec }) => spec.name === 'kcc')) {
      const limits = await this.#attempt(peer, 'limits of the machine', () => peer.ask<Limits>({ command: 'limits' }, SLOWEST_RUN))
      const { threads } = peer.spec
      if (limits !== null) this.#limits.set(threads, [...this.#limits.get(threads) ?? [], limits])
    }
  }

  #results(): Pick<Results, 'limits' | 'versions' | 'rounds' | 'seconds' | 'rows' | 'checks' | 'skipped'> {
    const rows = this.#entries.filter(({ times }) => times.length > 0).map(({ peer, task, way, times }): Row => ({
      kind: task.kind, workload: task.workload.name, peer: peer.spec.name, threads: peer.spec.threads, way, time: summarize(times),
    }))
    const limits = [...this.#limits].map(([threads, all]) => ({ threads, flops: summarize(all.map((l) => l.flops)), bandwidth: summarize(all.map((l) => l.bandwidth)) }))
    // The same failure of every round is told once.
    const skipped = [...new Map(this.#skipped.map((s) => [`${s.name} ${s.reason}`, s])).values()]
    return { limits, versions: Object.fromEntries(this.#versions), rounds: this.#rounds, seconds: this.plan.seconds, rows, checks: this.#checks, skipped }
  }
}
