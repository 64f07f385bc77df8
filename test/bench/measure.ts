/** Goes through the workloads: peers prepare, their results are compared, and they are measured in alternating rounds. */
import { comparison } from './compare.js'
import { PeerError, PeerProcess } from './peer-process.js'
import type { PeerSpec } from './peer-process.js'
import type { Skipped } from './peers.js'
import type { CheckAnswer, GapsAnswer, Hello, Limits, Prepared, Timing } from './protocol.js'
import type { Check, Gap, Limit, Results, Row } from './results.js'
import { summarize } from './statistics.js'
import type { Summary } from './statistics.js'
import { CHECKED_SAMPLES, CHECKED_STEPS, taskName, tasksOf } from './workloads.js'
import type { Task, Workload } from './workloads.js'

export type Plan = {
  readonly rounds: number
  /** Of one measurement. */
  readonly seconds: number
  /** The rounds of a workload end after as many seconds; there are at least two. */
  readonly workloadSeconds: number
  /** For a peer to prepare one task; then it is left out of it. */
  readonly prepareSeconds: number
  /** Whether the time between two steps on a GPU is measured. */
  readonly gaps: boolean
  readonly log: (text: string) => void
}

export type Measured = Pick<Results, 'limits' | 'versions' | 'rows' | 'checks' | 'skipped' | 'gaps'>

/** Time for the threads of one peer to stop spinning before the next one is measured. */
const PAUSE_MS = 40
const SLOWEST_RUN = 60
const START_SECONDS = 120

type Entry = { readonly peer: PeerProcess; readonly task: Task; way: string; readonly times: number[] }

const tensorLimit = (all: readonly Limits[]): { tensorFlops?: Summary } => {
  const found = all.flatMap(({ tensorFlops }) => tensorFlops ?? [])
  return found.length === 0 ? {} : { tensorFlops: summarize(found) }
}
const describe = ({ name, threads }: PeerSpec): string => `${name}, ${threads} thread${threads === 1 ? '' : 's'}`
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class Measurement {
  readonly #peers = new Map<PeerSpec, PeerProcess>()
  readonly #limits: Limit[] = []
  readonly #versions = new Map<string, string>()
  readonly #skipped: Skipped[] = []
  readonly #checks: Check[] = []
  readonly #rows: Row[] = []
  readonly #gaps: Gap[] = []

  constructor(readonly specs: readonly PeerSpec[], readonly plan: Plan) {}

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

  async run(workloads: readonly Workload[]): Promise<Measured> {
    try {
      for (const workload of workloads) await this.#workload(workload)
      return this.#results()
    } finally {
      for (const peer of this.#peers.values()) peer.close()
    }
  }

  async #workload(workload: Workload): Promise<void> {
    const started = performance.now(), peers = await this.#start(workload)
    const entries = await this.#prepare(peers, workload)
    await this.#check(peers.filter((peer) => entries.some((entry) => entry.peer === peer)), workload)
    for (const entry of entries) await this.#choose(entry)
    const rounds = await this.#measure(entries, peers, workload)
    if (this.plan.gaps) for (const { peer, task } of entries.filter(({ peer, task }) => peer.spec.name === 'kcc' && task.kind === 'train')) await this.#measureGap(peer, task)
    for (const { peer, task, way, times } of entries.filter(({ times }) => times.length > 0)) {
      this.#rows.push({ kind: task.kind, workload: workload.name, batch: task.batch, peer: peer.spec.name, threads: peer.spec.threads, way, time: summarize(times) })
    }
    for (const peer of peers.filter(({ ended }) => !ended)) await this.#attempt(peer, 'release', () => peer.ask({ command: 'release' }, SLOWEST_RUN))
    this.plan.log(`${workload.name}: ${rounds} rounds, ${((performance.now() - started) / 1000).toFixed(0)} s in all`)
  }

  /** Peers that can do something of the workload, with two threads or, if it is small, also with one. Those that ended are started again. */
  async #start(workload: Workload): Promise<PeerProcess[]> {
    const kinds = new Set(tasksOf(workload).map(({ kind }) => kind))
    const wanted = this.specs.filter(({ trains, predicts, threads, unfused }) =>
      ((trains && kinds.has('train')) || (predicts && kinds.has('predict'))) && (workload.small || threads > 1) && (workload.unfused || !unfused))
    const peers = wanted.map((spec) => {
      const running = this.#peers.get(spec)
      return running === undefined || running.ended ? this.#spawn(spec) : running
    })
    const ready = await Promise.all(peers.map(async (peer) => {
      const hello = await this.#attempt(peer, 'start', () => peer.ask<Hello>({ command: 'hello' }, START_SECONDS))
      if (hello !== null) this.#versions.set(peer.spec.name, hello.version)
      return hello !== null
    }))
    return peers.filter((_, i) => ready[i])
  }

  #spawn(spec: PeerSpec): PeerProcess {
    const peer = new PeerProcess(spec)
    this.#peers.set(spec, peer)
    return peer
  }

  /** Those that write models for others go first; two prepare at a time. */
  async #prepare(peers: readonly PeerProcess[], workload: Workload): Promise<Entry[]> {
    const entries: Entry[] = []
    const inPairs = async (queue: PeerProcess[]): Promise<void> => {
      const work = async (): Promise<void> => {
        for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) entries.push(...await this.#prepareOne(peer, workload))
      }
      await Promise.all([work(), work()])
    }
    await inPairs(peers.filter(({ spec }) => spec.writesModels))
    await inPairs(peers.filter(({ spec }) => !spec.writesModels))
    return entries.sort((a, b) => peers.indexOf(a.peer) - peers.indexOf(b.peer))
  }

  async #prepareOne(peer: PeerProcess, workload: Workload): Promise<Entry[]> {
    const entries: Entry[] = []
    for (const task of tasksOf(workload).filter(({ kind }) => (kind === 'train' ? peer.spec.trains : peer.spec.predicts))) {
      if (peer.ended) break
      this.plan.log(`preparing ${describe(peer.spec)}: ${taskName(task)}`)
      const prepared = await this.#attempt(peer, taskName(task), () => peer.ask<Prepared>({ command: 'prepare', ...task }, this.plan.prepareSeconds))
      if (prepared === null) continue
      for (const reason of prepared.failures) this.#skipped.push({ name: describe(peer.spec), reason: `${taskName(task)}: ${reason}` })
      entries.push({ peer, task, way: prepared.ways[0] ?? '', times: [] })
    }
    return peer.ended ? [] : entries
  }

  /** What peers compute, compared with kcc. The setting with most threads speaks for a peer. */
  async #check(peers: readonly PeerProcess[], workload: Workload): Promise<void> {
    const speakers = new Map(peers.map((peer) => [peer.spec.name, peer]))
    const found = new Map<string, CheckAnswer>()
    for (const [name, peer] of speakers) {
      const answer = await this.#attempt(peer, `check of ${workload.name}`, () =>
        peer.ask<CheckAnswer | null>({ command: 'check', workload, steps: CHECKED_STEPS, samples: CHECKED_SAMPLES }, this.plan.prepareSeconds))
      if (answer !== null) found.set(name, answer)
    }
    const reference = found.get('kcc')
    if (reference === undefined) return
    this.#checks.push(...[...found].map(([peer, answer]) => ({ workload: workload.name, peer, ...comparison(answer, reference) })))
  }

  async #choose(entry: Entry): Promise<void> {
    const { peer, task } = entry
    if (peer.ended) return
    entry.way = await this.#attempt(peer, `choice for ${taskName(task)}`, () => peer.ask<string>({ command: 'choose', ...task, seconds: 0.1 }, SLOWEST_RUN)) ?? entry.way
  }

  async #measure(entries: readonly Entry[], peers: readonly PeerProcess[], workload: Workload): Promise<number> {
    const started = performance.now(), limits = new Map<number, Limits[]>()
    let round = 0
    while (round < this.plan.rounds && (round < 2 || performance.now() - started < this.plan.workloadSeconds * 1000)) {
      await this.#measureLimits(peers, limits)
      for (const name of new Set(entries.map(({ task }) => taskName(task)))) await this.#measureTask(entries.filter(({ task }) => taskName(task) === name), round)
      round++
    }
    for (const [threads, all] of limits) {
      this.#limits.push({ workload: workload.name, threads, flops: summarize(all.map((l) => l.flops)), bandwidth: summarize(all.map((l) => l.bandwidth)), ...tensorLimit(all) })
    }
    return round
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

  async #measureGap(peer: PeerProcess, task: Task): Promise<void> {
    const found = await this.#attempt(peer, `gaps of ${taskName(task)}`, () => peer.ask<GapsAnswer>({ command: 'gaps', ...task }, SLOWEST_RUN))
    const seconds = (nanoseconds: readonly number[]): Summary => summarize(nanoseconds.map((ns) => ns / 1e9))
    if (found !== null && found.steps.length > 0) this.#gaps.push({ workload: task.workload.name, step: seconds(found.steps), between: seconds(found.between) })
  }

  async #measureLimits(peers: readonly PeerProcess[], limits: Map<number, Limits[]>): Promise<void> {
    for (const peer of peers.filter(({ spec }) => spec.name === 'kcc')) {
      const found = await this.#attempt(peer, 'limits of the machine', () => peer.ask<Limits>({ command: 'limits' }, SLOWEST_RUN))
      if (found !== null) limits.set(peer.spec.threads, [...limits.get(peer.spec.threads) ?? [], found])
    }
  }

  #results(): Measured {
    // The same failure of every round is told once.
    const skipped = [...new Map(this.#skipped.map((s) => [`${s.name} ${s.reason}`, s])).values()]
    return { limits: this.#limits, versions: Object.fromEntries(this.#versions), rows: this.#rows, checks: this.#checks, skipped, ...(this.plan.gaps ? { gaps: this.#gaps } : {}) }
  }
}
