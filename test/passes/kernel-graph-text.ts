/** A function cut into kernels, as text for golden cases. */
import { shapeText } from '../../compiler/ir/dim.js'
import { printGraph, typeText } from '../../compiler/ir/graph-text.js'
import { rootsOf, topological, type Graph, type Node } from '../../compiler/ir/graph.js'
import type { Home, Kernel, KernelGraph } from '../../compiler/ir/kernel-graph.js'

/**
 *     kernel model_matmul contract [B,8] {
 *       full %2 matmul
 *       full %3 relu → output "y"
 *     }
 *
 * Numbers are those of `printGraph`; a node the formation added has none.
 */
export function printKernels(graph: Graph, { kernels, homes }: KernelGraph): string {
  const names = namesOf(graph)
  const nameOf = (node: Node): string => names.get(node) ?? `copy of ${names.get(node.inputs[0]!) ?? 'a copy'}`
  return kernels.map((kernel) => [
    `kernel ${kernel.name} ${kernel.kind} ${shapeText(kernel.domain)}${reducedText(kernel)} {`,
    ...kernel.nodes.map((node) => `  ${kernel.roles.get(node)} ${nameOf(node)} ${node.op} : ${typeText(node.type)}${homesText(graph, kernel, node, homes.get(node))}`),
    '}', '',
  ].join('\n')).join('')
}

const reducedText = ({ reduced }: Kernel): string => (reduced.length > 0 ? ` over ${reduced.join(', ')}` : '')

function homesText(graph: Graph, kernel: Kernel, node: Node, homes: readonly Home[] | undefined): string {
  if (!kernel.stored.includes(node) || !homes) return ''
  return ` → ${homes.map((home) => homeText(graph, home)).join(', ')}`
}

function homeText(graph: Graph, home: Home): string {
  switch (home.kind) {
    case 'arena': return 'arena'
    case 'variable': return `variable "${home.name}"`
    case 'output': return `output "${graph.outputs[home.index]!.name}"`
    case 'input': return `input ${home.index}`
  }
}

/** Names as `printGraph` gives them: its lines are in the order of the nodes. */
function namesOf(graph: Graph): Map<Node, string> {
  const lines = printGraph(graph).split('\n').flatMap((line) => /^\s+(%\w+) = /.exec(line)?.[1] ?? [])
  const order = nodesInPrintOrder(graph)
  if (lines.length !== order.length) throw new Error('the printer lists other nodes')
  return new Map(order.map((node, i) => [node, lines[i]!]))
}

const nodesInPrintOrder = (graph: Graph): readonly Node[] => topological([...graph.inputs, ...rootsOf(graph)])
