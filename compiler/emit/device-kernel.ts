/** One kernel for a GPU: its statements as functions of a grid, and the function of the host that starts them in their order. */
import { divideDims } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import { belowGrid, gridLoops, KEPT_SUMS } from '../ir/launch-verify.js'
import { accumulatorsOf, BLOCK_THREADS, extentOf, finishedRows, isByNeighbours, NEIGHBOURS, rowsTogether, type Axis, type Contract, type Expr, type KernelProgram, type Launch, type Stmt, type Teams } from '../ir/loop.js'
import { everyIndex, indicesOf, strideOf } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { printAs } from './c-expr.js'
import { placesOf, printStatements } from './c-stmt.js'
import { chainCall } from './chains.js'
import { bufferIn } from './contract-kernel.js'
import type { ContractCode } from './contract-view.js'
import { axesText } from './contract-axes.js'
import { needsOf, sizesOf } from './kernel-fields.js'
import { teamStatements } from './team-stmt.js'
import type { DeviceKernelView, KernelView, TeamsView, TilesView } from './views.js'

type Render = (template: string, view: object) => string

const headers = ['kcc/cuda/launch.h', 'kcc/cuda/vec.h']

/** Results of a tile from which on a thread would take more registers than leave room for a second block, which hides waits of the first. */
const LARGE_TILE = 128 * 64

export function deviceCode(program: KernelProgram, view: KernelView, render: Render): ContractCode {
  const device = deviceView(program, view)
  const more = [...(device.chains.length > 0 ? ['kcc/cuda/chain.h'] : []), ...(device.products.length > 0 ? ['kcc/cuda/multiply.h'] : [])]
  return { includes: [...headers, ...more], sources: [], text: render('kernel-device.cu', device) }
}

function deviceView(program: KernelProgram, view: KernelView): DeviceKernelView {
  const statements = program.body.map((s, i) => ({ s, launch: program.launches[i]!, kernel: `${view.name}_${i}` }))
  return {
    ...view, sizes: sizesOf(needsOf(program)),
    chains: program.chains.map((chain) => ({ kernel: `${view.name}_${chain.name}`, call: chainCall(chain, program) })),
    products: statements.flatMap(({ s, launch }) => (s.kind === 'contract' && launch.kind === 'tiles' ? [tilesView(program, s, launch, view)] : [])),
    nests: statements.flatMap(({ s, launch, kernel }) => (s.kind !== 'contract' && launch.kind === 'teams' ? [nestView(program, s, launch, kernel)] : [])),
  }
}

function nestView(program: KernelProgram, s: Stmt, { threads, by }: Teams, kernel: string): TeamsView {
  const loops = gridLoops(s), axes = loops.map((loop) => loop.axis), inside = belowGrid(s), last = loops.at(-1)!
  const each = isByNeighbours(last.mode) ? NEIGHBOURS : 1
  const isOneItem = axes.length === 1 && everyIndex(inside).every((index) => !axesOfIndex(index).includes(axes[0]!.name))
  return {
    kernel, team: by === 'row' ? `Team<${threads}>` : `ColumnTeam<${threads}>`, teams: BLOCK_THREADS / threads, items: cDim(divideDims(extentOf(axes), each)!), places: isOneItem ? [] : placesOf(axes, 'item', each),
    body: teamStatements(program, inside, threads, { lanes: each === 1 ? null : { axis: last.axis.name, count: null }, bufferOf: bufferIn(program) }),
  }
}

function tilesView(program: KernelProgram, contract: Contract, launch: Launch & { readonly kind: 'tiles' }, view: KernelView): TilesView {
  const { m, n, k, lhs, rhs, epilogue, together } = contract, { rows, columns, depth, parts } = launch, bufferOf = bufferIn(program)
  const element = (value: Expr): string => printAs(value, false, { lanes: null, varying: new Set(), bufferOf })
  return {
    name: view.name, prelude: view.prelude, rows, columns, depth, resident: rows * columns > LARGE_TILE ? 2 : 1,
    parts, kept: parts > 1 || together.length > 0 ? KEPT_SUMS : null, together: rowsTogether(contract),
    accumulators: accumulatorsOf(contract).map((name, row) => ({ name, row })),
    tile: `${rows}, ${columns}, ${depth}, ${runsAlong(lhs, k.at(-1)!)}, ${runsAlong(rhs, n.at(-1)!)}`,
    m: cDim(extentOf(m)), n: cDim(extentOf(n)), k: cDim(extentOf(k)),
    row: placeIn(m, 'row'), column: placeIn(n, 'column'), term: placeIn(k, 'term'), group: placeIn(finishedRows(contract), 'row'),
    lhs: element(lhs), rhs: element(rhs),
    epilogue: printStatements(epilogue, { bufferOf, range: null, lanes: null, varying: [] }),
  }
}

/** Axes from one number. There are fewer than 2^32 rows, columns and terms, and divisions of 32 bits take a GPU a quarter of the time. */
const placeIn = (axes: readonly Axis[], number: string): string => axesText(axes, axes.length === 1 ? number : `(uint32_t)${number}`).fixed

/** Do neighbours along the axis lie side by side in what is read? */
const runsAlong = (value: Expr, axis: Axis): boolean => indicesOf(value).some((index) => strideOf(index, axis.name) === 1)
