/** What layers over steps, images and volumes share: where their axes are, and options with a value for each axis. */
import { ValueError } from '../../runtime/contract/errors.js'
import type { DataFormat, Option } from './option.js'
import { reprText } from './python-text.js'
import type { KShape } from './shape.js'

/** Number of axes besides batch and channels. */
export type SpatialRank = 1 | 2 | 3

/** The axis of the channels in a tensor of rank `rank`, the batch included. */
export const channelAxis = (rank: number, format: DataFormat): number => (format === 'channels_last' ? rank - 1 : 1)

/** The axes besides batch and channels. */
export const spatialAxes = (rank: SpatialRank, format: DataFormat): number[] =>
  Array.from({ length: rank }, (_, i) => i + (format === 'channels_last' ? 1 : 2))

/** `shape` with the sizes of the spatial axes changed; unknown ones stay unknown. */
export function mapSpatial(shape: KShape, rank: SpatialRank, format: DataFormat, f: (size: number, i: number) => number): KShape {
  const axes = spatialAxes(rank, format)
  return shape.map((d, axis) => (d === null || !axes.includes(axis) ? d : f(d, axes.indexOf(axis))))
}

/** One whole number for all axes, or a list with one for each, from `least` up. @throws ValueError in Keras' words. */
export function normalizeTuple(value: unknown, count: number, name: string, least: number): number[] {
  const list: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : Array.from({ length: count }, () => value)
  const fits = (v: unknown): v is number => typeof v === 'number' && Number.isInteger(v) && v >= least
  if (list.length === count && list.every(fits)) return list
  throw new ValueError(`The \`${name}\` argument must be a tuple of ${count} integers. Received: ${reprText(value)}`, null, `expected: ${count} integers from ${least} up, or one for all\nfound:    ${reprText(value)}`)
}

/** A whole number for each spatial axis, or one for all. */
export const sizes = (doc: string, rank: SpatialRank, fallback: number): Option<number | readonly number[], readonly number[]> => ({
  doc, fallback, serialize: (v) => v, parse: (v, name) => normalizeTuple(v, rank, name, 1),
})

/** Elements before the first and after the last. */
export type Margin = readonly [before: number, after: number]
const toMargin = ([before, after]: readonly number[]): Margin => [before!, after!]

/** Before and after along the only axis; one number for both. */
export const margin = (doc: string, fallback: number): Option<number | Margin, Margin> => ({
  doc, fallback, serialize: (v) => v, parse: (v, name) => toMargin(normalizeTuple(v, 2, name, 0)),
})

const ordinals = ['1st', '2nd', '3rd'] as const
const counts = { 2: 'two', 3: '3' } as const

export type MarginsInput = number | readonly (number | Margin)[]

/** Before and after along each axis: one number for all, one for both sides of each axis, or two for each. */
export const margins = (doc: string, rank: 2 | 3, fallback: number): Option<MarginsInput, readonly Margin[]> => ({
  doc, fallback, serialize: (v) => v,
  parse: (v, name) => {
    const list: unknown = typeof v === 'number' ? normalizeTuple(v, rank, name, 0) : v
    if (!Array.isArray(list)) throw new ValueError(`\`${name}\` should be either an int, a list of ${rank} ints or a list of ${rank} lists of 2 ints. Found: ${reprText(v)}`)
    if (list.length !== rank) throw new ValueError(`\`${name}\` should have ${counts[rank]} elements. Found: ${reprText(v)}`)
    return list.map((entry, i) => toMargin(normalizeTuple(entry, 2, `${ordinals[i]!} entry of ${name}`, 0)))
  },
})
