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
  readonly updates: Update[] = []
  private path: string
  private streams = 0

  /** `path` prefixes the layer paths of all nodes made in this run. */
  constructor(readonly training: boolean, path = '') { this.path = path }

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
