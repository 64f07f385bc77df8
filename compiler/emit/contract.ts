/**
 * Prints a contraction: functions for its holes, and a description of its operands for the kernels of
 * native/include/kcc/gemm.h, which are compiled once per CPU level and know nothing of any model.
 */
import { cDim } from './c-dim.js'
import { inPackage } from '../support/paths.js'
import type { ComputedOperand, ContractCode, ContractView, Epilogue, Operand } from './contract-view.js'
import { axesText, type AxesText } from './contract-axes.js'
import { runCount, startsText } from './contract-runs.js'
import { isLongSum, splitRoom } from './contract-workspace.js'
import { PRODUCTS, RUN_PRODUCTS } from '../support/kernel-units.js'
import { loadTemplates } from './render.js'

/** As many buffers as the kernels' description has room for. */
const MOST_TOUCHED = 4, MOST_WRITTEN = 2

type OperandText = { pointer: string; rowStride: string; columnStride: string; block: string; compute: string; alongRow: boolean }
type ComputeText = Omit<AxesText, 'fixed'> & { function: string; fixed: string; whole: readonly string[]; rest: readonly string[] }

/** @param render the templates of the package, loaded. */
export function emitContract(view: ContractView, render = loadTemplates(inPackage('templates'))): ContractCode {
  const text = render('contract.cc', {
    name: view.name,
    frame: view.frame,
    m: cDim(view.m),
    n: cDim(view.n),
    k: cDim(view.k),
    lhs: operandText(view.lhs, `${view.name}_lhs`),
    rhs: operandText(view.rhs, `${view.name}_rhs`),
    longSum: isLongSum(view.k),
    splitRoom: splitRoom({ ...view, totals: view.totals !== null }),
    lhsRuns: view.lhs.kind === 'runs' ? { function: `${view.name}_lhs`, count: runCount(view.lhs), length: view.lhs.length, alongRow: view.lhs.along === 'row' } : null,
    starts: view.lhs.kind === 'runs' ? [startsText(view.lhs, `${view.name}_lhs`)] : [],
    computes: [...computeText(view.lhs, `${view.name}_lhs`), ...computeText(view.rhs, `${view.name}_rhs`)],
    ...madeReady(view),
    rowsTogether: rowsTogether(view.epilogue),
    squares: view.squares,
    totals: view.totals === null ? null : `${view.name}_totals`,
    ends: [epilogueText(view.epilogue, `${view.name}_finish`), ...(view.totals === null ? [] : [epilogueText(view.totals, `${view.name}_totals`)])],
  })
  return { includes: ['kcc/gemm.h', 'kcc/vec.h'], sources: [view.lhs.kind === 'runs' ? RUN_PRODUCTS : PRODUCTS], text }
}

type MadeReady = {
  readonly touched: readonly { readonly pointer: string; readonly rowStride: string; readonly block: string }[]
  readonly written: readonly { readonly pointer: string; readonly rowStride: string; readonly bytes: number }[]
}

/** What is fetched while sums are made: with runs what will be written is asked for as such, else both are fetched alike. */
function madeReady({ lhs, epilogue: { reads = [], writes = [] } }: ContractView): MadeReady {
  const onlyWritten = lhs.kind === 'runs' ? [] : writes.filter((w) => w.elementBytes === 4 && reads.every((r) => r.pointer !== w.pointer))
  const written = lhs.kind === 'runs' ? writes.filter((w) => w.block === 0) : []
  return {
    touched: [...reads, ...onlyWritten].slice(0, MOST_TOUCHED).map((t) => ({ pointer: t.pointer, rowStride: cDim(t.rowStride), block: cDim(t.block) })),
    written: written.slice(0, MOST_WRITTEN).map((w) => ({ pointer: w.pointer, rowStride: cDim(w.rowStride), bytes: w.elementBytes })),
  }
}

function operandText(operand: Operand, compute: string): OperandText {
  if (operand.kind === 'runs') return { pointer: 'nullptr', rowStride: '0', columnStride: '0', block: '0', compute: 'nullptr', alongRow: operand.along === 'row' }
  if (operand.kind === 'computed') return { pointer: 'nullptr', rowStride: '0', columnStride: '0', block: '0', compute, alongRow: operand.along === 'row' }
  const { pointer, rowStride, columnStride, block } = operand
  return { pointer, rowStride: cDim(rowStride), columnStride: cDim(columnStride), block: cDim(block), compute: 'nullptr', alongRow: false }
}

const computeText = (operand: Operand, name: string): ComputeText[] => (operand.kind === 'computed' ? [holeText(operand, name)] : [])

function holeText(operand: ComputedOperand, name: string): ComputeText {
  const rows = axesText(operand.rows, 'row'), columns = axesText(operand.columns, 'column')
  const [moving, still] = operand.along === 'row' ? [rows, columns] : [columns, rows]
  return {
    ...moving,
    fixed: still.fixed,
    function: name,
    whole: operand.vector({ lanes: null, result: 'result' }),
    rest: operand.vector({ lanes: 'lanes', result: 'result' }),
  }
}

/** A number of columns that fills vectors of every width has no rest; rows come in any number. */
type EpilogueText = { function: string; turned: boolean; rows: AxesText; columns: AxesText; accumulators: readonly AccumulatorText[]; rowsTogether: number | null; whole: readonly string[]; rest: readonly string[] | null }
/** `row`: which of the rows that are finished together; null for the first. */
type AccumulatorText = { name: string; row: number | null }

const rowsTogether = ({ accumulators }: Epilogue): number | null => (accumulators.length === 1 ? null : accumulators.length)

function epilogueText(epilogue: Epilogue, name: string): EpilogueText {
  const run = epilogue.columns.at(-1)!.extent, turned = epilogue.turned === true
  const ragged = turned || typeof run !== 'number' || run % 16 !== 0
  return {
    rows: axesText(epilogue.rows, 'row'),
    columns: axesText(epilogue.columns, 'first_column'),
    accumulators: epilogue.accumulators.map((name, row) => ({ name, row: row === 0 ? null : row })),
    rowsTogether: rowsTogether(epilogue),
    function: name,
    turned,
    whole: epilogue.tile({ lanes: null }),
    rest: ragged ? epilogue.tile({ lanes: 'lanes' }) : null,
  }
}
