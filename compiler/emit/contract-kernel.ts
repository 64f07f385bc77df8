/** A contraction of the loop IR as the emitter of contractions takes it: which operands lie in memory, and text for the holes. */
import { elementSize } from '../ir/element-type.js'
import { divideDims, multiplyDims, sizeOf, type Dim } from '../ir/dim.js'
import { accumulatorsOf, BLOCK_COLUMNS, extentOf, finishedRows, type Axis, type Buffer, type Contract, type Expr, type KernelProgram, type Stmt } from '../ir/loop.js'
import { matrixOf, siteOf, type Matrix, type Site } from '../schedule/as-matrix.js'
import { joinAxes, type Joined } from '../schedule/join-axes.js'
import { areNeighbours } from '../schedule/turn-contract.js'
import { everyIndex, loadsIn, loadsOf, mapIndices, strideOf } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { ownBytes } from './scratch.js'
import { printAs } from './c-expr.js'
import { flatten, printStatements } from './c-stmt.js'
import type { ContractView, Epilogue, Operand, TouchedBuffer, WrittenBuffer } from './contract-view.js'
import { runsOperand } from './contract-runs.js'
import { contractWorkspace, type Sizes } from './contract-workspace.js'
import type { KernelView } from './views.js'

export const bufferIn = (program: KernelProgram) => (name: string): Buffer => {
  const buffer = [...program.buffers, ...program.scratch].find((b) => b.name === name)
  if (!buffer) throw new Error(`kernel ${program.name} has no buffer ${name}`)
  return buffer
}

const sizesOf = ({ m, n, k }: Contract): Pick<Sizes, 'm' | 'n' | 'k'> => ({ m: extentOf(m), n: extentOf(n), k: extentOf(k) })

export function contractView(program: KernelProgram, contract: Contract, { name, prelude }: KernelView): ContractView {
  return {
    name, ...sizesOf(contract),
    lhs: leftOperand(program, siteOf(contract.lhs, contract.m, contract.k)),
    rhs: operand(program, siteOf(contract.rhs, contract.k, contract.n)),
    epilogue: epilogue(program, finishedRows(contract), contract.n, contract.epilogue, accumulatorsOf(contract)),
    totals: contract.totals && epilogue(program, [{ name: 'one_row', extent: 1 }], contract.n, contract.totals.epilogue, [contract.totals.accumulator]),
    squares: contract.squares,
    frame: { argsType: `${name}_args`, prelude, pool: 'args.pool', workspace: 'args.workspace' },
  }
}

/** Bytes of scratch a kernel needs while it runs. A product in tiles keeps what it needs in the GPU's own. */
export function scratchOf(program: KernelProgram): Dim {
  const [first] = program.body
  if (first?.kind !== 'contract' || program.launches.length > 0) return ownBytes(program)
  const isComputed = (site: Site): boolean => directOperand(site) === null
  return contractWorkspace({ ...sizesOf(first), totals: first.totals !== null, squares: first.squares }, { lhs: isComputed(siteOf(first.lhs, first.m, first.k)), rhs: isComputed(siteOf(first.rhs, first.k, first.n)) })
}

/** The operand as a matrix of floats in memory. */
function directOperand(site: Site): Matrix | null {
  const matrix = matrixOf(site)
  return matrix?.load.dtype === 'float32' ? matrix : null
}

/** Strides of a matrix's rows and columns: of a blocked one inside a block, and from one block to the next. */
type Strides = { readonly row: Dim; readonly column: Dim; readonly block: Dim }

function stored(buffer: Buffer, row: Dim, column: Dim): Strides {
  if (buffer.blocked !== true) return { row, column, block: 0 }
  const inside = (stride: Dim): Dim => (stride === 1 ? 1 : BLOCK_COLUMNS)
  return { row: inside(row), column: inside(column), block: multiplyDims(sizeOf(buffer.shape.slice(0, -1)), BLOCK_COLUMNS) }
}

function inBlocks(program: KernelProgram, { load, rowStride, columnStride }: Matrix): Operand {
  const { row, column, block } = stored(bufferIn(program)(load.buffer), rowStride, columnStride)
  return { kind: 'direct', pointer: `(${load.buffer} + ${cDim(load.index.offset)})`, rowStride: row, columnStride: column, block }
}

/** Read in place where its elements are neighbours in runs of a known length; so is a matrix whose rows are positions of a picture, which are many. */
function leftOperand(program: KernelProgram, site: Site): Operand {
  const direct = directOperand(site)
  const positions = direct !== null && direct.columnStride === 1 && bufferIn(program)(direct.load.buffer).shape.length > 2
  return (direct === null || positions ? runsOperand(site.value, site) : null) ?? operand(program, site)
}

function operand(program: KernelProgram, site: Site): Operand {
  const direct = directOperand(site)
  if (direct) return inBlocks(program, direct)
  const { value, rows, columns } = site
  const along = runsAlong(value, columns.at(-1)!) >= runsAlong(value, rows.at(-1)!) ? 'column' : 'row'
  const axis = (along === 'column' ? columns : rows).at(-1)!.name
  const print = (count: string | null): string => printAs(value, true, { lanes: { axis, count }, varying: new Set<string>(), bufferOf: bufferIn(program) })
  return { kind: 'computed', along, rows, columns, vector: (at) => [`${at.result} = ${print(at.lanes)};`] }
}

/** Loads with neighbours along the axis speak for it; gaps between what is loaded speak against it, but less than a neighbour for. */
function runsAlong(value: Expr, axis: Axis): number {
  const strides = loadsOf(value).map((load) => strideOf(load.index, axis.name))
  return strides.filter((s) => s === 1).length - (strides.some((s) => s !== 0 && s !== 1) ? 0.5 : 0)
}

function epilogue(program: KernelProgram, m: readonly Axis[], n: readonly Axis[], statements: readonly Stmt[], accumulators: readonly string[]): Epilogue {
  const uses = everyIndex(statements)
  const [rows, columns] = [joinAxes(m, uses), joinAxes(n, uses)]
  const body = mapIndices(statements, (index) => columns.without(rows.without(index)))
  const turned = accumulators.length === 1 && isTurned(body, rows, columns)
  const tile = (count: string | null): string[] =>
    flatten(printStatements(body, { bufferOf: bufferIn(program), range: null, lanes: { axis: (turned ? rows : columns).axes.at(-1)!.name, count }, varying: accumulators }))
  const finish = { accumulators, tile: (at: { lanes: string | null }) => tile(at.lanes) }
  if (turned) return { ...finish, rows: columns.axes, columns: rows.axes, turned }
  return { ...finish, rows: rows.axes, columns: columns.axes, reads: accumulators.length > 1 ? [] : readsOf(program, body, rows, columns), writes: writesOf(program, body, rows, columns, accumulators.length) }
}

/** One column, which would fill one lane, of rows that lie side by side. */
const isTurned = (body: readonly Stmt[], rows: Joined, columns: Joined): boolean =>
  columns.axes.every(({ extent }) => extent === 1) && rows.axes.at(-1)!.extent !== 1 && areNeighbours(body, rows.axes.at(-1)!)

/** Buffers of the result's shape that the epilogue loads. */
function readsOf(program: KernelProgram, body: Contract['epilogue'], rows: Joined, columns: Joined): TouchedBuffer[] {
  if (rows.axes.length > 1 || columns.axes.length > 1) return []
  const [row, column] = [rows.axes[0]!.name, columns.axes[0]!.name]
  const touched = new Map<string, TouchedBuffer>()
  for (const load of loadsIn(body)) {
    const rowStride = strideOf(load.index, row)
    if (load.dtype !== 'float32' || strideOf(load.index, column) !== 1 || rowStride === 0 || rowStride === null) continue
    const { row: stride, block } = stored(bufferIn(program)(load.buffer), rowStride, 1)
    touched.set(load.buffer, { pointer: load.buffer, rowStride: stride, block })
  }
  return [...touched.values()].filter((t) => program.reads.includes(t.pointer) || program.writes.includes(t.pointer))
}

/** Buffers of the result's shape that the epilogue stores to, by rows; of `together` rows that it finishes at once, each for itself. */
function writesOf(program: KernelProgram, body: Contract['epilogue'], rows: Joined, columns: Joined, together: number): WrittenBuffer[] {
  if (rows.axes.length > 1 || columns.axes.length > 1) return []
  const [row, column] = [rows.axes[0]!.name, columns.axes[0]!.name]
  const stores = body.flatMap((statement) => (statement.kind === 'store' ? [statement] : []))
  const first = stores.filter((store, i) => stores.findIndex(({ buffer }) => buffer === store.buffer) === i && stores.filter(({ buffer }) => buffer === store.buffer).length === together)
  return first.flatMap(({ buffer, index }) => {
    const place = bufferIn(program)(buffer), step = strideOf(index, row), rowStride = step && divideDims(step, together)
    if (strideOf(index, column) !== 1 || rowStride === 0 || rowStride === null) return []
    const { row: stride, block } = stored(place, rowStride, 1)
    return [{ pointer: buffer, rowStride: stride, block, elementBytes: elementSize[place.dtype] }]
  })
}
