/** A contraction in tiles of a GPU's blocks, as C++ over `native/include/kcc/cuda/multiply.h` and, on tensor cores, `multiply-mma.h`. */
import { nowhere } from '../ir/graph.js'
import { KEPT_SUMS } from '../ir/launch-verify.js'
import { accumulatorsOf, extentOf, finishedRows, NEIGHBOURS, rowsTogether, type Arithmetic, type Axis, type Buffer, type Contract, type Expr, type KernelProgram, type Stmt, type Tiles } from '../ir/loop.js'
import { siteOf, type Site } from '../schedule/as-matrix.js'
import { takesNeighbours } from '../schedule/by-neighbours.js'
import { indicesOf, strideOf } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { printAs } from './c-expr.js'
import { printStatements } from './c-stmt.js'
import { axesText, placeText } from './contract-axes.js'
import { bufferIn } from './contract-kernel.js'
import { productView } from './library-product.js'
import type { KernelView, OperandHoleView, TilesView } from './views.js'

/** Results of a tile from which on a thread would take more registers than leave room for a second block, which hides waits of the first. */
const LARGE_TILE = 128 * 64

/** Columns of a tile from which on a thread has neighbours among its results. */
const LEAST_COLUMNS = 64

export function tilesView(program: KernelProgram, contract: Contract, { rows, columns, depth, parts, arithmetic, instead }: Tiles, { name, prelude }: KernelView): TilesView {
  const { m, n, k, epilogue, together } = contract, bufferOf = bufferIn(program), last = n.at(-1)!
  const lhs = leftPanel(siteOf(contract.lhs, m, k)), rhs = rightPanel(siteOf(contract.rhs, k, n))
  const finished = arithmetic === 'fma' && columns >= LEAST_COLUMNS && takesNeighbours(epilogue, last) ? NEIGHBOURS : 1
  const lanes = finished === 1 ? null : { axis: last.name, count: null }
  return {
    name, prelude, rows, columns, depth, resident: rows * columns > LARGE_TILE && arithmetic === 'fma' ? 2 : 1, finished, result: typeOf(finished),
    parts, kept: parts > 1 || together.length > 0 ? KEPT_SUMS : null, together: rowsTogether(contract),
    accumulators: accumulatorsOf(contract).map((accumulator, row) => ({ name: accumulator, row })),
    tile: tileText(arithmetic, panelText(arithmetic, rows, depth, lhs), panelText(arithmetic, columns, depth, rhs), finished),
    m: cDim(extentOf(m)), n: cDim(extentOf(n)), k: cDim(extentOf(k)), column: placeIn(n, 'column'), group: placeIn(finishedRows(contract), 'row'),
    operands: [operandHole('lhs', lhs, bufferOf), operandHole('rhs', rhs, bufferOf)],
    epilogue: printStatements(epilogue, { bufferOf, range: null, lanes, varying: lanes ? accumulatorsOf(contract) : [] }),
    library: instead && productView(program, contract, instead, name, typeOf(finished)),
  }
}

/** An operand over its lines and terms: do neighbours lie along the terms, and how many does a thread load at once? */
type PanelOf = { readonly value: Expr; readonly lines: readonly Axis[]; readonly terms: readonly Axis[]; readonly alongTerms: boolean; readonly each: number }

const leftPanel = ({ value, rows, columns }: Site): PanelOf => panel(value, rows, columns, runsAlong(value, columns.at(-1)!))
const rightPanel = ({ value, rows, columns }: Site): PanelOf => panel(value, columns, rows, !runsAlong(value, columns.at(-1)!))

function panel(value: Expr, lines: readonly Axis[], terms: readonly Axis[], alongTerms: boolean): PanelOf {
  const read: Stmt = { kind: 'let', name: 'element', value, from: nowhere }
  return { value, lines, terms, alongTerms, each: takesNeighbours([read], along({ lines, terms, alongTerms })) ? NEIGHBOURS : 1 }
}

const along = ({ lines, terms, alongTerms }: Pick<PanelOf, 'lines' | 'terms' | 'alongTerms'>): Axis => (alongTerms ? terms : lines).at(-1)!

/** Do neighbours along the axis lie side by side in what is read? */
const runsAlong = (value: Expr, axis: Axis): boolean => indicesOf(value).some((index) => strideOf(index, axis.name) === 1)

const panels: Readonly<Record<Arithmetic, string>> = { fma: 'Panel<', tf32: 'WordPanel<kcc::Tf32, ', bf16: 'WordPanel<kcc::Bf16, ' }
const panelText = (arithmetic: Arithmetic, lines: number, depth: number, { alongTerms, each }: PanelOf): string => `kcc::${panels[arithmetic]}${lines}, ${depth}, ${alongTerms}, ${each}>`
/** On tensor cores a thread has two neighbouring results, which are finished one by one. */
const tileText = (arithmetic: Arithmetic, left: string, right: string, finished: number): string => (arithmetic === 'fma' ? `kcc::Tile<${left}, ${right}, ${finished}>` : `kcc::MmaTile<${left}, ${right}>`)

/** What defines the tiles of a kernel. */
export const tileHeaders = ({ launches }: KernelProgram): string[] =>
  [...new Set(launches.flatMap((launch) => (launch.kind === 'tiles' ? [launch.arithmetic === 'fma' ? 'kcc/cuda/multiply.h' : 'kcc/cuda/multiply-mma.h', ...(launch.instead ? ['kcc/cuda/product.h'] : [])] : [])))]
const typeOf = (each: number): string => (each === 1 ? 'float' : 'kcc::vf')

function operandHole(name: string, operand: PanelOf, bufferOf: (name: string) => Buffer): OperandHoleView {
  const { value, lines, terms, each } = operand, { name: axis } = along(operand)
  return {
    name, type: typeOf(each), line: placesText(lines, 'line'), term: placesText(terms, 'term'),
    axes: [...lines.map((a, i) => `${a.name} = line[${i}]`), ...terms.map((a, i) => `${a.name} = term[${i}]`)],
    value: printAs(value, each > 1, { lanes: each === 1 ? null : { axis, count: null }, varying: new Set(), bufferOf }),
  }
}

/** The place on each axis, from the number on all. */
const placesText = (axes: readonly Axis[], number: string): string => axes.map((_, i) => placeText(axes, i, number, (dim) => `(uint32_t)(${cDim(dim)})`)).join(', ')

/** Axes from one number. There are fewer than 2^32 rows and columns, and divisions of 32 bits take a GPU a quarter of the time. */
const placeIn = (axes: readonly Axis[], number: string): string => axesText(axes, axes.length === 1 ? number : `(uint32_t)${number}`).fixed
