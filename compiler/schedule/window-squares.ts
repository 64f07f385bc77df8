/**
 * Products over windows, one pixel apart, are made square by square of 2 x 2 windows, those of 3 x 3 pixels with 16 multiplications
 * in place of 36 (Winograd's minimal filtering, `native/include/kcc/gemm-windows.h`), where that is soon less work:
 *
 *   contract d0 < B, d1 < 46, d2 < 46; d3 < 64; k0 < 3, k1 < 96   →   … in squares of 46 x 46 x 32 by 3 x 3
 *
 * They are found by what a step of each axis does to every index, so that it does not matter what the product was made from: a
 * convolution, the gradient of one by its input, one over repeated elements or before pooling. Windows along the rows are those of
 * a filter's gradient. What is decided depends on nothing but sizes that are known, so that a sample's results are the same in
 * every batch.
 */
import { isStatic } from '../ir/dim.js'
import { axisIndex, equalIndex, shiftIndex, substituteIndex } from '../ir/expr.js'
import { extentOf, type Axis, type Contract, type Expr, type Index, type KernelProgram, type Squares, type StaticAxis, type Stmt } from '../ir/loop.js'
import { matrixOf, siteOf, type Site } from './as-matrix.js'
import type { CpuTarget } from './target.js'
import { strideOf } from './walk.js'

/** Channels and columns fill vectors of every width. */
const WIDEST = 16
/** A block's transformed pixels fit the buffers of `gemm-windows.h`. */
const MOST_CHANNELS = 1024
/** Lines, and pixels, of a window: `most_taps` of `gemm-windows.h`. */
const LEAST_TAPS = 2, MOST_TAPS = 7
/** Squares of a picture from which on transforming the filters is less than what is saved. */
const LEAST_SQUARES = 25
/** Channels times columns from which on transforming pixels and results is. */
const LEAST_PAIRS = 1024

export const windowSquares = (kernel: KernelProgram, { sumsInSquares }: Pick<CpuTarget, 'sumsInSquares'>): KernelProgram =>
  (sumsInSquares ? { ...kernel, body: kernel.body.map(inSquares) } : kernel)

const inSquares = (statement: Stmt): Stmt => (statement.kind === 'contract' ? { ...statement, squares: squaresOf(statement) } : statement)

function squaresOf(contract: Contract): Squares | null {
  const { lhs, m, n, k, together } = contract, columns = extentOf(n), site = siteOf(lhs, m, k)
  const found = windowsAlong('columns', site, together) ?? (isGradient(contract) ? windowsAlong('rows', site, together) : null)
  if (found === null || !isStatic(columns) || columns < WIDEST || found.channels * columns < LEAST_PAIRS) return null
  const isFit = found.channels % WIDEST === 0 && found.channels <= MOST_CHANNELS && found.window.every((taps) => taps >= LEAST_TAPS && taps <= MOST_TAPS)
  return isFit && squaresIn(found) >= LEAST_SQUARES ? found : null
}

const squaresIn = ({ height, width }: Squares): number => Math.ceil(height / 2) * Math.ceil(width / 2)

/** The right operand lies in memory row by row. */
const isGradient = ({ rhs, k, n, together }: Contract): boolean => together.length === 0 && matrixOf(siteOf(rhs, k, n))?.columnStride === 1

/** Axes of places outermost first, of the windows' lines and pixels, and every index that says what is read and whether it is there. */
type Windows = { readonly places: readonly Axis[]; readonly lines: Step; readonly pixels: Step; readonly channels: number; readonly window: Squares['window']; readonly uses: readonly Index[] }
/** So many steps of the axis lead from a line, or a pixel, to the next. */
type Step = { readonly axis: Axis; readonly steps: number }

function windowsAlong(along: Squares['along'], { value, rows, columns }: Site, together: readonly Axis[]): Squares | null {
  const [places, taps] = along === 'columns' ? [rows, columns] : [columns, rows]
  const uses = loadedAt(value), inner = taps.at(-1)!
  if (uses === null || !isSized(inner) || strideOf(uses[0]!, inner.name) !== 1) return null
  const sides = sidesOf(taps.slice(0, -1), inner, places, uses[0]!)
  if (sides === null) return null
  const windows = { ...sides, places, uses }, picture = together.length === 0 ? lineByLine(windows) : squareBySquare(windows, together)
  return picture && { ...picture, channels: sides.channels, window: sides.window, along }
}

/** Indices of a load, first where, then under which conditions; null where the value is anything but a load or zero. */
function loadedAt(value: Expr): readonly Index[] | null {
  if (value.kind === 'load') return value.dtype === 'float32' ? [value.index] : null
  if (value.kind !== 'guard' || !Object.is(value.otherwise, 0)) return null
  const inside = loadedAt(value.value)
  return inside && [...inside, ...value.bounds.map((bound) => bound.index)]
}

/** A few lines of a few pixels. Pixels and their channels may be one axis; then the places' last one steps from pixel to pixel. */
function sidesOf([lines, pixels, ...more]: readonly Axis[], inner: StaticAxis, places: readonly Axis[], at: Index): Pick<Windows, 'lines' | 'pixels' | 'channels' | 'window'> | null {
  if (!isSized(lines) || more.length > 0) return null
  const line = { axis: lines, steps: 1 }
  if (pixels) return isSized(pixels) ? { lines: line, pixels: { axis: pixels, steps: 1 }, channels: inner.extent, window: [lines.extent, pixels.extent] } : null
  const channels = strideOf(at, places.at(-1)!.name)
  if (channels === null || !isStatic(channels) || channels <= 0 || inner.extent % channels !== 0) return null
  return { lines: line, pixels: { axis: inner, steps: channels }, channels, window: [lines.extent, inner.extent / channels] }
}

type Picture = Pick<Squares, 'height' | 'width'>

function lineByLine({ places, lines, pixels, uses }: Windows): Picture | null {
  const [y, x] = places.slice(-2)
  return isSized(y) && isSized(x) && goesAsFar(uses, y, lines, 1) && goesAsFar(uses, x, pixels, 1) ? { height: y.extent, width: x.extent } : null
}

/** Rows that are finished together are the 2 x 2 windows of a square. */
function squareBySquare({ places, lines, pixels, uses }: Windows, together: readonly Axis[]): Picture | null {
  const [y, x, lower, right] = places.slice(-4)
  if (together.length !== 2 || !isSized(y) || !isSized(x) || lower?.extent !== 2 || right?.extent !== 2) return null
  const isSquare = goesAsFar(uses, y, lines, 2) && goesAsFar(uses, x, pixels, 2) && goesAsFar(uses, lower, lines, 1) && goesAsFar(uses, right, pixels, 1)
  return isSquare ? { height: 2 * y.extent, width: 2 * x.extent } : null
}

const isSized = (axis: Axis | undefined): axis is StaticAxis => axis !== undefined && isStatic(axis.extent)

/** Does a step of the axis change every index as `count` lines, or pixels, of a window do? */
const goesAsFar = (uses: readonly Index[], axis: Axis, { axis: inside, steps }: Step, count: number): boolean =>
  uses.every((index) => equalIndex(stepped(index, axis, 1), stepped(index, inside, steps * count)))

const stepped = (index: Index, { name }: Axis, steps: number): Index =>
  substituteIndex(index, (axis) => (axis === name ? shiftIndex(axisIndex(name), steps) : undefined))
