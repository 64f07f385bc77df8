/**
 * May a thread of a GPU take four neighbours along an axis at once? What it loads and stores along the axis is then one access
 * of 16 bytes instead of four of 4, and its four results do not wait for each other.
 *
 * Every buffer starts at a multiple of 64 bytes (`plan/plan-memory.ts`, `emit/scratch.ts`, variables and inputs in
 * `native/cuda/device.cc`), so that strides and offsets decide which accesses are of whole quarters of a line.
 */
import { divideDims, type Dim } from '../ir/dim.js'
import { NEIGHBOURS, type Axis, type Index, type Stmt } from '../ir/loop.js'
import { accessesIn, guardsIn, indicesOf, namesIn, strideOf, type Lookup } from './walk.js'

export function takesNeighbours(body: readonly Stmt[], { name, extent }: Axis): boolean {
  const { loads, lookups, stores, others } = accessesIn(body)
  const isStill = (index: Index): boolean => strideOf(index, name) === 0
  return isMultiple(extent) && body.every(isFlat) && stores.every((index) => isWhole(index, name)) &&
    loads.every(({ index }) => isStill(index) || isWhole(index, name)) && lookups.every((lookup) => isOneRow(lookup, name)) &&
    guardsIn(body).every((bound) => isStill(bound.index)) && others.every((index) => strideOf(index, name) !== null) &&
    body.every((s) => s.kind !== 'follow' || isStill(s.row))
}

const isMultiple = (dim: Dim): boolean => divideDims(dim, NEIGHBOURS) !== null

/** Loops inside of a thread's neighbours are those of combinations alone. */
const isFlat = ({ kind }: Stmt): boolean => kind !== 'for' && kind !== 'contract'

/** Neighbours along the axis are neighbours in memory, and four of them begin at a multiple of four. */
function isWhole(index: Index, axis: string): boolean {
  const others = [...index.terms.filter((t) => t.axis !== axis), ...index.quotients].map((t) => t.stride)
  return strideOf(index, axis) === 1 && [index.offset, ...others].every(isMultiple)
}

/** Neighbours look up neighbours of one row. */
const isOneRow = ({ index, at, stride }: Lookup, axis: string): boolean =>
  isWhole(index, axis) && isMultiple(stride) && namesIn(at).length === 0 && indicesOf(at).every((place) => strideOf(place, axis) === 0)
