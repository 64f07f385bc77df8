/** Neighbouring axes that every index runs through as through one. */
import { equalDims, multiplyDims } from '../ir/dim.js'
import type { Axis, Index } from '../ir/loop.js'
import { strideOf } from './walk.js'

/** Does a step of `outer` go as far as a whole run of `inner`? */
export function runsThrough(index: Index, outer: Axis, inner: Axis): boolean {
  const [far, near] = [strideOf(index, outer.name), strideOf(index, inner.name)]
  return far !== null && near !== null && equalDims(far, multiplyDims(near, inner.extent))
}

export type Joined = {
  readonly axes: readonly Axis[]
  /** An index over the axes before, as one over the joined axes. */
  readonly without: (index: Index) => Index
}

/**
 * The axes, outermost first, with those joined that all of `uses` run through as one (under the name of the inner), and
 * without axes of one iteration, as long as one is left.
 */
export function joinAxes(axes: readonly Axis[], uses: readonly Index[]): Joined {
  const joined: Axis[] = []
  for (const axis of [...axes].reverse()) {
    const [inner] = joined
    if (inner === undefined) joined.push(axis)
    else if (inner.extent === 1) joined[0] = axis
    else if (axis.extent !== 1 && uses.every((index) => runsThrough(index, axis, inner))) joined[0] = { name: inner.name, extent: multiplyDims(axis.extent, inner.extent) }
    else if (axis.extent !== 1) joined.unshift(axis)
  }
  const gone = new Set(axes.map((a) => a.name).filter((name) => joined.every((a) => a.name !== name)))
  return { axes: joined, without: (index) => ({ ...index, terms: index.terms.filter((t) => !gone.has(t.axis)) }) }
}
