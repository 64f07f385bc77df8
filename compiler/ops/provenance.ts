/**
 * Where the nodes being made come from. A dynamic scope, as a model is built by ordinary calls: whoever builds a layer
 * or differentiates a node says so once, and every node made meanwhile carries it.
 */
import { nowhere, type Provenance } from '../ir/graph.js'

let current: Provenance = nowhere

/** The provenance that the next node will carry. */
export const currentProvenance = (): Provenance => current

/** Runs `body`; every node made inside carries `from` (fields left out stay as they are outside). Not for async bodies. */
export function within<T>(from: Partial<Provenance>, body: () => T): T {
  const outer = current
  current = { ...outer, ...from }
  try {
    return body()
  } finally {
    current = outer
  }
}
