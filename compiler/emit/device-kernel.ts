/** One kernel for a GPU: its statements as functions of a grid, and the function of the host that starts them in their order. */
import { axesOfIndex } from '../ir/expr.js'
import { belowGrid } from '../ir/launch-verify.js'
import { extentOf, type Axis, type Contract, type Expr, type KernelProgram, type Launch, type Stmt } from '../ir/loop.js'
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
import type { KernelView, TeamsKernelView, TeamsView, TilesKernelView } from './views.js'

type Render = (template: string, view: object) => string

const headers = ['kcc/cuda/launch.h', 'kcc/cuda/math.h', 'kcc/cuda/random.h', 'kcc/cuda/team.h']

/** Threads of a block of a kernel in teams. */
const BLOCK = 256

/** Results of a tile from which on a thread would take more registers than leave room for a second block, which hides waits of the first. */
const LARGE_TILE = 128 * 64

export function deviceCode(program: KernelProgram, view: KernelView, render: Render): ContractCode {
  const [first] = program.body, [launch] = program.launches
  if (first?.kind === 'contract' && launch?.kind === 'tiles') return { includes: [...headers, 'kcc/cuda/multiply.h'], sources: [], text: render('kernel-tiles.cu', tilesView(program, first, launch, view)) }
  const teams = teamsView(program, view)
  return { includes: program.chains.length > 0 ? [...headers, 'kcc/cuda/chain.h'] : headers, sources: [], text: render('kernel-teams.cu', teams) }
}

function teamsView(program: KernelProgram, view: KernelView): TeamsKernelView {
  return {
    ...view, sizes: sizesOf(needsOf(program)),
    chains: program.chains.map((chain) => ({ kernel: `${view.name}_${chain.name}`, call: chainCall(chain, program) })),
    nests: program.body.map((s, i) => nestView(program, s, program.launches[i]!, `${view.name}_${i}`)),
  }
}

function nestView(program: KernelProgram, s: Stmt, launch: Launch, kernel: string): TeamsView {
  if (launch.kind !== 'teams') throw new Error(`kernel ${program.name} is started in tiles, and is no contraction`)
  const axes = gridAxes(s), { threads } = launch, inside = belowGrid(s)
  const isOneItem = axes.length === 1 && everyIndex(inside).every((index) => !axesOfIndex(index).includes(axes[0]!.name))
  return {
    kernel, threads, teams: BLOCK / threads, items: cDim(extentOf(axes)), places: isOneItem ? [] : placesOf(axes, 'item'),
    body: teamStatements(program, inside, threads, bufferIn(program)),
  }
}

/** Axes of the loops over the grid, outermost first. */
function gridAxes(s: Stmt): readonly Axis[] {
  return s.kind === 'for' && s.mode === 'grid' ? [s.axis, ...(s.body.length === 1 ? gridAxes(s.body[0]!) : [])] : []
}

function tilesView(program: KernelProgram, contract: Contract, { rows, columns, depth, parts }: Launch & { readonly kind: 'tiles' }, view: KernelView): TilesKernelView {
  const { m, n, k, lhs, rhs, epilogue, accumulator } = contract, bufferOf = bufferIn(program)
  const element = (value: Expr): string => printAs(value, false, { lanes: null, varying: new Set(), bufferOf })
  return {
    ...view, sizes: sizesOf(needsOf(program)), rows, columns, depth, resident: rows * columns > LARGE_TILE ? 2 : 1, parts: parts === 1 ? null : parts, kept: program.scratch[0]?.name ?? '',
    tile: `${rows}, ${columns}, ${depth}, ${runsAlong(lhs, k.at(-1)!)}, ${runsAlong(rhs, n.at(-1)!)}`,
    m: cDim(extentOf(m)), n: cDim(extentOf(n)), k: cDim(extentOf(k)),
    row: placeIn(m, 'row'), column: placeIn(n, 'column'), term: placeIn(k, 'term'),
    lhs: element(lhs), rhs: element(rhs), accumulator,
    epilogue: printStatements(epilogue, { bufferOf, range: null, lanes: null, varying: [] }),
  }
}

/** Axes from one number. There are fewer than 2^32 rows, columns and terms, and divisions of 32 bits take a GPU a quarter of the time. */
const placeIn = (axes: readonly Axis[], number: string): string => axesText(axes, axes.length === 1 ? number : `(uint32_t)${number}`).fixed

/** Do neighbours along the axis lie side by side in what is read? */
const runsAlong = (value: Expr, axis: Axis): boolean => indicesOf(value).some((index) => strideOf(index, axis.name) === 1)
