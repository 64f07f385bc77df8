/**
 * Drops what has no effect. (Nodes nobody uses are not part of a function to begin with: a graph is what its roots reach.)
 *
 * Before: any verified module.
 * After: no update stores the value its variable already has; run-time scalars that no function reads are gone, and so is
 * state that none reads or updates. Weights and optimizer slots stay, as the model's lists name them.
 *
 *     scalar "unused" = 1
 *     %0 = variable() {name="state", dtype, shape} : f32[3]        %0 = variable() {name="state", dtype, shape} : f32[3]
 *     output "y" = %0                                         →    output "y" = %0
 *     update "state" = %0
 */
import { rootsOf, topological, type Graph, type Module, type Node, type Update } from '../ir/graph.js'
import { leafName } from '../ops/leaf.js'
import { opOf } from '../ops/registry.js'

export const eliminateDead = (module: Module): Module =>
  dropUnused({ ...module, functions: module.functions.map(dropIdleUpdates) })

function dropIdleUpdates(graph: Graph): Graph {
  const updates = graph.updates.filter((u) => !storesItself(u))
  return updates.length === graph.updates.length ? graph : { ...graph, updates }
}

const isVariable = (node: Node): boolean => {
  const { lowering } = opOf(node)
  return lowering.kind === 'leaf' && lowering.holds === 'variable'
}

const storesItself = ({ variable, node }: Update): boolean => isVariable(node) && leafName(node) === variable

function dropUnused(module: Module): Module {
  const read = new Set<string>(), scalars = new Set<string>()
  for (const node of topological(module.functions.flatMap(rootsOf))) {
    if (isVariable(node)) read.add(leafName(node))
    else if (node.inputs.length === 0 && typeof node.attrs.name === 'string') scalars.add(node.attrs.name)
  }
  for (const update of module.functions.flatMap((f) => f.updates)) read.add(update.variable)
  return {
    ...module,
    variables: module.variables.filter((v) => v.role === 'weight' || v.role === 'slot' || read.has(v.name)),
    scalars: module.scalars.filter((s) => scalars.has(s.name)),
  }
}
