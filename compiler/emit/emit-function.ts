/** A planned function as the view of its launches: slots of the arena, pointers, and one call per kernel. */
import { bytesOf } from '../ir/cost.js'
import type { Target } from '../schedule/target.js'
import { cDim } from './c-dim.js'
import type { Module, Node, Provenance } from '../ir/graph.js'
import type { BoundBuffer, BoundKernel, PlannedFunction } from '../plan/plan-function.js'
import { workspaceKey } from '../plan/plan-function.js'
import { sizesOf, type Slot } from '../plan/plan-memory.js'
import { identifier, storedType } from './c-expr.js'
import { needsOf } from './kernel-fields.js'
import type { FunctionView, KernelView, LaunchView } from './views.js'

/** What the emitter knows about a module besides its functions: the order of its tables. */
export type Tables = { readonly module: Module; readonly dims: readonly string[]; readonly timed: boolean; readonly target: Target }

export function functionView(tables: Tables, planned: PlannedFunction, kernels: readonly KernelView[], listed: boolean, suffix: string, specials: FunctionView['specials']): FunctionView {
  const pointers = new Pointers(tables, planned)
  const launches = planned.kernels.map((kernel, i) => launchView(tables, planned, kernel, i, kernels[i]!, pointers))
  const { graph, memory } = planned
  return {
    name: graph.name, identifier: functionIdentifier(tables.module.name, graph.name, suffix), listed, specials, timed: tables.timed && tables.target.name === 'cpu',
    dims: tables.dims.map((name, i) => `[[maybe_unused]] const int64_t ${name} = dims[${i}];`),
    slots: memory.slots.map((_, i) => ({ name: `slot${i}`, start: i === 0 ? 'call->arena' : `slot${i - 1} + ${sizeText(memory.slots[i - 1]!)}` })),
    arena: memory.slots.map(sizeText).join(' + ') || '0',
    pointers: pointers.declarations, launches,
    inputs: graph.inputs.length, outputs: graph.outputs.length,
    usesRandom: planned.kernels.some((k) => needsOf(k.program).streams.length > 0) ? 1 : 0,
    updates: graph.updates.length > 0 ? 1 : 0,
    sized: listed && tables.target.name === 'cuda',
    tensors: [...graph.inputs, ...graph.outputs.map((o) => o.node)].map((node) => cDim(bytesOf(node.type))),
  }
}

export const functionIdentifier = (module: string, name: string, suffix: string): string => identifier(`${module}_${name}${suffix}`)

const sizeText = (slot: Slot): string => `kcc::align64(${sizesOf(slot).map(cDim).reduce((a, b) => `kcc::larger(${a}, ${b})`)})`

/** Pointers to what kernels read and write, declared once each under readable names. */
class Pointers {
  readonly declarations: { type: string; name: string }[] = []
  private readonly names = new Map<string, string>()

  constructor(private readonly tables: Tables, private readonly planned: PlannedFunction) {}

  of(bound: BoundBuffer): string {
    const key = this.address(bound)
    const known = this.names.get(key)
    if (known) return known
    const name = this.fresh(bound)
    const type = `${storedType(bound.node.type.dtype)}*`
    this.declarations.push({ type, name: `${name} = (${type})${key}` })
    this.names.set(key, name)
    return name
  }

  private address({ home, node }: BoundBuffer): string {
    switch (home.kind) {
      case 'input': return `call->inputs[${home.index}]`
      case 'output': return `call->outputs[${home.index}]`
      case 'variable': return `call->variables[${this.tables.module.variables.findIndex((v) => v.name === home.name)}]`
      case 'arena': return `(slot${this.planned.memory.slotOf.get(node)!} + 0)${this.tenantMark(node)}`
    }
  }

  /** Two values in one slot are two names: the mark keeps their keys apart and says nothing to the compiler. */
  private tenantMark(node: Node): string {
    const tenants = this.planned.memory.slots[this.planned.memory.slotOf.get(node)!]!.tenants
    return ` /* tenant ${tenants.findIndex((t) => t.key === node)} */`
  }

  private fresh({ home, node }: BoundBuffer): string {
    const base = identifier(home.kind === 'variable' ? home.name : home.kind === 'input' ? String(node.attrs['name'] ?? 'input') : `${node.from.path}_${node.op}`).replace(/^(\d)/, '_$1')
    const taken = new Set(this.names.values())
    let name = `p_${base}`
    for (let i = 2; taken.has(name); i++) name = `p_${base}_${i}`
    return name
  }
}

function launchView(tables: Tables, planned: PlannedFunction, kernel: BoundKernel, index: number, view: KernelView, pointers: Pointers): LaunchView {
  const { memory } = planned
  const slot = memory.slotOf.get(workspaceKey(index))
  const value = (field: string): string => {
    if (field === 'pool') return 'call->pool'
    if (field === 'workspace') return slot === undefined ? 'nullptr' : `slot${slot}`
    if (field === 'seed' || field === 'step' || field === 'random') return `call->${field}`
    if (field.startsWith('scalar_')) {
      const at = tables.module.scalars.findIndex((s) => `scalar_${identifier(s.name)}` === field)
      return view.queued ? `call->scalars + ${at}` : `call->scalars[${at}]`
    }
    const bound = kernel.bindings.find((b) => b.buffer.name === field)
    return bound ? pointers.of(bound) : field
  }
  return { comment: commentOf(kernel), kernel: view.name, args: view.fields.map((f) => value(f.name)).join(', '), queued: view.queued, lap: tables.timed ? lapOf(tables.target) : null }
}

/** A CPU has ended a kernel when its call returns; of a GPU the driver is told that all launches of a kernel have been given. */
const lapOf = ({ name }: Target): string => (name === 'cpu' ? 'times.lap();' : 'kcc_cuda_lap(call->stream);')

/** What is computed, for whom and from which line of the user's model. */
const commentOf = (kernel: BoundKernel): string => {
  const values = kernel.bindings.filter((b) => b.written).map((b) => `${b.buffer.name} = ${b.node.op}`)
  return cleanComment(`${kernel.program.name}: ${values.join(', ')}${placeOf(kernel.program.from)}`)
}

function placeOf({ location, path }: Provenance): string {
  const layer = path === '' ? '' : `  [${path}]`
  return location ? `  ${location.file.split('/').at(-1)}:${location.line}:${location.column}${layer}` : layer
}

/** Names come from users and files: nothing in them may end the comment's line. */
const cleanComment = (text: string): string => text.replaceAll(/[^\x20-\x7e]|\\/g, '_').replaceAll('??', '__')

