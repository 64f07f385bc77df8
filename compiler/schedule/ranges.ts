/** What is known of indices where loops have fixed extents. */
import { isStatic, type Dim } from '../ir/dim.js'
import type { Axis, Bound, Index } from '../ir/loop.js'

export type Range = readonly [least: number, most: number]

/** Values of the axes whose extents are known. */
export type Ranges = ReadonlyMap<string, Range>

/** `ranges` inside loops over `axes`. */
export function within(ranges: Ranges, axes: readonly Axis[]): Ranges {
  const known = axes.flatMap(({ name, extent }) => (isStatic(extent) ? [[name, [0, extent - 1]] as const] : []))
  return new Map([...ranges, ...known])
}

/** All values between which an index lies, or null where they are not known. */
export function rangeOf({ terms, quotients, offset }: Index, ranges: Ranges): Range | null {
  const start: Range | null = isStatic(offset) ? [offset, offset] : null
  const affine = terms.reduce((sum, { axis, stride }) => plus(sum, scaled(ranges.get(axis) ?? null, stride)), start)
  return quotients.reduce((sum, { dividend, divisor, stride }) => {
    const range = rangeOf(dividend, ranges)
    return plus(sum, scaled(range && [Math.floor(range[0] / divisor), Math.floor(range[1] / divisor)], stride))
  }, affine)
}

const plus = (a: Range | null, b: Range | null): Range | null => (a && b ? [a[0] + b[0], a[1] + b[1]] : null)

function scaled(range: Range | null, stride: Dim): Range | null {
  if (!range || !isStatic(stride)) return null
  return stride >= 0 ? [range[0] * stride, range[1] * stride] : [range[1] * stride, range[0] * stride]
}

/** Does a bound hold for all values of its axes, or for none? */
export function decided({ index, extent }: Bound, ranges: Ranges): 'always' | 'never' | 'depends' {
  const range = rangeOf(index, ranges)
  if (!range) return 'depends'
  if (range[1] < 0 || (isStatic(extent) && range[0] >= extent)) return 'never'
  return range[0] >= 0 && isStatic(extent) && range[1] < extent ? 'always' : 'depends'
}

/**
 * From where to below where along `axis` all of `bounds` hold that mention it, whatever the other axes are. Bounds that
 * depend on what is not known are left out: they hold nowhere more than elsewhere.
 */
export function interior(axis: Axis, extent: number, bounds: readonly Bound[], ranges: Ranges): Range {
  return bounds.reduce<Range>(([from, to], bound) => {
    const held = heldAlong(axis, bound, ranges)
    return held ? [Math.max(from, held[0]), Math.min(to, held[1])] : [from, to]
  }, [0, extent])
}

function heldAlong(axis: Axis, { index, extent }: Bound, ranges: Ranges): Range | null {
  const own = index.terms.find((t) => t.axis === axis.name)?.stride
  const others = rangeOf({ ...index, terms: index.terms.filter((t) => t.axis !== axis.name) }, ranges)
  if (own === undefined || !isStatic(own) || own <= 0 || !others || !isStatic(extent)) return null
  return [Math.ceil(-others[0] / own), Math.floor((extent - 1 - others[1]) / own) + 1]
}
