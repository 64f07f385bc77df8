/**
 * The second half of fusion: decides which values are stored and where, and in which order kernels run.
 *
 * A variable's new value is written in place when every reader of the old value can run before, or reads only the
 * element being replaced; otherwise the new value is kept aside and copied at the end. A new value that is itself an old
 * variable or an input is first copied by a kernel of its own, which is then a writer and a reader like any other.
 */
import { atReference, bytesOf } from '../ir/cost.js'
import type { Graph, Node, Update } from '../ir/graph.js'
import { rootsOf, topological } from '../ir/graph.js'
import type { Home, Kernel, KernelGraph, Placement } from '../ir/kernel-graph.js'
import { storageRoot } from '../ops/access.js'
import { makeNode } from '../ops/build.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, readsInPlace, reaches, type Formed, type Group } from './kernel-groups.js'
import { launchOrder, type Shared } from './launch-order.js'
import { placeParts } from './place-parts.js'

/** An update whose new value is computed by the kernel `writer`. */
type Placing = { readonly variable: string; readonly root: Node; readonly writer: Group }

/** With `placeInside`, parts of a value are stored in it by the kernels that make them. */
export function orderKernels(graph: Graph, formed: Formed, placeInside: boolean): KernelGraph {
  const groups = [...formed.groups]
  const homes = new Map<Node, Home[]>()
  // All of them before the first is placed: a copy reads an old value.
  const placings = graph.updates.flatMap((update) => placingOf(update, groups, formed.groupOf))
  addLeafHomes(graph, homes)
  graph.outputs.forEach((output, index) => addHome(homes, storageRoot(output.node), { kind: 'output', index }))
  for (const placing of placings) place(placing, groups, homes)
  const placements: ReadonlyMap<Node, Placement> = placeInside ? placeParts(graph, groups, formed.groupOf, homes) : new Map()
  for (const node of storedElsewhere(groups, formed.groupOf)) if (!homes.has(node)) homes.set(node, [{ kind: 'arena' }])
  for (const [node, { root }] of placements) homes.set(node, homes.get(root)!)
  const names = new Set<string>()
  const working = launchOrder(groups, sharedBy(groups, homes, placements)).filter((group) => !isMadeInside(group, placements))
  const kernels = working.map((group) => toKernel(group, homes, formed.groupOf, names))
  return { graph, kernels, homes, placements }
}

/** A value of which all parts are stored in it already: nothing is left to do. */
function isMadeInside(group: Group, placements: ReadonlyMap<Node, Placement>): boolean {
  return group.kind === 'tiles' && [...group.roles.keys()].every((node) => node.inputs.every((input) => placements.has(storageRoot(input))))
}

function addHome(homes: Map<Node, Home[]>, node: Node, home: Home): void {
  homes.set(node, [...(homes.get(node) ?? []), home])
}

function addLeafHomes(graph: Graph, homes: Map<Node, Home[]>): void {
  graph.inputs.forEach((node, index) => addHome(homes, node, { kind: 'input', index }))
  for (const node of topological(rootsOf(graph))) {
    const name = variableRead(node)
    if (name !== null) addHome(homes, node, { kind: 'variable', name })
  }
}

/** The variable a leaf holds, or null. */
function variableRead(node: Node): string | null {
  const { lowering } = opOf(node)
  return lowering.kind === 'leaf' && lowering.holds === 'variable' ? String(node.attrs['name']) : null
}

/** Values that a kernel other than their own reads. */
function storedElsewhere(groups: readonly Group[], groupOf: ReadonlyMap<Node, Group>): Node[] {
  const reads = groups.flatMap((group) => readFrom(group).map((root) => ({ group, root })))
  return reads.filter(({ group, root }) => groupOf.has(root) && groupOf.get(root) !== group).map(({ root }) => root)
}

/** What a kernel reads that it does not compute. */
const readFrom = (group: Group): Node[] =>
  [...group.roles.keys()].flatMap((node) => accessesOf(node).filter((a) => !group.roles.has(a.source)).map((a) => storageRoot(a.source)))

function placingOf({ variable, node }: Update, groups: Group[], groupOf: ReadonlyMap<Node, Group>): Placing[] {
  const root = storageRoot(node)
  if (variableRead(root) === variable) return []
  const writer = groupOf.get(root)
  if (writer && opOf(root).lowering.kind !== 'leaf') return [{ variable, root, writer }]
  const { copy, group } = copying(root, groups.length)
  groups.push(group)
  return [{ variable, root: copy, writer: group }]
}

function place({ variable, root, writer }: Placing, groups: Group[], homes: Map<Node, Home[]>): void {
  const readers = groups.filter((group) => readsVariable(group, variable))
  const inPlace = readers.every((reader) => (reader === writer ? readsOnlyItsElement(writer, root, variable) : !reaches(reader, writer)))
  if (inPlace) {
    for (const reader of readers) if (reader !== writer) writer.needs.add(reader)
    return addHome(homes, root, { kind: 'variable', name: variable })
  }
  if (!homes.has(root)) homes.set(root, [{ kind: 'arena' }])
  const { copy, group } = copying(root, groups.length)
  for (const needed of [...readers, writer]) group.needs.add(needed)
  homes.set(copy, [{ kind: 'variable', name: variable }])
  groups.push(group)
}

/** A kernel that copies a stored value. The copy is a value of its own: readers do not look through it. */
function copying(root: Node, id: number): { copy: Node; group: Group } {
  const copy = makeNode('cast', [root], { dtype: root.type.dtype })
  return { copy, group: { id, kind: 'map', domain: root.type.shape, reduced: [], roles: new Map([[copy, 'full']]), needs: new Set() } }
}

const readsVariable = (group: Group, variable: string): boolean =>
  [...group.roles.keys()].some((node) => variableRead(node) === variable || accessesOf(node).some((a) => variableRead(storageRoot(a.source)) === variable))

/** Every read of the variable in its writer's kernel is of the very element being written. */
function readsOnlyItsElement(group: Group, root: Node, variable: string): boolean {
  const role = group.roles.get(root)!
  return [...group.roles].every(([node, nodeRole]) => accessesOf(node).every((access) => {
    if (variableRead(storageRoot(access.source)) !== variable) return true
    const asMember: Group = { ...group, roles: new Map([[access.source, role]]) }
    return opOf(node).lowering.kind === 'pointwise' && nodeRole === role && readsInPlace(asMember, role, node.type.shape, access)
  }))
}

/** Values of the arena, each with the kernels that make or read it, or parts of it. */
function sharedBy(groups: readonly Group[], homes: ReadonlyMap<Node, readonly Home[]>, placements: ReadonlyMap<Node, Placement>): Shared[] {
  const users = new Map<Node, Set<Group>>()
  for (const group of groups) {
    for (const touched of [...group.roles.keys(), ...readFrom(group)]) {
      const value = placements.get(touched)?.root ?? touched
      if (homes.get(value)?.some(({ kind }) => kind === 'arena')) users.set(value, (users.get(value) ?? new Set()).add(group))
    }
  }
  return [...users].map(([value, usedBy]) => ({ bytes: atReference(bytesOf(value.type)), users: usedBy }))
}

function toKernel(group: Group, homes: ReadonlyMap<Node, readonly Home[]>, groupOf: Formed['groupOf'], names: Set<string>): Kernel {
  const nodes = topological([...group.roles.keys()]).filter((node) => group.roles.has(node))
  const main = nodes.find((node) => opOf(node).lowering.kind === group.kind) ?? nodes.find((node) => isMain(node)) ?? nodes[nodes.length - 1]!
  return {
    name: uniqueName(`${main.from.path || 'model'}_${main.op}`, names),
    kind: group.kind, domain: group.domain, reduced: group.reduced, nodes,
    roles: new Map(group.roles),
    stored: nodes.filter((node) => homes.has(node) && (groupOf.get(node) ?? group) === group),
    from: main.from,
  }
}

const isMain = (node: Node): boolean => ['contract', 'collect', 'reduce', 'argmax', 'tiles'].includes(opOf(node).lowering.kind)

/** A C identifier: layer paths may hold any characters a user chose. */
function uniqueName(text: string, taken: Set<string>): string {
  const base = text.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/^(\d)/, '_$1').replace(/_+$/, '').slice(0, 60)
  let name = base
  for (let i = 2; taken.has(name); i++) name = `${base}_${i}`
  taken.add(name)
  return name
}
