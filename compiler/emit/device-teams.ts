/** A loop whose items are shared out to teams of threads, as C++ over `native/include/kcc/cuda/team.h`. */
import { divideDims } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import { belowGrid, gridLoops } from '../ir/launch-verify.js'
import { BLOCK_THREADS, extentOf, isByNeighbours, NEIGHBOURS, type KernelProgram, type Stmt, type Teams } from '../ir/loop.js'
import { everyIndex } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { placesOf } from './c-stmt.js'
import { bufferIn } from './contract-kernel.js'
import { teamStatements } from './team-stmt.js'
import type { TeamsView } from './views.js'

export function teamsView(program: KernelProgram, s: Stmt, { threads, by }: Teams): TeamsView {
  const loops = gridLoops(s), axes = loops.map((loop) => loop.axis), inside = belowGrid(s), last = loops.at(-1)!
  const each = isByNeighbours(last.mode) ? NEIGHBOURS : 1
  const isOneItem = axes.length === 1 && everyIndex(inside).every((index) => !axesOfIndex(index).includes(axes[0]!.name))
  return {
    team: by === 'row' ? `Team<${threads}>` : `ColumnTeam<${threads}>`, teams: BLOCK_THREADS / threads, items: cDim(divideDims(extentOf(axes), each)!), places: isOneItem ? [] : placesOf(axes, 'item', each),
    body: teamStatements(program, inside, threads, { lanes: each === 1 ? null : { axis: last.axis.name, count: null }, bufferOf: bufferIn(program) }),
  }
}
