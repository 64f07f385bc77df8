/**
 * Computes several neighbouring results of small windows at once: the elements that their windows share are read once,
 * what all windows are combined with (a kernel of taps) stays in registers, and the loops over the window are written out.
 *
 *     for d2 < 14 {                                             for d5 < 64 vector { positions 0 to 3 }
 *       for d5 < 64 vector {                                    for d2 < 2 {
 *         reduce v0: f32 = sum over d3 < 3, d4 < 3 { … }   →      for d5 < 64 vector { positions 4*d2 + 4 to 4*d2 + 7 }
 *         store out0[64*d2 + d5] = v0                           }
 *       }                                                       for d5 < 64 vector { positions 12 and 13 }
 *     }
 *
 * The first and the last positions are written out too, so that a border along the axis (`guard`) is decided here; in the
 * loop between them it never holds anything back.
 */
import { isStatic } from '../ir/dim.js'
import { axisIndex, combined, constIndex, placesIn, scaleIndex, shiftIndex } from '../ir/expr.js'
import type { Expr, Index, KernelProgram, Stmt } from '../ir/loop.js'
import { interior, within, type Ranges } from './ranges.js'
import { copyAt, Names, StraightLine, type Copy } from './straight-line.js'
import { accessesIn, guardsIn, strideOf } from './walk.js'

/** Positions computed at once: with an accumulator each, what they read in a row of the window, and a tap, all fit 16 registers. */
const width = 4

/** Windows of up to so many elements are written out; of larger ones, up to `largest`, only the last axis, up to `mostAlong`. */
const mostElements = 16, mostAlong = 8, largest = 64

/** Tiles that may be written out besides the one in the loop. */
const mostTiles = 4

type Loop = Stmt & { readonly kind: 'for' }
type Reduce = Stmt & { readonly kind: 'reduce' }
type Sized = { readonly name: string; readonly extent: number }

export function tileWindows(kernel: KernelProgram): KernelProgram {
  const names = new Names(kernel)
  return { ...kernel, body: kernel.body.flatMap((s) => tileStatement(s, new Map(), names)) }
}

function tileStatement(s: Stmt, ranges: Ranges, names: Names): Stmt[] {
  if (s.kind !== 'for' || s.mode === 'vector') return [s]
  const tiled = tile(s, ranges, names)
  return tiled ?? [{ ...s, body: s.body.flatMap((inner) => tileStatement(inner, within(ranges, [s.axis]), names)) }]
}

/** The loop in tiles, or null when it is no loop over neighbouring windows. Short loops inside of it are written out with it. */
function tile(loop: Loop, ranges: Ranges, names: Names): Stmt[] | null {
  const { axis } = loop, inside = innermost(loop, width)
  if (!inside || !isStatic(axis.extent) || !isWindowed(inside.vector.body)) return null
  if (!areApart([axis, ...inside.short], accessesIn(inside.vector.body).stores)) return null
  const { vector, short } = inside, step = Math.floor(width / elements(short)), around = within(ranges, [vector.axis])
  const reduced = vector.body.flatMap((s) => (s.kind === 'reduce' ? s.axes : []))
  const [from, to] = interior(axis, axis.extent, guardsIn(vector.body), within(ranges, [...short, ...reduced]))
  const first = Math.ceil(from / step) * step, count = Math.max(Math.floor((to - first) / step), 0), last = first + count * step
  const [before, after] = [tilesBetween(0, first, step, axis.extent), tilesBetween(last, axis.extent, step, axis.extent)]
  if (first > axis.extent || before.length + after.length > mostTiles) return null
  const writeOut = (positions: readonly Index[], known: Ranges): Loop => {
    const copies = positions.flatMap((position) => placesIn(short).map((place) => copyAt([[axis.name, position], ...place])))
    return { ...vector, body: written(vector.body, copies, known, names) }
  }
  const fixed = (positions: readonly number[]): Loop => writeOut(positions.map(constIndex), around)
  const tiles = { ...axis, extent: count }
  const middle = range(0, step).map((j) => shiftIndex(scaleIndex(axisIndex(axis.name), step), first + j))
  const between = (): Stmt[] => (count === 0 ? [] : [{ ...loop, axis: tiles, body: [writeOut(middle, within(around, [tiles]))] }])
  return [...before.map(fixed), ...between(), ...after.map(fixed)]
}

/** Every position stores elements of its own. */
const areApart = (axes: readonly { readonly name: string }[], stores: readonly Index[]): boolean =>
  stores.every((index) => axes.every(({ name }) => strideOf(index, name) !== 0))

const range = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, i) => begin + i)

/** The loops directly in `loop` down to the vector, with `most` iterations together. */
function innermost(loop: Loop, most: number): { readonly short: readonly Sized[]; readonly vector: Loop } | null {
  const [next, ...others] = loop.body
  if (next?.kind !== 'for' || others.length > 0) return null
  const { name, extent } = next.axis
  if (next.mode === 'vector') return { short: [], vector: next }
  const inside = isStatic(extent) && extent > 0 && extent <= most ? innermost(next, Math.floor(most / extent)) : null
  return inside && isStatic(extent) ? { ...inside, short: [{ name, extent }, ...inside.short] } : null
}

/** Positions from `begin` to below `end`, `step` at a time. */
function tilesBetween(begin: number, end: number, step: number, extent: number): number[][] {
  const stop = Math.min(end, extent)
  return range(0, Math.ceil((stop - begin) / step)).map((i) => range(begin + i * step, Math.min(begin + (i + 1) * step, stop)))
}

/** Combinations over small fixed windows, and nothing that walks or draws. */
function isWindowed(body: readonly Stmt[]): boolean {
  const simple = body.every((s) => s.kind === 'let' || s.kind === 'store' || (s.kind === 'reduce' && isSmall(s)))
  const { draws, lookups } = accessesIn(body)
  return simple && draws === 0 && lookups.length === 0 && body.some((s) => s.kind === 'reduce')
}

const sized = (s: Reduce): Sized[] | null => {
  const known = s.axes.flatMap(({ name, extent }) => (isStatic(extent) ? [{ name, extent }] : []))
  return known.length === s.axes.length ? known : null
}

const elements = (axes: readonly Sized[]): number => axes.reduce((product, { extent }) => product * extent, 1)

function isSmall(s: Reduce): boolean {
  const axes = sized(s)
  return axes !== null && axes.length > 0 && elements(axes) > 0 && s.modes.every((mode) => mode === 'serial') && s.body.every((inner) => inner.kind === 'let') &&
    (elements(axes) <= mostElements || (elements(axes) <= largest && axes.length > 1 && axes.at(-1)!.extent <= mostAlong))
}

/** The body in all copies, statement by statement. */
function written(body: readonly Stmt[], copies: readonly Copy[], ranges: Ranges, names: Names): Stmt[] {
  const line = new StraightLine(names, ranges)
  for (const s of body) {
    if (s.kind === 'let') copies.forEach((copy) => line.lets([s], copy))
    else if (s.kind === 'store') copies.forEach((copy) => line.store(s, copy))
    else if (s.kind === 'reduce') reduceAll(s, copies, line, ranges)
  }
  return line.statements
}

/** The combination in every copy: element by element where the window is small, row by row in a loop where it is not. */
function reduceAll(s: Reduce, copies: readonly Copy[], line: StraightLine, ranges: Ranges): void {
  const axes = sized(s)!
  if (elements(axes) <= mostElements) {
    const found = inLine(s, copies, axes, line)
    return copies.forEach((copy, j) => s.results.forEach((r, i) => copy.locals.set(r.name, found[j]![i]!)))
  }
  const rows = s.axes.slice(0, -1)
  const inside = line.inner(within(ranges, rows))
  const found = inLine(s, copies.map((copy) => copyAt([], copy)), axes.slice(-1), inside)
  const results = copies.flatMap((copy, j) => s.results.map((r, i) => {
    const name = line.freshName()
    copy.locals.set(r.name, { kind: 'local', dtype: r.dtype, name })
    return { ...r, name, value: found[j]![i]! }
  }))
  line.statements.push({ ...s, axes: rows, modes: rows.map(() => 'serial'), results, body: inside.statements })
}

/** For each copy the results over `axes`, place by place: what a place reads is common to the copies. */
function inLine(s: Reduce, copies: readonly Copy[], axes: readonly Sized[], line: StraightLine): Expr[][] {
  const places = placesIn(axes)
  return places.reduce<Expr[][] | null>((sums, place) => copies.map((copy, j) => {
    const here = copyAt(place, copy)
    line.lets(s.body, here)
    return s.results.map((r, i) => {
      const value = line.value(r.value, here)
      return line.name(sums ? combined(r, sums[j]![i]!, value) : value, s.from)
    })
  }), null)!
}
