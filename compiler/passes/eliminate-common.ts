/**
 * Makes equal nodes one node.
 *
 * Before: any verified graph.
 * After: no two nodes have the same op, attributes, type and inputs (in any order for a commutative op). Random numbers of
 * the same stream are equal too. The node that comes first gives its provenance.
 *
 *     %1 = exp(%x) : f32[B]             %1 = exp(%x) : f32[B]
 *     %2 = exp(%x) : f32[B]        →    %2 = add(%1, %1) : f32[B]
 *     %3 = add(%1, %2) : f32[B]
 */
import { attrText, typeText } from '../ir/graph-text.js'
import { keep, rewriteGraph, type Graph, type Node } from '../ir/graph.js'
import { opOf } from '../ops/registry.js'

export function eliminateCommon(graph: Graph): Graph {
  const byKey = new Map<string, Node>()
  const ids = new Map<Node, number>()
  return rewriteGraph(graph, (node, inputs) => {
    const key = keyOf(node, inputs.map((x) => ids.get(x)!))
    const known = byKey.get(key)
    if (known) return known
    const kept = keep(node, inputs)
    byKey.set(key, kept)
    ids.set(kept, ids.size)
    return kept
  })
}

function keyOf(node: Node, inputs: readonly number[]): string {
  const ordered = opOf(node).commutative ? [...inputs].sort((a, b) => a - b) : inputs
  const attrs = Object.keys(node.attrs).sort().map((name) => `${name}=${attrText(node.attrs[name]!)}`)
  return [node.op, ordered.join(','), attrs.join(','), typeText(node.type)].join('|')
}
