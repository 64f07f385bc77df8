/** One kernel for a GPU: its statements as functions of a grid, and the function of the host that starts them in their order. */
import { divideDims } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import { belowGrid, gridLoops } from '../ir/launch-verify.js'
import { BLOCK_THREADS, extentOf, isByNeighbours, NEIGHBOURS, type KernelProgram, type Stmt, type Teams } from '../ir/loop.js'
import { everyIndex } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { placesOf } from './c-stmt.js'
import { chainCall } from './chains.js'
import { bufferIn } from './contract-kernel.js'
import type { ContractCode } from './contract-view.js'
import { tileHeaders, tilesView } from './device-product.js'
import { needsOf, sizesOf } from './kernel-fields.js'
import { teamStatements } from './team-stmt.js'
import type { DeviceKernelView, KernelView, TeamsView } from './views.js'

type Render = (template: string, view: object) => string

const headers = ['kcc/cuda/launch.h', 'kcc/cuda/vec.h']

export function deviceCode(program: KernelProgram, view: KernelView, render: Render): ContractCode {
  const device = deviceView(program, view)
  const more = [...(device.chains.length > 0 ? ['kcc/cuda/chain.h'] : []), ...tileHeaders(program)]
  return { includes: [...headers, ...more], sources: [], text: render('kernel-device.cu', device) }
}

function deviceView(program: KernelProgram, view: KernelView): DeviceKernelView {
  const statements = program.body.map((s, i) => {
    const launch = program.launches[i]!
    return { s, launch, kernel: `${view.name}_${i}`, parts: s.kind !== 'contract' && launch.kind === 'teams' ? [teamsView(program, s, launch)] : [] }
  })
  return {
    ...view, sizes: sizesOf(needsOf(program)),
    chains: program.chains.map((chain) => ({ kernel: `${view.name}_${chain.name}`, call: chainCall(chain, program) })),
    products: statements.flatMap(({ s, launch }) => (s.kind === 'contract' && launch.kind === 'tiles' ? [tilesView(program, s, launch, view)] : [])),
    nests: program.isAtOnce ? [{ kernel: `${view.name}_all`, parts: statements.flatMap(({ parts }) => parts) }] : statements.filter(({ parts }) => parts.length > 0),
  }
}

function teamsView(program: KernelProgram, s: Stmt, { threads, by }: Teams): TeamsView {
  const loops = gridLoops(s), axes = loops.map((loop) => loop.axis), inside = belowGrid(s), last = loops.at(-1)!
  const each = isByNeighbours(last.mode) ? NEIGHBOURS : 1
  const isOneItem = axes.length === 1 && everyIndex(inside).every((index) => !axesOfIndex(index).includes(axes[0]!.name))
  return {
    team: by === 'row' ? `Team<${threads}>` : `ColumnTeam<${threads}>`, teams: BLOCK_THREADS / threads, items: cDim(divideDims(extentOf(axes), each)!), places: isOneItem ? [] : placesOf(axes, 'item', each),
    body: teamStatements(program, inside, threads, { lanes: each === 1 ? null : { axis: last.axis.name, count: null }, bufferOf: bufferIn(program) }),
  }
}
