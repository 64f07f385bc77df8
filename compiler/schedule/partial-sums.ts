/**
 * Combinations over many positions that leave few results, as the gradient of a bias or of a small kernel: first over the
 * positions of each part (the outermost reduced axis), which are independent, then over the parts, in their order. Results
 * that read the same elements are found in one pass over them, row by row (the innermost reduced axis), so that memory is
 * read in its order.
 *
 *     for d3 < 3 {                                                  for d0 < B {
 *       for d4 < 64 vector {                                          for d4 < 64 vector { store part0[192*d0 + d4] = 0:f32 … }
 *         reduce v0: f32 = sum over d0 < B, d1 < 9, d2 < 100 {        for d1 < 9 {
 *           value …                                            →        for d4 < 64 vector {
 *         }                                                               reduce t0: f32 = sum, t1: …, t2: … over d2 < 100 { … }
 *         store out0[64*d3 + d4] = v0                                     store part0[192*d0 + d4] = add(part0[192*d0 + d4], t0)
 *       }                                                               …
 *     }                                                             for d3 < 3 {
 *                                                                     for d4 < 64 vector {
 *                                                                       reduce v0: f32 = sum over d0 < B { value part0[…] }
 *
 * A border along the innermost reduced axis (`guard`) is decided outside of the loop, as in `tile-windows.ts`.
 */
import { equalDims, isStatic, type Dim } from '../ir/dim.js'
import { axisIndex, combined, constIndex, linearIndex, placesIn, scaleIndex, shiftIndex, substituteIndex } from '../ir/expr.js'
import type { Provenance } from '../ir/graph.js'
import { extentOf, nothingOf, type Axis, type Buffer, type Combination, type Expr, type Index, type KernelProgram, type Stmt } from '../ir/loop.js'
import { interior, within, type Ranges } from './ranges.js'
import { copyAt, Names, StraightLine } from './straight-line.js'
import { accessesIn, boundNames, guardsIn, mapIndices, namesIn } from './walk.js'

/** Kept places whose results are found together; accumulators of positions that are written out; of those in the loop. */
const mostPlaces = 16, mostWritten = 24, wanted = 8

/** Positions of a part for each kept place: with fewer, storing parts costs more than it gains. */
const leastPositions = 4

type Loop = Stmt & { readonly kind: 'for' }
type Reduce = Stmt & { readonly kind: 'reduce' }
type Sized = { readonly name: string; readonly extent: number }

/** The kernel's loops: over `kept` places, lanes along `vector`, and of what is reduced the `parts` and the `rest`. */
type Shape = { readonly kept: readonly Sized[]; readonly vector: Loop; readonly reduces: readonly Reduce[]; readonly parts: Axis; readonly rest: readonly Axis[] }

export function partialSums(kernel: KernelProgram): KernelProgram {
  const [nest, ...others] = kernel.body
  const shape = others.length === 0 && nest?.kind === 'for' ? shapeOf(nest) : null
  if (!shape) return kernel
  const names = new Names(kernel)
  const scratch = shape.reduces.flatMap((s) => s.results).map((r, i): Buffer => ({
    name: `part${i}`, dtype: r.dtype, shape: [shape.parts.extent, ...shape.kept.map((a) => a.extent), shape.vector.axis.extent],
  }))
  return { ...kernel, scratch, body: [eachPart(shape, scratch, names), overParts(nest as Loop, shape, scratch)] }
}

function shapeOf(nest: Loop): Shape | null {
  const { kept, vector } = keptAxes(nest)
  const reduces = vector?.body.filter((s) => s.kind === 'reduce') ?? []
  const [first] = reduces
  if (!vector || !kept || !first || !isStatic(vector.axis.extent) || !reduces.every((s) => isIndependent(s) && sameAxes(s.axes, first.axes))) return null
  if (!vector.body.every((s) => s.kind === 'reduce' || s.kind === 'let' || s.kind === 'store')) return null
  const units = first.axes.filter((a) => a.extent === 1).map((a) => a.name)
  const [parts, ...rest] = first.axes.filter((a) => a.extent !== 1)
  if (!parts || rest.length === 0 || !isMuch(extentOf(rest), elements(kept))) return null
  const alone = mapIndices(reduces, (index) => substituteIndex(index, (name) => (units.includes(name) ? constIndex(0) : undefined))) as Reduce[]
  return { kept, vector, reduces: alone, parts, rest }
}

/** Loops of fixed extents around the vector loop, one in the other. */
function keptAxes(loop: Loop): { kept: Sized[] | null; vector: Loop | null } {
  if (loop.mode === 'vector') return { kept: [], vector: loop }
  const [next, ...others] = loop.body
  if (next?.kind !== 'for' || others.length > 0 || !isStatic(loop.axis.extent)) return { kept: null, vector: null }
  const { kept, vector } = keptAxes(next)
  return { kept: kept && [{ name: loop.axis.name, extent: loop.axis.extent }, ...kept], vector }
}

/** Uses nothing that was computed before, walks through nothing and draws nothing. */
export function isIndependent(s: Reduce): boolean {
  const own = new Set(boundNames(s.body)), { draws, lookups } = accessesIn([s])
  const values = [...s.body.map((inner) => (inner.kind === 'let' ? inner.value : null)), ...s.results.map((r) => r.value)]
  return draws === 0 && lookups.length === 0 && s.modes.every((mode) => mode === 'serial') && values.every((value) => value !== null && namesIn(value).every((name) => own.has(name)))
}

export const sameAxes = (a: readonly Axis[], b: readonly Axis[]): boolean => a.length === b.length && a.every((axis, i) => axis.name === b[i]!.name && equalDims(axis.extent, b[i]!.extent))
const elements = (axes: readonly Sized[]): number => axes.reduce((product, { extent }) => product * extent, 1)
const isMuch = (positions: Dim, places: number): boolean => !isStatic(positions) || positions >= leastPositions * places

/** For every part the combinations over its own positions, for as many kept places at once as have accumulators. */
function eachPart(shape: Shape, scratch: readonly Buffer[], names: Names): Stmt {
  const { kept, vector, parts } = shape
  const together = lastWithin(kept, mostPlaces), around = kept.slice(0, kept.length - together.length), rows = shape.rest.slice(0, -1)
  const ranges = within(new Map(), [...around, parts, ...rows, vector.axis])
  const found = partOf(shape, together, new StraightLine(names, ranges), ranges)
  const at = (place: Place): Index[] => [parts, ...kept, vector.axis].map(({ name }) => place.find(([axis]) => axis === name)?.[1] ?? axisIndex(name))
  const store = (value: (buffer: Buffer, index: Index, p: number, r: number) => Expr): Stmt[] => placesIn(together).flatMap((place, p) => scratch.map((buffer, r): Stmt => {
    const index = linearIndex(at(place), buffer.shape)
    return { kind: 'store', buffer: buffer.name, index, value: value(buffer, index, p, r), from: found.results[r]!.from }
  }))
  const stored = (buffer: Buffer, index: Index): Expr => ({ kind: 'load', dtype: buffer.dtype, buffer: buffer.name, index })
  const alone = rows.length === 0
  const add = store((buffer, index, p, r) => (alone ? found.values[p]![r]! : combined(found.results[r]!, stored(buffer, index), found.values[p]![r]!)))
  const start: Stmt[] = alone ? [] : [{ ...vector, body: store(({ dtype }, _index, _p, r) => ({ kind: 'const', dtype, value: nothingOf(found.results[r]!) })) }]
  return nest([parts, ...around], [...start, ...nest(rows, [{ ...vector, body: [...found.statements, ...add] }])])[0]!
}

const nest = (axes: readonly Axis[], body: readonly Stmt[]): readonly Stmt[] =>
  axes.reduceRight<readonly Stmt[]>((inner, axis) => [{ kind: 'for', axis, mode: 'serial', body: inner }], body)

function lastWithin(axes: readonly Sized[], most: number): readonly Sized[] {
  const enough = axes.findIndex((_, i) => elements(axes.slice(i)) <= most)
  return enough < 0 ? [] : axes.slice(enough)
}

/** Positions of the innermost reduced axis that a loop goes through, or that are written out. */
type Segment = { readonly axes: readonly Axis[]; readonly positions: readonly Index[] }

type Place = readonly (readonly [string, Index])[]

/** What a row of a part adds: for each kept place and result a value, after the statements that find them. */
type Found = { readonly statements: readonly Stmt[]; readonly results: readonly (Combination & { readonly from: Provenance })[]; readonly values: readonly (readonly Expr[])[] }

function partOf(shape: Shape, together: readonly Sized[], line: StraightLine, ranges: Ranges): Found {
  const places = placesIn(together), results = shape.reduces.flatMap((s) => s.results.map((r) => ({ ...r, from: s.from })))
  const found = segmentsOf(shape, together, places.length * results.length, ranges).map((segment) => segmentOf(shape, segment, places, line, ranges))
  const values = places.map((_, p) => results.map((result, r) => found.flatMap((segment) => segment.map((position) => position[p]![r]!)).reduce((a, b) => combined(result, a, b))))
  return { statements: line.statements, results, values }
}

/** Several positions at once where there are few accumulators, each with its own: sums wait for the one before. */
function segmentsOf({ rest, reduces }: Shape, together: readonly Sized[], results: number, ranges: Ranges): Segment[] {
  const axis = rest.at(-1)!, { extent } = axis
  if (!isStatic(extent)) return [{ axes: [axis], positions: [axisIndex(axis.name)] }]
  const width = Math.min(Math.max(Math.floor(wanted / results), 1), 4, extent)
  const [inFrom, inTo] = interior(axis, extent, guardsIn(reduces), within(ranges, [...together, axis]))
  const between = (from: number, to: number): Segment[] => {
    const count = Math.max(Math.floor((to - from) / width), 0), last = from + count * width
    const written = [...Array(extent).keys()].filter((i) => i < from || i >= last).map(constIndex)
    const loop: Segment = { axes: [{ ...axis, extent: count }], positions: Array.from({ length: width }, (_, j) => shiftIndex(scaleIndex(axisIndex(axis.name), width), from + j)) }
    return [...(count === 0 ? [] : [loop]), ...(written.length === 0 ? [] : [{ axes: [], positions: written }])]
  }
  const segments = between(inFrom, inTo)
  return segments.every((s) => s.positions.length * results <= mostWritten) ? segments : between(0, extent)
}

/** What the results are over a segment: for each of its positions, kept place and result a name. */
function segmentOf({ reduces, rest }: Shape, { axes, positions }: Segment, places: readonly Place[], line: StraightLine, ranges: Ranges): Expr[][][] {
  const inside = axes.length === 0 ? line : line.inner(within(ranges, axes))
  const last = rest.at(-1)!.name
  const all: Combination[] = []
  const names = positions.map((position) => places.map((place) => reduces.flatMap((s) => {
    const copy = copyAt([...place, [last, position]])
    inside.lets(s.body, copy)
    return s.results.map((r): Expr => {
      const value = inside.value(r.value, copy)
      if (axes.length === 0) return inside.name(value)
      const name = inside.freshName()
      all.push({ ...r, name, value })
      return { kind: 'local', dtype: r.dtype, name }
    })
  })))
  if (axes.length > 0) line.statements.push({ kind: 'reduce', results: all, axes, modes: axes.map(() => 'serial'), body: inside.statements, from: reduces[0]!.from })
  return names
}

/** The kernel's own loops, with what the parts gave in the place of what they were made of. */
function overParts(nest: Loop, { kept, vector, parts }: Shape, scratch: readonly Buffer[]): Stmt {
  const at = [parts, ...kept, vector.axis].map((axis) => axisIndex(axis.name))
  let next = 0
  const ofParts = (r: Combination): Combination => {
    const { name, shape } = scratch[next++]!
    return { ...r, value: { kind: 'load', dtype: r.dtype, buffer: name, index: linearIndex(at, shape) } }
  }
  const replaced = (s: Stmt): Stmt => {
    if (s.kind === 'for') return { ...s, body: s.body.map(replaced) }
    return s.kind === 'reduce' ? { ...s, axes: [parts], modes: ['serial'], body: [], results: s.results.map(ofParts) } : s
  }
  return replaced(nest)
}
