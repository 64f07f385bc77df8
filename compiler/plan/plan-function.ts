/** A function ready to be emitted: scheduled kernels in launch order, and where everything they touch lives. */
import type { Graph, Node } from '../ir/graph.js'
import type { Home } from '../ir/kernel-graph.js'
import type { Buffer, KernelProgram } from '../ir/loop.js'
import type { Dim } from '../ir/dim.js'
import { bytesOf } from '../ir/cost.js'
import { replaceable } from './in-place.js'
import { planMemory, type MemoryPlan, type Tenant } from './plan-memory.js'

/** A kernel's buffer name and what stands behind it. */
export type BoundBuffer = { readonly buffer: Buffer; readonly node: Node; readonly home: Home; readonly written: boolean }
export type BoundKernel = { readonly program: KernelProgram; readonly bindings: readonly BoundBuffer[]; readonly workspace: Dim }

export type PlannedFunction = { readonly graph: Graph; readonly kernels: readonly BoundKernel[]; readonly memory: MemoryPlan }

export const workspaceKey = (kernel: number): string => `workspace of kernel ${kernel}`

export function planFunction(graph: Graph, kernels: readonly BoundKernel[]): PlannedFunction {
  return { graph, kernels, memory: planMemory([...valueTenants(kernels), ...workspaceTenants(kernels)]) }
}

function valueTenants(kernels: readonly BoundKernel[]): Tenant[] {
  const lives = new Map<Node, { first: number; last: number }>()
  kernels.forEach((kernel, i) => {
    for (const { node, home } of kernel.bindings) if (home.kind === 'arena') lives.set(node, { first: lives.get(node)?.first ?? i, last: i })
  })
  const replaced = kernels.map(replaceable)
  return [...lives].map(([node, life]) => ({ key: node, bytes: bytesOf(node.type), ...life, replaces: replaced[life.first]!.get(node) ?? new Set() }))
}

const workspaceTenants = (kernels: readonly BoundKernel[]): Tenant[] =>
  kernels.flatMap((kernel, i) => (kernel.workspace === 0 ? [] : [{ key: workspaceKey(i), bytes: kernel.workspace, first: i, last: i }]))
