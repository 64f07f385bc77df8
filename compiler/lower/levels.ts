/** Which combinations of a kernel wait for each other. */
import type { Node } from '../ir/graph.js'
import type { Kernel } from '../ir/kernel-graph.js'
import { identityIndex, readsAt } from '../ops/access.js'
import { opOf } from '../ops/registry.js'

/** Of each node: how many combinations of the kernel come one after the other until it is known, itself included. */
export function levelsOf({ nodes }: Kernel): ReadonlyMap<Node, number> {
  const levels = new Map<Node, number>()
  for (const node of nodes) {
    const below = readsAt(node, identityIndex(node.type.shape.length)).reduce((most, { source }) => Math.max(most, levels.get(source) ?? 0), 0)
    levels.set(node, isCombination(node) ? below + 1 : below)
  }
  return levels
}

const isCombination = (node: Node): boolean => ['reduce', 'argmax'].includes(opOf(node).lowering.kind)
