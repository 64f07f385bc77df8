/** Python's subscripts on tensors: `x[:, 0]` is `x.slice([null, 0])`, `x[:, 1:-1]` is `x.slice([null, [1, -1]])`. */
import { ValueError } from '../../runtime/contract/errors.js'
import { addDims, isStatic, subtractDims, type Dim } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { reshape, slice } from '../ops/build.js'
import { captureLocation } from '../support/capture.js'
import { reprText } from './python-text.js'

/**
 * What is taken of one axis: `null` all of it (`:`), a number one place of it, without the axis (`i`), and a list the
 * places from the first number up to the second (`i:j`). Negative numbers count from the end; null is an end left open.
 */
export type AxisIndex = number | null | readonly [start: number | null, stop?: number | null]
/** One entry for each axis; those left out are taken whole. `'...'` stands for as many whole axes as are missing. */
export type TensorIndex = readonly (AxisIndex | '...')[]

type Range = { readonly begin: Dim; readonly size: Dim }

/** @throws ValueError for more entries than axes, an entry that is none, or a place outside of the axis. */
export function sliceNode(x: Node, index: TensorIndex): Node {
  const { shape } = x.type
  const entries = expand(index, shape.length)
  const ranges = shape.map((size, axis) => rangeOf(entries[axis] ?? null, size, axis))
  const taken = slice(x, ranges.map((r) => r.begin), ranges.map((r) => r.size))
  return reshape(taken, taken.type.shape.filter((_, axis) => typeof entries[axis] !== 'number'))
}

/** Entries by axis, with the dots resolved. */
function expand(index: TensorIndex, rank: number): readonly AxisIndex[] {
  const dots = index.indexOf('...')
  const entries = index.filter((entry) => entry !== '...')
  if (entries.length > rank || index.length - entries.length > 1) {
    fail(`slice: expected at most ${rank} entries and one '...', found ${index.length}: ${reprText(index)}`)
  }
  const missing = Array.from({ length: rank - entries.length }, () => null)
  return dots < 0 ? [...entries, ...missing] : [...entries.slice(0, dots), ...missing, ...entries.slice(dots)]
}

function rangeOf(entry: AxisIndex, size: Dim, axis: number): Range {
  if (entry === null) return { begin: 0, size }
  if (typeof entry === 'number') return { begin: placeOf(entry, size, axis), size: 1 }
  const [start = null, stop = null] = entry
  if (entry.length > 2) fail(`slice: expected [start, stop] for axis ${axis}, found ${reprText(entry)}: steps other than 1 are not there`)
  const begin = edgeOf(start ?? 0, size, axis), end = stop === null ? size : edgeOf(stop, size, axis)
  const length = subtractDims(end, begin)
  return { begin, size: isStatic(length) ? Math.max(0, length) : length }
}

/** One place of an axis. */
function placeOf(i: number, size: Dim, axis: number): Dim {
  requireWhole(i, axis)
  if (isStatic(size) && (i < -size || i >= size)) fail(`slice: index ${i} is out of bounds for axis ${axis} with size ${size}`)
  return i < 0 ? addDims(size, i) : i
}

/** An end of a range. As in Python it stays inside an axis whose size is known. */
function edgeOf(i: number, size: Dim, axis: number): Dim {
  requireWhole(i, axis)
  const edge = i < 0 ? addDims(size, i) : i
  return isStatic(edge) && isStatic(size) ? Math.min(size, Math.max(0, edge)) : edge
}

function requireWhole(i: number, axis: number): void {
  if (!Number.isInteger(i)) fail(`slice: expected whole numbers for axis ${axis}, found ${reprText(i)}`)
}

function fail(message: string): never {
  throw new ValueError(message, captureLocation(), 'expected: for each axis null (all), a number (one place) or [start, stop]')
}
