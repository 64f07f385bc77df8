/** Thresholds of predictions: as options, and as tensors. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { concat, constant, div, equal, iota, reshape, select } from '../../ops/build.js'
import type { Option } from '../option.js'
import { reprText } from '../python-text.js'

/** Keras' fuzz factor, `K.epsilon()`: how far the outermost thresholds of a curve lie outside of [0, 1]. */
const EPSILON = 1e-7
/** The threshold where only the highest k predictions count. */
const BELOW_PREDICTIONS = -1e10

export type Thresholds = number | readonly number[] | null

/** @throws ValueError in Keras' words. */
function checkRange(values: readonly number[]): void {
  const invalid = values.filter((t) => !(t >= 0 && t <= 1))
  if (invalid.length > 0) throw new ValueError(`Threshold values must be in [0, 1]. Invalid values: ${reprText(invalid)}`)
}

/** One threshold or several in [0, 1], or null for what the metric has by itself. */
export const thresholds = (doc: string): Option<Thresholds, Thresholds> => ({
  doc, fallback: null, serialize: (v) => v,
  parse: (v, name) => {
    if (v === null) return null
    const list = typeof v === 'number' ? [v] : v
    if (!Array.isArray(list) || list.length === 0 || !list.every((t) => typeof t === 'number')) throw new ArgumentTypeError(`\`${name}\` must be a number, a list of numbers, or null. Found: ${reprText(v)}`)
    checkRange(list as readonly number[])
    return v
  },
})

/** The thresholds an option means; by itself 0.5, or none where only the highest k count. */
export function thresholdList(option: Thresholds, topK: number | null = null): readonly number[] {
  if (option === null) return [topK === null ? 0.5 : BELOW_PREDICTIONS]
  return typeof option === 'number' ? [option] : option
}

/** 1 / (n - 1), 2 / (n - 1), …: evenly spaced between 0 and 1, both left out. */
export const evenlySpaced = (count: number): readonly number[] => Array.from({ length: Math.max(0, count - 2) }, (_, i) => (i + 1) / (count - 1))

/** Thresholds of a curve: the inner ones, one below 0 and one above 1, so that predictions of exactly 0 and 1 count. */
export const withEnds = (inner: readonly number[]): readonly number[] => [-EPSILON, ...inner, 1 + EPSILON]

/** A column [T, 1]. Evenly spaced values are computed: there would be two hundred constants else. */
export function columnOf(values: readonly number[]): Node {
  const count = values.length
  const inner = values.slice(1, -1)
  const isEven = count > 4 && evenlySpaced(count).every((t, i) => t === inner[i])
  const list = isEven ? spaced(values) : concat(values.map((t) => constant(t, { dtype: 'float32', shape: [1] })), 0)
  return reshape(list, [count, 1])
}

/** i / (T - 1), and at both ends the value itself. */
function spaced(values: readonly number[]): Node {
  const last = values.length - 1
  const at = iota([values.length], 0, 'float32')
  return select(equal(at, 0), values[0]!, select(equal(at, last), values[last]!, div(at, last)))
}
