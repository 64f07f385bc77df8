/** A C++ program that runs emitted contractions at many sizes and compares them with a plain loop over doubles. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { emitContract } from '../../compiler/emit/contract.js'
import type { ContractCode, Epilogue, Frame, Operand, RunsOperand } from '../../compiler/emit/contract-view.js'
import { contractWorkspace } from '../../compiler/emit/contract-workspace.js'
import type { Dim } from '../../compiler/ir/dim.js'
import { dimText, isStatic, multiplyDims, symbol } from '../../compiler/ir/dim.js'
import { BLOCK_COLUMNS } from '../../compiler/ir/loop.js'

const M = symbol('M'), N = symbol('N'), K = symbol('K')
/** The same number, but a product of symbols, as the positions of a convolution are: its sums are taken to be long. */
const LONG = multiplyDims(K, symbol('ONE'))

const frame: Frame = {
  argsType: 'Args',
  prelude: ['[[maybe_unused]] const int64_t M = args.m, N = args.n, K = args.k, ONE = 1;'],
  pool: 'args.pool',
  workspace: 'args.workspace',
}

/**
 * How an operand lies in memory: by rows, by columns, computed from either, in blocks of neighbours in a row or column, or in
 * runs of either, three of them.
 */
export type Layout = 'rows' | 'columns' | 'computed rows' | 'computed columns' | 'blocked rows' | 'blocked columns' | 'run rows' | 'run columns'
const RUNS = 3

export type Case = { readonly name: string; readonly lhs: Layout; readonly rhs: Layout; readonly finishedInBlocks?: boolean; /** Rows that are finished in one go. */ readonly together?: number; /** Whether columns of the right operand are summed. */ readonly totals?: true; readonly dims?: readonly [Dim, Dim, Dim] }

/** lhs and rhs layouts of X·W, dY·Wᵀ, Xᵀ·dY, and each with prologues. */
export const cases: readonly Case[] = [
  { name: 'nn', lhs: 'rows', rhs: 'rows' },
  { name: 'nt', lhs: 'rows', rhs: 'columns' },
  { name: 'tn', lhs: 'columns', rhs: 'rows' },
  { name: 'tt', lhs: 'columns', rhs: 'columns' },
  { name: 'nn_computed', lhs: 'computed rows', rhs: 'computed rows' },
  { name: 'nt_computed', lhs: 'computed rows', rhs: 'computed columns' },
  { name: 'tn_computed', lhs: 'computed columns', rhs: 'rows' },
  { name: 'nn_blocked', lhs: 'rows', rhs: 'blocked rows' },
  { name: 'nt_blocked', lhs: 'rows', rhs: 'blocked columns' },
  { name: 'tn_blocked', lhs: 'columns', rhs: 'rows', finishedInBlocks: true },
  { name: 'long_nn_blocked', lhs: 'rows', rhs: 'blocked rows', dims: [M, N, LONG] },
  { name: 'long_nt_blocked', lhs: 'rows', rhs: 'blocked columns', dims: [M, N, LONG] },
  { name: 'long_nn', lhs: 'rows', rhs: 'rows', dims: [M, N, LONG] },
  { name: 'long_tn', lhs: 'columns', rhs: 'rows', dims: [M, N, LONG] },
  { name: 'long_tn_computed', lhs: 'computed columns', rhs: 'computed rows', dims: [M, N, LONG] },
  { name: 'long_nt_computed', lhs: 'computed rows', rhs: 'computed columns', dims: [M, N, LONG] },
  { name: 'split_tn', lhs: 'columns', rhs: 'rows', dims: [27, 40, LONG] },
  { name: 'split_tn_computed', lhs: 'computed columns', rhs: 'computed rows', dims: [150, 17, LONG] },
  { name: 'nn_runs', lhs: 'run rows', rhs: 'rows', dims: [M, N, 51] },
  { name: 'nt_runs', lhs: 'run rows', rhs: 'computed columns', dims: [M, N, 18] },
  { name: 'nn_long_runs', lhs: 'run rows', rhs: 'rows', dims: [M, N, 1200] },
  { name: 'long_nn_runs', lhs: 'run rows', rhs: 'rows', dims: [M, N, 2100] },
  { name: 'nn_blocked_runs', lhs: 'run rows', rhs: 'blocked rows', dims: [M, N, 300] },
  { name: 'nn_four_rows', lhs: 'rows', rhs: 'rows', together: 4 },
  { name: 'nt_computed_three_rows', lhs: 'computed rows', rhs: 'computed columns', together: 3 },
  { name: 'nn_runs_four_rows', lhs: 'run rows', rhs: 'rows', together: 4, dims: [M, N, 51] },
  { name: 'nn_long_runs_nine_rows', lhs: 'run rows', rhs: 'rows', together: 9, dims: [45, 70, 1200] },
  { name: 'long_nn_two_rows', lhs: 'rows', rhs: 'rows', together: 2, dims: [M, N, LONG] },
  { name: 'split_tn_nine_rows', lhs: 'columns', rhs: 'rows', together: 9, dims: [27, 40, LONG] },
  { name: 'nn_totals', lhs: 'rows', rhs: 'rows', totals: true },
  { name: 'split_tn_totals', lhs: 'columns', rhs: 'rows', totals: true, dims: [27, 40, LONG] },
  { name: 'split_tn_runs_totals', lhs: 'run columns', rhs: 'rows', totals: true, dims: [27, 40, LONG] },
  { name: 'tn_runs_totals', lhs: 'run columns', rhs: 'rows', totals: true, dims: [36, 100, K] },
  { name: 'split_tn_many_runs_totals', lhs: 'run columns', rhs: 'rows', totals: true, dims: [96, 70, LONG] },
  { name: 'split_tn_few_columns_totals', lhs: 'run columns', rhs: 'rows', totals: true, dims: [321, 3, LONG] },
  { name: 'nn_runs_totals', lhs: 'run rows', rhs: 'rows', totals: true, dims: [M, N, 51] },
  { name: 'split_tn_runs', lhs: 'run columns', rhs: 'rows', dims: [27, 40, LONG] },
  { name: 'split_tn_many_runs', lhs: 'run columns', rhs: 'rows', dims: [960, 70, LONG] },
  { name: 'split_tn_few_columns', lhs: 'run columns', rhs: 'rows', dims: [321, 1, LONG] },
  { name: 'split_tn_three_columns', lhs: 'run columns', rhs: 'computed rows', dims: [150, 3, LONG] },
]

/** Runs along the columns or the rows, each beginning where the plain matrix has it. */
function runsOf(byRows: boolean, pointer: string, rows: Dim, columns: Dim): RunsOperand {
  const [across, along] = byRows ? [rows, columns] : [columns, rows]
  if (!isStatic(along)) throw new Error('runs have a fixed length')
  const length = along / RUNS
  return {
    kind: 'runs', along: byRows ? 'column' : 'row', lines: [{ name: 'line_', extent: across }], runs: [{ name: 'run_', extent: RUNS }], length,
    pointer, start: `line_ * ${along} + run_ * ${length}`, step: along % 2 === 0 ? along : null, inside: null,
  }
}

function operandOf(layout: Layout, pointer: string, rows: Dim, columns: Dim): Operand {
  if (layout.startsWith('run')) return runsOf(layout.endsWith('rows'), pointer, rows, columns)
  const byRows = layout.endsWith('rows')
  const rowStride = byRows ? columns : 1, columnStride = byRows ? 1 : rows
  if (layout === 'blocked rows') return { kind: 'direct', pointer, rowStride: BLOCK_COLUMNS, columnStride: 1, block: multiplyDims(rows, BLOCK_COLUMNS) }
  if (layout === 'blocked columns') return { kind: 'direct', pointer, rowStride: 1, columnStride: BLOCK_COLUMNS, block: multiplyDims(columns, BLOCK_COLUMNS) }
  if (!layout.startsWith('computed')) return { kind: 'direct', pointer, rowStride, columnStride, block: 0 }
  return {
    kind: 'computed',
    along: byRows ? 'column' : 'row',
    rows: [{ name: 'r', extent: rows }],
    columns: [{ name: 's', extent: columns }],
    vector: ({ lanes, result }) => {
      const from = `${pointer} + r * (${dimText(rowStride)}) + s * (${dimText(columnStride)})`
      return [`const kcc::vf x = kcc::load(${from}${lanes === null ? '' : `, ${lanes}`});`, `${result} = x * x - 0.25f;`]
    },
  }
}

/** relu(sum + bias), and a count of how often the element was finished. */
const finishRow = (test: Case, n: Dim, m: Dim, row: string, sum: string, count: string): string[] => [
  '{',
  `const int64_t row_ = ${row};`,
  `float* const at = args.out + row_ * (${dimText(n)}) + column_;`,
  `float* const finished = args.finished + ${test.finishedInBlocks === true ? `kcc::in_blocks(${dimText(m)}, row_, column_)` : `row_ * (${dimText(n)}) + column_`};`,
  `const kcc::vf y = ${sum} + kcc::load(args.bias + column_${count});`,
  `kcc::store(at, kcc::max(kcc::vf{}, y)${count});`,
  `kcc::store(finished, kcc::load(finished${count}) + 1.f${count});`,
  '}',
]

function contractOf(test: Case): ContractCode {
  const [m, n, k] = test.dims ?? [M, N, K], together = test.together ?? 1
  return emitContract({
    name: test.name,
    m, n, k,
    lhs: operandOf(test.lhs, 'args.lhs', m, k),
    rhs: operandOf(test.rhs, 'args.rhs', k, n),
    epilogue: {
      rows: [{ name: 'group_', extent: isStatic(m) ? m / together : m }],
      columns: [{ name: 'column_', extent: n }],
      accumulators: Array.from({ length: together }, (_, i) => `sum${i}`),
      tile: ({ lanes }) => Array.from({ length: together }, (_, i) => finishRow(test, n, m, `group_ * ${together} + ${i}`, `sum${i}`, lanes === null ? '' : `, ${lanes}`)).flat(),
      reads: [test.finishedInBlocks === true
        ? { pointer: 'args.finished', rowStride: BLOCK_COLUMNS, block: multiplyDims(m, BLOCK_COLUMNS) } : { pointer: 'args.finished', rowStride: n, block: 0 }],
    },
    totals: test.totals === true ? totalsOf(n) : null,
    squares: null,
    frame,
  })
}

/** The sums of columns plus a bias. */
const totalsOf = (n: Dim): Epilogue => ({
  rows: [{ name: 'row_', extent: 1 }], columns: [{ name: 'column_', extent: n }], accumulators: ['total'],
  tile: ({ lanes }) => {
    const count = lanes === null ? '' : `, ${lanes}`
    return [`kcc::store(args.totals + column_, kcc::load(args.totals + column_${count}) + total + kcc::load(args.bias + column_${count})${count});`]
  },
})

const isComputed = (layout: Layout): boolean => layout.startsWith('computed')
const takesScratch = (layout: Layout): boolean => isComputed(layout) || layout.startsWith('run')
const isByRows = (layout: Layout): boolean => layout.endsWith('rows')

function caseEntry(test: Case): string {
  const [m, n, k] = test.dims ?? [M, N, K]
  const fixed = [m, n, k].map((d) => (isStatic(d) ? d : 0)).join(', ')
  const workspace = contractWorkspace({ m, n, k, totals: test.totals === true, squares: null }, { lhs: takesScratch(test.lhs), rhs: isComputed(test.rhs) })
  const flags = [isByRows(test.lhs), isComputed(test.lhs), isByRows(test.rhs), isComputed(test.rhs), test.rhs.startsWith('blocked'), test.finishedInBlocks === true, test.together ?? 1, test.totals === true].join(', ')
  return `  {"${test.name}", ${test.name}, [](int64_t M, int64_t N, int64_t K) -> int64_t { [[maybe_unused]] const int64_t ONE = 1; (void)M, (void)N, (void)K; return ${dimText(workspace)}; }, ${flags}, ${fixed}},`
}

/** The whole program: emitted kernels, then the checks of contract-check.inc over `sizes` ("m n k" each). */
export function contractProgram(sizes: readonly (readonly [number, number, number])[]): string {
  const check = readFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), 'contract-check.inc'), 'utf8')
  const [types, checks] = check.split('// ---- emitted kernels\n')
  return [
    types, ...cases.map((c) => contractOf(c).text),
    'static const Case cases[] = {', ...cases.map(caseEntry), '};',
    'static const int64_t sizes[][3] = {', ...sizes.map((s) => `  {${s.join(', ')}},`), '};',
    checks,
  ].join('\n')
}
