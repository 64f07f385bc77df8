/**
 * What a function demands of sizes and indices that only its calls know: windows that fit into an image of any height, for example.
 * Not a change of the graph: the answer goes into the manifest, and the runtime checks it before a call.
 *
 *   %2 = windows(%x) {sizes=[3], …} : f32[B,floor_div(x_1-1,2)]   →   x_1-3 must not be negative
 */
import type { DimConstraint, IndexLimit } from '../../runtime/contract/manifest.js'
import { isNeverNegative } from '../ir/dim-bounds.js'
import { dimText } from '../ir/dim.js'
import { rootsOf, topological, type Graph } from '../ir/graph.js'
import { leafName } from '../ops/leaf.js'
import { opOf } from '../ops/registry.js'

/** In the order of the nodes, each room once; what always holds is left out. */
export function runTimeDemands(graph: Graph): DimConstraint[] {
  const found = new Map<string, DimConstraint>()
  for (const node of topological(rootsOf(graph))) {
    for (const { room, what } of opOf(node).demands?.(node) ?? []) {
      const text = dimText(room)
      if (!isNeverNegative(room) && !found.has(text)) found.set(text, { room: text, layer: node.from.path, what })
    }
  }
  return [...found.values()]
}

/** Inputs whose values name rows of a table; of several tables, each with its own limit. */
export function indexLimits(graph: Graph): IndexLimit[] {
  const found = new Map<string, IndexLimit>()
  for (const node of topological(rootsOf(graph))) {
    for (const { input, rows } of opOf(node).indices?.(node) ?? []) {
      const key = `${leafName(input)} ${rows}`
      if (!found.has(key)) found.set(key, { input: leafName(input), rows, layer: node.from.path })
    }
  }
  return [...found.values()]
}
