/** Constraints, regularizers and initializers. */
import * as constraints from '../../compiler/nn/constraints.js'
import * as initializers from '../../compiler/nn/initializers.js'
import * as regularizers from '../../compiler/nn/regularizers.js'
import type { JsonObject } from '../../compiler/nn/configured.js'
import { toWeightValue } from '../../compiler/nn/weight.js'
import type { GoldenCase, Prepared } from './case.js'
import type { Checks } from './checks.js'
import type { FunctionGroup } from './native-batch.js'
import { camelOptions, parseCall } from './python-call.js'
import { arrayOf, defaultTolerance, exported, groupedCases, leaf } from './small-cases.js'
import { flatNumbers, jsonVector } from './vectors.js'

/** Names of Python's positional arguments, where the vectors use them. */
const positional: Readonly<Record<string, readonly string[]>> = {
  max_norm: ['maxValue'], min_max_norm: ['minValue', 'maxValue', 'rate'],
  Constant: ['value'], RandomUniform: ['minval', 'maxval'], TruncatedNormal: ['mean', 'stddev'],
}

function optionsOf(python: string): { name: string; options: Record<string, unknown> } {
  const { call, args, options } = parseCall(python)
  const byPosition = args.map((value, i) => [positional[call]![i]!, value] as const)
  return { name: call, options: { ...Object.fromEntries(byPosition), ...camelOptions(options) } }
}

type ProjectionCase = { readonly constraint?: string; readonly regularizer?: string; readonly w: unknown; readonly result: unknown }

export const projectionCases = (): GoldenCase[] =>
  groupedCases(jsonVector<{ cases: ProjectionCase[] }>('preprocessing', 'constraints_regularizers.json').cases, (c) => c.constraint ?? c.regularizer!, () => true, projection)

function projection(c: ProjectionCase, group: FunctionGroup): Prepared {
  const array = arrayOf(c.w)
  const w = leaf('w', array.shape)
  const node = c.constraint !== undefined ? constraints.applyConstraint(constraintOf(c.constraint), w) : regularizers.applyRegularizer(regularizerOf(c.regularizer!), w)
  const call = group.add({ inputs: [w], outputs: [{ name: 'value', node }] })
  return (check) => check.close('value', call([array])['value'], flatNumbers(c.result), defaultTolerance)
}

function constraintOf(python: string): constraints.Constraint {
  const { name, options } = optionsOf(python)
  return exported<(o: object) => constraints.Constraint>(constraints, 'constraint', name)(options)
}

/** `l1(0.1)` takes a number, `l1_l2(…)` options. */
function regularizerOf(python: string): regularizers.Regularizer {
  const { call, args, options } = parseCall(python)
  const make = exported<(o?: unknown) => regularizers.Regularizer>(regularizers, 'regularizer', call)
  return make(call === 'l1_l2' ? camelOptions(options) : args[0])
}

type Statistic = { readonly python: string; readonly shape: readonly number[]; readonly mean: number; readonly std: number; readonly min: number; readonly max: number; readonly mean_tolerance: number; readonly std_tolerance: number }
type Vectors = {
  readonly statistics: readonly Statistic[]
  readonly configs: Readonly<Record<string, JsonObject>>
  readonly orthogonal: readonly { readonly python: string; readonly shape: readonly number[] }[]
  readonly identity: readonly { readonly python: string; readonly shape: readonly number[]; readonly value: unknown }[]
}

export function initializerCases(): GoldenCase[] {
  const { statistics, configs, orthogonal, identity } = jsonVector<Vectors>('preprocessing', 'initializers.json')
  const shaped = ({ python, shape }: { python: string; shape: readonly number[] }): string => `initializers: ${python} ${JSON.stringify(shape)}`
  return [
    ...groupedCases(statistics, shaped, () => true, (s) => (check) => compareStatistics(check, s)),
    ...groupedCases(Object.entries(configs), ([python]) => `configuration of ${python}`, () => true, ([python, config]) => (check) => check.json('configuration', initializerOf(python).getConfig(), config)),
    ...groupedCases(orthogonal, shaped, () => true, ({ python, shape }) => (check) => compareOrthogonal(check, values(python, shape), shape.at(-1)!, gainOf(python))),
    ...groupedCases(identity, shaped, () => true, ({ python, shape, value }) => (check) => check.close('value', values(python, shape), flatNumbers(value), { rtol: 0, atol: 0 })),
  ]
}

type Configurable = initializers.Initializer & { getConfig(): JsonObject }

function initializerOf(python: string): Configurable {
  const { name, options } = optionsOf(python)
  return exported<(o: object) => Configurable>(initializers, 'initializer', name)(options)
}

const values = (python: string, shape: readonly number[]): number[] => Array.from(toWeightValue(initializerOf(python)(shape)).data)
const gainOf = (python: string): number => Number(optionsOf(python).options['gain'])
const meanOf = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length

/**
 * Mean and deviation of our draw against those of Keras' draw. Both are off the true value by up to the tolerance (four
 * standard errors), so their difference by twice as much; constants are rounded to float32. Extremes of bounded
 * distributions may not pass Keras' by more than 2 %; those of a normal one vary more.
 */
function compareStatistics(check: Checks, s: Statistic): void {
  const x = values(s.python, s.shape)
  const mean = meanOf(x)
  check.close('mean', [mean], [s.mean], { rtol: 0, atol: 2 * s.mean_tolerance + 1e-7 })
  check.close('deviation', [Math.sqrt(meanOf(x.map((v) => (v - mean) ** 2)))], [s.std], { rtol: 0, atol: 2 * s.std_tolerance + 1e-7 })
  const spread = s.python.startsWith('RandomNormal') ? 1.5 : 1.02
  const [low, high] = [x.reduce((a, b) => Math.min(a, b)), x.reduce((a, b) => Math.max(a, b))]
  check.that(`smallest: ${low}, Keras' ${s.min}`, low >= s.mean - spread * (s.mean - s.min) - 1e-6)
  check.that(`largest: ${high}, Keras' ${s.max}`, high <= s.mean + spread * (s.max - s.mean) + 1e-6)
}

/** All but the last axis as rows: the products of the shorter side's vectors are gain² or 0. */
function compareOrthogonal(check: Checks, x: readonly number[], columns: number, gain: number): void {
  const rows = x.length / columns
  const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)]
  const at = (i: number, k: number): number => (rows < columns ? x[i * columns + k]! : x[k * columns + i]!)
  const products = Array.from({ length: short * short }, (_, ij) =>
    Array.from({ length: long }, (_, k) => at(Math.floor(ij / short), k) * at(ij % short, k)).reduce((a, b) => a + b, 0))
  check.close('products', products, products.map((_, ij) => (Math.floor(ij / short) === ij % short ? gain ** 2 : 0)), defaultTolerance)
}
