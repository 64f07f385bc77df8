/**
 * One pass of a model's layers over graph nodes, in training or inference mode. Collects what layers add besides
 * their outputs: penalties, and updates of their state.
 */
import { within } from '../ops/build.js'
import type { Node, Update } from '../ir/graph.js'
import type { SourceLocation } from '../../runtime/contract/errors.js'

/** Streams from here up belong to ops with a seed of their own, so that counted streams never meet them. */
const SEEDED_STREAMS = 0x40000000

export class RunScope {
  /** 0-d float32 nodes to be added to the loss: activity penalties and what `addLoss` was given. */
  readonly losses: Node[] = []
  private pending = new Map<string, Node>()
  private path: string
  private streams = 0

  /** `path` prefixes the layer paths of all nodes made in this run. */
  constructor(readonly training: boolean, path = '') { this.path = path }

  /** What variables are set to after the step, each once. */
  get updates(): readonly Update[] { return [...this.pending].map(([variable, node]) => ({ variable, node })) }

  /** After the step, `variable` takes the value of `node`; a later call in this run takes the place of an earlier one. */
  update(variable: string, node: Node): void { this.pending.set(variable, node) }

  /** The new value that this run has given `variable` so far; null for none. */
  updated(variable: string): Node | null { return this.pending.get(variable) ?? null }

  /** Runs `body` and drops the updates it makes: those of layers that are frozen. */
  withoutUpdates<T>(body: () => T): T {
    const before = new Map(this.pending)
    try {
      return body()
    } finally {
      this.pending = before
    }
  }

  /** A random stream of this run. The same seed gives the same stream; without one each call has its own. */
  nextStream(seed: number | null = null): number {
    return seed === null ? ++this.streams : SEEDED_STREAMS + (seed >>> 0) % SEEDED_STREAMS
  }

  /** Runs `body` as the work of layer `name`: nodes made inside carry its path and the user's line. */
  inLayer<T>(name: string, location: SourceLocation | null, body: () => T): T {
    const outer = this.path
    this.path = outer === '' ? name : `${outer}/${name}`
    try {
      return within(location ? { path: this.path, location } : { path: this.path }, body)
    } finally {
      this.path = outer
    }
  }
}
