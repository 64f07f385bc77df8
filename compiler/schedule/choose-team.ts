/**
 * How many threads of a GPU share an item of a grid, and which of them are neighbours.
 *
 * A thread for itself where items are many or their rows short; teams by row where a row's elements lie side by side, so that a
 * warp reads them together; teams by column where they lie apart, and those of neighbouring items side by side, as in the sums of
 * a batch for each channel.
 */
import { atReference } from '../ir/cost.js'
import { isColumnWork } from '../ir/launch-verify.js'
import { extentOf, NEIGHBOURS, type Axis, type Stmt, type Teams } from '../ir/loop.js'
import type { CudaTarget } from './target.js'
import { accessesIn, strideOf } from './walk.js'

const alone: Teams = { kind: 'teams', threads: 1, by: 'row' }

/** @param axes of the grid, outermost first. @param inside what is done for each of its items. */
export function chooseTeam(axes: readonly Axis[], inside: readonly Stmt[], target: CudaTarget): Teams {
  const items = atReference(extentOf(axes)), rows = inside.filter(isCombination)
  const longest = Math.max(0, ...rows.map((s) => atReference(extentOf(axesOf(s)))))
  if (longest < target.warpRow || inside.some((s) => s.kind === 'follow')) return alone
  const isAlongRow = rows.some(runsAlongRow)
  if (!isAlongRow && items * COLUMN <= target.threads && isOfColumns(inside, axes.at(-1)!)) {
    return { kind: 'teams', threads: items / (BLOCK / COLUMN) >= target.blocks || longest < 2 * WARP ? COLUMN : WARP, by: 'column' }
  }
  if (!isAlongRow && items >= target.threads / target.warpRow) return alone
  const isForBlock = longest >= target.blockRow || (items * target.warpRow < target.busyThreads && longest >= BLOCK)
  return { kind: 'teams', threads: isForBlock ? BLOCK : WARP, by: 'row' }
}

const COLUMN = 8, WARP = 32, BLOCK = 256

type Combining = Stmt & { readonly kind: 'reduce' | 'argmax' }
const isCombination = (s: Stmt): s is Combining => s.kind === 'reduce' || s.kind === 'argmax'
const axesOf = (s: Combining): readonly Axis[] => (s.kind === 'reduce' ? s.axes : [s.axis])

/** Neighbours along the row are neighbours in memory. */
function runsAlongRow(s: Combining): boolean {
  const last = axesOf(s).at(-1)
  return last !== undefined && accessesIn([s]).loads.some((l) => strideOf(l.index, last.name) === 1)
}

/** Sums and what follows from them, for items that lie side by side in what is read: enough for the sectors of 32 bytes that memory gives. */
function isOfColumns(inside: readonly Stmt[], { name, extent }: Axis): boolean {
  const strides = accessesIn(inside.filter(isCombination)).loads.map((l) => strideOf(l.index, name))
  return inside.every(isColumnWork) && atReference(extent) >= 2 * NEIGHBOURS && strides.includes(1) && strides.every((stride) => stride === 0 || stride === 1)
}
