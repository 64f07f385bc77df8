/** One kernel as C++: loops through a template, contractions through their own emitter. */
import { sha256 } from '../support/hash.js'
import { multiplyDims, type Dim } from '../ir/dim.js'
import { BLOCK_COLUMNS, type Buffer, type Contract, type Expr, type KernelProgram } from '../ir/loop.js'
import type { Target } from '../schedule/target.js'
import { loadsIn, loadsOf, strideOf, type Load } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { printAs } from './c-expr.js'
import { chainBytes, chainCall, chainPointers } from './chains.js'
import { flatten, printStatements, type CLine } from './c-stmt.js'
import { emitContract } from './contract.js'
import { contractWorkspace } from './contract-workspace.js'
import type { ContractCode, Operand, OperandHole, TouchedBuffer } from './contract-view.js'
import type { SourceFile } from './sources.js'
import { fieldsOf, needsOf, preludeOf } from './kernel-fields.js'
import type { KernelView, LoopKernelView } from './views.js'

export type EmittedKernel = { readonly view: KernelView; readonly text: string; readonly includes: readonly string[]; readonly sources: readonly SourceFile[] }
type Render = (template: string, view: object) => string

/** Stands for the kernel's name until its text, and with it its name, is known. */
const placeholder = 'KCC_KERNEL'
const headers = ['kcc/launch.h', 'kcc/math.h', 'kcc/philox.h']

/** The kernel under a name made of `program.name` and a hash of its text: equal texts get equal hashes. */
export function emitKernel(program: KernelProgram, target: Target, render: Render): { readonly hash: string; readonly named: (name: string) => EmittedKernel } {
  const needs = needsOf(program)
  const fields = fieldsOf(program, needs)
  const view: KernelView = { name: placeholder, fields, prelude: [...preludeOf(fields, needs), ...chainPointers(program)] }
  const [first] = program.body
  const code = first?.kind === 'contract' ? contractCode(program, first, view) : loopCode(program, view, target, render)
  const hash = sha256(JSON.stringify([fields, code]))
  const rename = (text: string, name: string): string => text.replaceAll(placeholder, name)
  return {
    hash,
    named: (name) => ({
      view: { ...view, name }, text: rename(code.text, name), includes: code.includes, sources: code.sources,
    }),
  }
}

function loopCode(program: KernelProgram, view: KernelView, target: Target, render: Render): ContractCode {
  const { split } = program
  const range = split && { axis: split.axis.name, begin: 'begin', end: 'end' }
  const body: CLine[] = printStatements(program.body, { bufferOf: bufferIn(program), range, lanes: null, varying: [] })
  const loops: LoopKernelView = {
    ...view, body, chains: program.chains.map((chain) => chainCall(chain, program)),
    ranged: split !== null,
    extent: split ? cDim(split.axis.extent) : '0',
    items: split ? `kcc::range_items(${cDim(split.workPerItem)}, ${target.rangeWork}, ${split.multiple})` : '0',
  }
  return { includes: program.chains.length > 0 ? [...headers, 'kcc/chain.h'] : headers, sources: [], text: render('kernel-loops.cc', loops) }
}

const bufferIn = (program: KernelProgram) => (name: string): Buffer => {
  const buffer = program.buffers.find((b) => b.name === name)
  if (!buffer) throw new Error(`kernel ${program.name} has no buffer ${name}`)
  return buffer
}

/** Strides of a matrix's rows and columns: of a blocked one inside a block, and from one block to the next. */
type Strides = { readonly row: Dim; readonly column: Dim; readonly block: Dim }

function stored(buffer: Buffer, row: Dim, column: Dim): Strides {
  if (buffer.blocked !== true) return { row, column, block: 0 }
  const inside = (stride: Dim): Dim => (stride === 1 ? 1 : BLOCK_COLUMNS)
  return { row: inside(row), column: inside(column), block: multiplyDims(buffer.shape[0]!, BLOCK_COLUMNS) }
}

function contractCode(program: KernelProgram, contract: Contract, view: KernelView): ContractCode {
  const { m, n, k } = contract
  const code = emitContract({
    name: placeholder, m: m.extent, n: n.extent, k: k.extent,
    lhs: operand(program, contract.lhs, m.name, k.name),
    rhs: operand(program, contract.rhs, k.name, n.name),
    epilogue: { tile: (at) => epilogue(program, contract, at), reads: readsOf(program, contract) },
    frame: { argsType: `${placeholder}_args`, prelude: view.prelude, pool: 'args.pool', workspace: 'args.workspace' },
  })
  return { ...code, includes: [...headers, ...code.includes] }
}

/** Bytes of scratch a kernel needs while it runs. */
export function scratchOf({ chains, body: [first] }: KernelProgram): Dim {
  if (first?.kind !== 'contract') return chainBytes(chains)
  const { m, n, k, lhs, rhs } = first
  const computed = { lhs: directOperand(lhs, m.name, k.name) === null, rhs: directOperand(rhs, k.name, n.name) === null }
  return contractWorkspace(m.extent, n.extent, k.extent, computed)
}

/** Buffers of the result's shape that the epilogue loads. */
function readsOf(program: KernelProgram, { m, n, epilogue: statements }: Contract): TouchedBuffer[] {
  const touched = new Map<string, TouchedBuffer>()
  for (const load of loadsIn(statements)) {
    const rowStride = strideOf(load.index, m.name)
    if (load.dtype !== 'float32' || strideOf(load.index, n.name) !== 1 || rowStride === 0) continue
    const { row, block } = stored(bufferIn(program)(load.buffer), rowStride, 1)
    touched.set(load.buffer, { pointer: load.buffer, rowStride: row, block })
  }
  return [...touched.values()].filter((t) => program.reads.includes(t.pointer) || program.writes.includes(t.pointer))
}

function operand(program: KernelProgram, value: Expr, row: string, column: string): Operand {
  const direct = directOperand(value, row, column)
  if (direct) return inBlocks(program, direct)
  const along = runsAlong(value, column) ? 'column' : 'row'
  return { kind: 'computed', along, vector: (at) => computed(program, value, along === 'column' ? column : row, row, column, at) }
}

type DirectLoad = { readonly load: Load; readonly rowStride: Dim; readonly columnStride: Dim }

/** The operand as a matrix in memory, by the strides of its index. */
function directOperand(value: Expr, row: string, column: string): DirectLoad | null {
  if (value.kind !== 'load' || value.dtype !== 'float32') return null
  const stride = (axis: string) => value.index.terms.find((t) => t.axis === axis)?.stride ?? 0
  const fixed = value.index.terms.every((t) => t.axis === row || t.axis === column)
  if (!fixed || (stride(row) !== 1 && stride(column) !== 1)) return null
  return { load: value, rowStride: stride(row), columnStride: stride(column) }
}

function inBlocks(program: KernelProgram, { load, rowStride, columnStride }: DirectLoad): Operand {
  const { row, column, block } = stored(bufferIn(program)(load.buffer), rowStride, columnStride)
  return { kind: 'direct', pointer: `(${load.buffer} + ${cDim(load.index.offset)})`, rowStride: row, columnStride: column, block }
}

/** Most of what the expression loads lies side by side along `axis`. */
function runsAlong(value: Expr, axis: string): boolean {
  const strides = loadsOf(value).map((load) => strideOf(load.index, axis))
  return strides.filter((s) => s === 1).length * 2 >= strides.filter((s) => s !== 0).length
}

function computed(program: KernelProgram, value: Expr, axis: string, row: string, column: string, at: OperandHole): string[] {
  const context = { lanes: { axis, count: at.lanes }, varying: new Set<string>(), bufferOf: bufferIn(program) }
  return [`[[maybe_unused]] const int64_t ${row} = ${at.row}, ${column} = ${at.column};`, `${at.result} = ${printAs(value, true, context)};`]
}

function epilogue(program: KernelProgram, contract: Contract, at: { row: string; column: string; accumulator: string; lanes: string | null }): string[] {
  const { m, n, accumulator } = contract
  const lines = printStatements(contract.epilogue, {
    bufferOf: bufferIn(program), range: null, lanes: { axis: n.name, count: at.lanes }, varying: [accumulator],
  })
  const named = at.accumulator === accumulator ? [] : [`const kcc::vf ${accumulator} = ${at.accumulator};`]
  return [`[[maybe_unused]] const int64_t ${m.name} = ${at.row}, ${n.name} = ${at.column};`, ...named, ...flatten(lines)]
}

