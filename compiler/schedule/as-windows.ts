/**
 * Operands of contractions as windows that slide over samples of lines of pixels of channels, by the strides and bounds of their
 * indices alone:
 *
 *     contract d0 < B, d1 < 16, d2 < 15; d3 < 16; k0 < 3, k2 < 24 as sum {
 *       lhs in0[8184*d0 + 496*d1 + 248*k0 + 16*d2 + k2]     samples 8184 apart of 33 lines 248 apart of 31 pixels of 8 channels;
 *                                                           windows of 3 x 3, every second down and across
 *
 * Rows of the product are windows and terms places in them; or the other way around, where a filter's gradient is made. Axes that
 * were joined need not be told apart: what divides both the step from window to window and the step inside of one is a line or
 * a pixel, though it may be more than one that somebody else would call so.
 */
import { addDims, isStatic, multiplyDims, type Dim } from '../ir/dim.js'
import type { Axis, Bound, Contract, Expr } from '../ir/loop.js'
import { strideOf, type Load } from './walk.js'

/** Along one axis: `count` windows of `size` places, a step and a place further apart, beginning `before` the first of `length`, which lie `unit` elements apart. */
export type Sliding = { readonly count: Dim; readonly size: number; readonly stride: number; readonly dilation: number; readonly before: number; readonly length: Dim; readonly unit: number }

export type Windows = {
  readonly load: Load
  /** It is rounded to the type that is multiplied as it is read. */
  readonly isRounded: boolean
  readonly samples: Dim
  /** Elements from one sample to the next, and from one line to the next. */
  readonly sampleStride: Dim
  readonly lineStride: Dim
  readonly down: Sliding
  readonly across: Sliding
  /** Side by side. */
  readonly channels: number
  /** Of the first element that lies inside, and how many there are from it to the last that is read. */
  readonly first: number
  readonly elements: Dim
}

/** What is read somewhere behind a bound and a rounding; null for anything else. */
type Read = { readonly load: Load; readonly bounds: readonly Bound[]; readonly isRounded: boolean }

export function readOf(value: Expr): Read | null {
  if (value.kind === 'load') return { load: value, bounds: [], isRounded: false }
  const inner = value.kind === 'cast' || value.kind === 'guard' ? readOf(value.kind === 'cast' ? value.arg : value.value) : null
  if (inner === null) return null
  if (value.kind === 'guard') return value.otherwise === 0 ? { ...inner, bounds: [...inner.bounds, ...value.bounds] } : null
  return value.dtype !== 'float32' && inner.load.dtype === 'float32' && !inner.isRounded ? { ...inner, isRounded: true } : null
}

/** The left operand's windows, whose numbers are the rows of the product; null where it has none. */
export const windowsAsRows = ({ lhs, m, k }: Contract): Windows | null => windowsOf(lhs, m, k)
/** The same with windows as terms, and places in them as rows. */
export const windowsAsTerms = ({ lhs, m, k }: Contract): Windows | null => windowsOf(lhs, k, m)

/** What windows are multiplied with: an array in any order of its axes, forwards or backwards. */
export type Filter = Pick<Windows, 'load' | 'isRounded' | 'first' | 'elements'>

export function filterOf({ rhs, n, k }: Contract): Filter | null {
  const read = readOf(rhs), steps = [...n, ...k].map((axis) => (read === null ? null : stepsAlong(read.load, axis)))
  if (read === null || read.bounds.length > 0 || !isStatic(read.load.index.offset) || !steps.every((step) => step !== null)) return null
  const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0)
  return { load: read.load, isRounded: read.isRounded, first: read.load.index.offset + sum(steps.map((step) => Math.min(step, 0))), elements: sum(steps.map(Math.abs)) + 1 }
}

/** Elements from the first place on the axis to the last. */
function stepsAlong({ index }: Load, { name, extent }: Axis): number | null {
  const stride = strideOf(index, name)
  return stride !== null && isStatic(stride) && isStatic(extent) ? stride * (extent - 1) : null
}

/** @param outside axes of the windows, outermost first @param inside axes of places in a window */
function windowsOf(value: Expr, outside: readonly Axis[], inside: readonly Axis[]): Windows | null {
  const read = readOf(value)
  if (read === null || read.load.index.quotients.length > 0 || outside.length > 3 || inside.length > 3) return null
  const { index } = read.load, pairs = pairings(outside, inside)
  return isStatic(index.offset) ? pairs.map((pairing) => arranged(read, pairing)).find((found) => found !== null) ?? null : null
}

/** Which axis inside of windows goes along which of theirs. */
type Pairing = { readonly sample: Axis | null; readonly y: Axis | null; readonly x: Axis; readonly tall: Axis | null; readonly wide: Axis | null; readonly channel: Axis }

/** All that the number of axes allows; which of them is meant, their strides tell. */
function pairings(outside: readonly Axis[], inside: readonly Axis[]): Pairing[] {
  const x = outside.at(-1)!, channel = inside.at(-1)!, [first = null, second = null] = inside.slice(0, -1), above = outside.at(-2) ?? null
  const whole = outside.length === 3 ? { sample: outside[0]!, y: outside[1]! } : null
  const lines = whole ?? { sample: null, y: above }, rows = whole ?? { sample: above, y: null }
  if (second !== null) return [{ ...lines, x, tall: first, wide: second, channel }]
  return [{ ...rows, x, tall: null, wide: first, channel }, { ...lines, x, tall: first, wide: null, channel }].filter(({ y, tall }) => tall === null || y !== null)
}

function arranged(read: Read, { sample, y, x, tall, wide, channel }: Pairing): Windows | null {
  const { index } = read.load, strides = [y, x, tall, wide, channel].map((axis) => (axis === null ? 0 : strideOf(index, axis.name)))
  if (!strides.every((stride) => stride !== null && isStatic(stride) && stride >= 0) || strides[4] !== 1 || !isStatic(channel.extent)) return null
  const [lineStep, pixelStep, tallStep, wideStep] = strides as number[]
  const joined = wide === null ? placesIn(channel.extent, pixelStep!) : { wide: fixed(wide, wideStep!), channels: channel.extent }
  const across = slide(x, pixelStep!, joined.wide, boundOf(read, x, wide)), down = y === null ? oneLine(tall) : slide(y, lineStep!, fixed(tall, tallStep!), boundOf(read, y, tall))
  const known = [y, x].filter((axis) => axis !== null && boundOf(read, axis, axis === x ? wide : tall) !== null).length
  if (across === null || down === null || known !== read.bounds.length) return null
  return nested(read, sample, down, across, joined.channels)
}

type Inside = { readonly size: number; readonly step: number; readonly name: string | null }

/** An axis inside of windows; a size of none is one that no window has. */
const fixed = (axis: Axis | null, step: number): Inside => (axis === null ? { size: 1, step: 0, name: null } : { size: isStatic(axis.extent) ? axis.extent : 0, step, name: axis.name })

/** Places across and channels that lie side by side as one: as many channels as divide the step from window to window too. */
function placesIn(extent: number, step: number): { readonly wide: Inside; readonly channels: number } {
  const isApart = extent <= step && step % extent !== 0, channels = isApart ? extent : greatestCommonDivisor(extent, step)
  return { channels, wide: { size: extent / Math.max(channels, 1), step: extent === channels ? 0 : channels, name: null } }
}

const oneLine = (tall: Axis | null): Sliding | null => (tall === null ? { count: 1, size: 1, stride: 1, dilation: 1, before: 0, length: 1, unit: 0 } : null)

/** The bound on this axis of windows and what is inside; undefined where there are several. */
function boundOf({ bounds }: Read, outside: Axis, inside: Axis | null): Bound | null | undefined {
  const found = bounds.filter(({ index }) => index.terms.some(({ axis }) => axis === outside.name))
  const isPlain = ({ index }: Bound): boolean => index.quotients.length === 0 && index.terms.every(({ axis }) => axis === outside.name || axis === inside?.name)
  return found.length === 0 ? null : found.length === 1 && isPlain(found[0]!) ? found[0]! : undefined
}

function slide({ name, extent: count }: Axis, step: number, inside: Inside, bound: Bound | null | undefined): Sliding | null {
  if (bound === undefined || step < 1 || inside.size < 1) return null
  if (bound === null) {
    const unit = greatestCommonDivisor(step, inside.step), stride = step / unit, dilation = Math.max(inside.step / unit, 1)
    return { count, size: inside.size, stride, dilation, before: 0, unit, length: addDims(multiplyDims(addDims(count, -1), stride), (inside.size - 1) * dilation + 1) }
  }
  // Places that were joined with channels are told apart by no bound.
  if (inside.name === null && inside.size > 1) return null
  const [stride, dilation] = [strideOf(bound.index, name), inside.name === null ? 1 : strideOf(bound.index, inside.name)], { offset } = bound.index
  if (![stride, dilation, offset, bound.extent, count].every((dim) => dim !== null && isStatic(dim))) return null
  return bounded({ count, size: inside.size, stride: stride as number, dilation: dilation as number, before: -(offset as number), length: bound.extent, unit: step / (stride as number) }, inside.step)
}

/** As many are added after the last as before the first, or fewer by less than a step: a library adds equally much at both ends, and finds no other window. */
function bounded(along: Sliding, step: number): Sliding | null {
  const { count, size, stride, dilation, before, length, unit } = along
  const spare = (length as number) + 2 * before - ((size - 1) * dilation + 1) - stride * ((count as number) - 1)
  const isMeant = stride > 0 && dilation > 0 && before >= 0 && Number.isInteger(unit) && (size === 1 || step === dilation * unit)
  return isMeant && spare >= 0 && spare < stride ? along : null
}

/** Pixels have room for their channels, lines for their pixels and samples for their lines; null where they have not. */
function nested({ load, isRounded }: Read, sample: Axis | null, down: Sliding, across: Sliding, channels: number): Windows | null {
  const stride = sample === null ? 0 : strideOf(load.index, sample.name), line = reach(across, channels), height = reach(down, line)
  if (stride === null || !isStatic(line) || across.unit < channels || (down.unit > 0 && down.unit < line)) return null
  if (sample !== null && !(isStatic(stride) && isStatic(height) && stride >= height)) return null
  const samples = sample?.extent ?? 1, first = (load.index.offset as number) + down.before * down.unit + across.before * across.unit
  if (first < 0) return null
  const elements = sample === null ? height : addDims(multiplyDims(addDims(samples, -1), stride), height), isWhole = first === 0 && !isRounded
  const lines = isWhole ? filled(down, stride) : down, pixels = isWhole ? filled(across, down.unit > 0 ? down.unit : stride) : across
  const lineStride = lines.unit > 0 ? lines.unit : multiplyDims(pixels.length, pixels.unit)
  return { load, isRounded, samples, sampleStride: sample === null ? multiplyDims(lines.length, lineStride) : stride, lineStride, down: lines, across: pixels, channels, first, elements }
}

/** With what is left over behind the last window, where that fills the room they have: then they lie without gaps. */
function filled(along: Sliding, room: Dim): Sliding {
  const { count, size, stride, dilation, before, unit } = along, length = isStatic(room) && unit > 0 ? room / unit : 0
  if (!isStatic(count) || !Number.isInteger(length) || before > 0) return along
  const over = length - (stride * (count - 1) + (size - 1) * dilation + 1)
  return over >= 0 && over < stride ? { ...along, length } : along
}

/** Elements from the beginning of the first of them to the end of the last, which has `each`. */
const reach = ({ length, unit }: Sliding, each: Dim): Dim => addDims(multiplyDims(addDims(length, -1), unit), each)

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
