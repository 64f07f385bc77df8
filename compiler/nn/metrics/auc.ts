/** Area under a curve over thresholds. Source: keras/metrics.py of 2.3.1; Davis & Goadrich 2006 for the interpolation of precision. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, and, div, greater, log, maximum, minimum, mul, select, slice, sub, sum } from '../../ops/build.js'
import { integer, type Option } from '../option.js'
import { reprText } from '../python-text.js'
import { allOutcomes, countingRule } from './confusion.js'
import { share } from './counts.js'
import { counted, defineMetric } from './define-metric.js'
import { evenlySpaced, withEnds } from './thresholds.js'

/** One of some names, with or without capitals. */
const oneOf = (doc: string, names: readonly string[], fallback: string, refusal: string): Option<string, string> => ({
  doc, fallback, serialize: (v) => v,
  parse: (v) => {
    const found = names.find((name) => [name, name.toLowerCase(), name.charAt(0).toUpperCase() + name.slice(1)].includes(v))
    if (found === undefined) throw new ValueError(`${refusal} "${String(v)}".`)
    return found
  },
})

/** From each threshold but the last, and from the one after it. */
const lower = (x: Node): Node => slice(x, [0], [(x.type.shape[0] as number) - 1])
const upper = (x: Node): Node => slice(x, [1], [-1])

type Counts = { readonly tp: Node; readonly tn: Node; readonly fp: Node; readonly fn: Node }
const named = ([tp, tn, fp, fn]: readonly Node[]): Counts => ({ tp: tp!, tn: tn!, fp: fp!, fn: fn! })

/** Heights of the rectangles between two thresholds. */
const heights: Readonly<Record<string, (y: Node) => Node>> = {
  interpolation: (y) => mul(add(lower(y), upper(y)), 0.5),
  minoring: (y) => minimum(lower(y), upper(y)),
  majoring: (y) => maximum(lower(y), upper(y)),
}

/** Recall over the rate of false positives, or precision over recall. */
function riemannSum({ tp, tn, fp, fn }: Counts, curve: string, method: string): Node {
  const recall = share(tp, fn)
  const [x, y] = curve === 'ROC' ? [share(fp, tn), recall] : [recall, share(tp, fp)]
  return sum(mul(sub(lower(x), upper(x)), heights[method]!(y)))
}

/**
 * Between two thresholds TP and P = TP + FP vary linearly, so precision is (TP_B + slope (P - P_B)) / P, whose integral
 * is slope (dTP + intercept log(P_A / P_B)).
 */
function interpolatedPrecision({ tp, fp, fn }: Counts): Node {
  const positives = add(tp, fp)
  const [dTp, dP] = [sub(lower(tp), upper(tp)), maximum(sub(lower(positives), upper(positives)), 0)]
  const slope = select(greater(dP, 0), div(dTp, dP), 0)
  const intercept = sub(upper(tp), mul(slope, upper(positives)))
  const areBoth = and(greater(lower(positives), 0), greater(upper(positives), 0))
  const ratio = select(areBoth, div(lower(positives), upper(positives)), 1)
  const area = mul(slope, add(dTp, mul(intercept, log(ratio))))
  const actual = maximum(add(upper(tp), upper(fn)), 0)
  return sum(select(greater(actual, 0), div(area, actual), 0))
}

/** What each of both options says depends on the other. */
type Given = { readonly numThresholds?: number; readonly thresholds?: readonly number[] | null }
type Dependent<In, Out> = Option<In, Out> & { readonly parse: (value: In, name: string, given?: Given) => Out }
const defaultCount = 200

/** Inner thresholds of the user's own, rising. */
const ownThresholds: Dependent<readonly number[] | null, readonly number[]> = {
  doc: 'thresholds between the two ends; numThresholds of them by themselves', fallback: null, serialize: (v) => v,
  parse: (v, name, given: Given = {}) => {
    if (v === null) return evenlySpaced(curveThresholds.parse(given.numThresholds ?? defaultCount, 'num_thresholds'))
    if (!Array.isArray(v) || !v.every((t) => typeof t === 'number')) throw new ArgumentTypeError(`\`${name}\` must be a list of numbers, or null. Found: ${reprText(v)}`)
    return [...(v as readonly number[])].sort((a, b) => a - b)
  },
}

const curveThresholds: Option<number, number> = {
  doc: 'thresholds from just below 0 to just above 1', fallback: defaultCount, serialize: (v) => v,
  parse: (v, name) => {
    const value = integer('').parse(v, name)
    if (value <= 1) throw new ValueError(`\`${name}\` must be > 1.`)
    return value
  },
}

/** `AUC({ numThresholds, curve, summationMethod, thresholds, name })`: area under the ROC or the precision-recall curve. */
export const AUC = defineMetric({
  className: 'AUC',
  doc: 'area under recall over the rate of false positives (ROC), or under precision over recall (PR)',
  functions: [],
  instanceName: counted('AUC'),
  options: {
    numThresholds: {
      ...curveThresholds,
      // Thresholds of one's own decide their number.
      parse: (v: number, name: string, { thresholds }: Given = {}): number => (thresholds ? thresholds.length + 2 : curveThresholds.parse(v, name)),
    },
    curve: oneOf('ROC or PR', ['ROC', 'PR'], 'ROC', 'Invalid AUC curve value'),
    summationMethod: oneOf('interpolation, minoring (a lower bound) or majoring (an upper bound)', Object.keys(heights), 'interpolation', 'Invalid AUC summation method value'),
    thresholds: ownThresholds,
  },
  positional: [],
  sparse: false,
  rule: ({ curve, summationMethod, thresholds }) => countingRule(withEnds(thresholds), allOutcomes, (counts) =>
    (curve === 'PR' && summationMethod === 'interpolation' ? interpolatedPrecision(named(counts)) : riemannSum(named(counts), curve, summationMethod))),
})
