/** Images, sequences and volumes made larger by repetition or interpolation: for layers and for K functions. */
import { multiplyDims, subtractDims } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { add, broadcastTo, div, expandDims, iota, mul, pad, reshape, slice, sub } from '../ops/build.js'
import { mergeAxes } from '../ops/pad-axis.js'
import type { DataFormat } from './option.js'
import { spatialAxes, type SpatialRank } from './spatial.js'

export const interpolations = ['nearest', 'bilinear'] as const
export type Interpolation = (typeof interpolations)[number]

/** Every element along `axis` `factor` times in a row. */
export function repeated(x: Node, axis: number, factor: number): Node {
  const { shape } = x.type
  return mergeAxes(broadcastTo(expandDims(x, axis + 1), [...shape.slice(0, axis + 1), factor, ...shape.slice(axis + 1)]), axis)
}

/** What the next element along `axis` has more than each; 0 for the last, which is followed by itself. */
function stepsAlong(x: Node, axis: number): Node {
  const { shape } = x.type
  const pairs = shape.map((d, i) => (i === axis ? subtractDims(d, 1) : d))
  const at = (i: number): number[] => shape.map((_, k) => (k === axis ? i : 0))
  return pad(sub(slice(x, at(1), pairs), slice(x, at(0), pairs)), at(0), at(1))
}

/** `factor` steps from each element along `axis` towards the next one: position i of the result is i / factor of the input. */
function interpolated(x: Node, axis: number, factor: number): Node {
  if (factor === 1) return x
  const { shape } = x.type, count = shape[axis]!
  const share = broadcastTo(div(iota([factor], 0, 'float32'), factor), [count, factor])
  const shares = reshape(share, [multiplyDims(count, factor), ...shape.slice(axis + 1).map(() => 1)])
  return add(repeated(x, axis, factor), mul(repeated(stepsAlong(x, axis), axis, factor), shares))
}

/** Each spatial axis `factors` times as long: elements repeated, or steps towards the next one. */
export function enlarged(x: Node, factors: readonly number[], format: DataFormat, kind: Interpolation): Node {
  const along = kind === 'nearest' ? repeated : interpolated
  return spatialAxes(factors.length as SpatialRank, format).reduce((at, axis, i) => along(at, axis, factors[i]!), x)
}
