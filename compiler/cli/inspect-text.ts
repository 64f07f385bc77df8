/** Kernels and memory plans as text for people. */
import type { PlannedModule } from '../emit/emit-modules.js'
import { dimText, shapeText } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { extentOf, type Stmt } from '../ir/loop.js'
import { squaresText } from '../ir/loop-text.js'
import type { BoundBuffer, BoundKernel, PlannedFunction } from '../plan/plan-function.js'
import { arenaBytes, arenaText } from '../plan/plan-memory.js'

/** Batch sizes at which symbolic sizes are shown. */
const shownBatches = [1, 32, 128]

export const kernelsText = (planned: PlannedModule): string => planned.functions.map(({ general }) => functionKernels(general)).join('\n')

function functionKernels({ graph, kernels }: PlannedFunction): string {
  return `${graph.name}: ${kernels.length} kernels in launch order\n${kernels.map((kernel, i) => kernelText(kernel, i)).join('')}`
}

/** What a kernel computes, where it comes from, and what it reads and writes. */
function kernelText({ program, bindings }: BoundKernel, index: number): string {
  const { location, path } = program.from
  const place = location === null ? '' : `  ${location.file}:${location.line}`
  const side = (written: boolean): string => bindings.filter((b) => b.written === written).map(bufferText).join(', ') || '–'
  return `${String(index).padStart(4)}  ${program.name}${path === '' ? '' : `  (${path})`}${place}\n` +
    `        ${program.body.map(loopText).join('; ')}\n` +
    `        reads  ${side(false)}\n        writes ${side(true)}\n`
}

const bufferText = ({ buffer, home }: BoundBuffer): string => `${buffer.dtype} ${shapeText(buffer.shape)} ${homeText(home)}${buffer.blocked === true ? ' in blocks of columns' : ''}`

function homeText(home: BoundBuffer['home']): string {
  switch (home.kind) {
    case 'input': return `input ${home.index}`
    case 'output': return `output ${home.index}`
    case 'variable': return home.name
    case 'arena': return 'arena'
  }
}

/** The loops of a statement, without its arithmetic. */
function loopText(stmt: Stmt): string {
  switch (stmt.kind) {
    case 'for': return `for ${stmt.axis.name} < ${dimText(stmt.axis.extent)}${stmt.mode === 'serial' ? '' : ` (${stmt.mode})`} { ${stmt.body.map(loopText).join('; ')} }`
    case 'contract': return `contract ${[stmt.m, stmt.n, stmt.k].map((axes) => dimText(extentOf(axes))).join(' × ')}${stmt.squares === null ? '' : ` ${squaresText(stmt.squares)}`} { ${[...stmt.epilogue, ...(stmt.totals?.epilogue ?? [])].map(loopText).join('; ')} }`
    case 'reduce': return `${stmt.results.map((r) => `${r.name} = ${r.op}`).join(', ')} over ${stmt.axes.map((axis) => `${axis.name} < ${dimText(axis.extent)}`).join(', ')}`
    case 'argmax': return `${stmt.name} = argmax over ${stmt.axis.name} < ${dimText(stmt.axis.extent)}`
    case 'follow': return `${stmt.name} = ${stmt.op} along ${stmt.chain}`
    case 'let': return stmt.name
    case 'store': return `store ${stmt.buffer}`
  }
}

export const planText = (planned: PlannedModule): string => planned.functions.map(({ general }) => functionPlan(general, planned.dims)).join('\n')

function functionPlan({ graph, memory }: PlannedFunction, dims: readonly string[]): string {
  const at = (batch: number): number => arenaBytes(memory, Object.fromEntries(dims.map((name) => [name, batch])))
  const totals = shownBatches.map((batch) => `${at(batch)} at ${batch}`).join(', ')
  const slots = memory.slots.map((slot, i) =>
    `  slot ${i}: ${slot.sizes.map((size) => dimText(size)).join(' | ')} bytes\n` +
    slot.tenants.map((tenant) => `    kernels ${tenant.first}–${tenant.last}  ${tenantText(tenant.key)}\n`).join(''))
  return `${graph.name}: arena of ${arenaText(memory)} bytes (${totals})\n${slots.join('')}`
}

const tenantText = (key: Node | string): string =>
  (typeof key === 'string' ? key : `${key.op} ${key.type.dtype} ${shapeText(key.type.shape)}${key.from.path === '' ? '' : `  (${key.from.path})`}`)
