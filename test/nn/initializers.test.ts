/** Initializers, regularizers and constraints against Keras' statistics, configurations and values. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { randomUniform } from '../../runtime/contract/philox.js'
import type { JsonObject } from '../../compiler/nn/configured.js'
import { applyConstraint, getConstraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm, type Constraint } from '../../compiler/nn/constraints.js'
import * as init from '../../compiler/nn/initializers.js'
import { fillUniform } from '../../compiler/nn/random-fill.js'
import { applyRegularizer, getRegularizer, l1, l1L2, l2, type Regularizer } from '../../compiler/nn/regularizers.js'
import { Dense } from '../../compiler/nn/layers/index.js'
import { deserialize } from '../../compiler/nn/serialization.js'
import { clearSession } from '../../compiler/nn/session.js'
import { toWeightValue } from '../../compiler/nn/weight.js'
import { input } from '../../compiler/ops/build.js'
import { evaluate, expectClose, golden, hasGolden } from './training-shared.js'

const vector = <T>(name: string): T => JSON.parse(readFileSync(join(golden, 'preprocessing', name), 'utf8')) as T
const seed = 3

/** By the Python expression of the vector. */
const made: Record<string, init.Initializer & { getConfig(): JsonObject }> = {
  'Zeros()': init.Zeros(), 'Ones()': init.Ones(), 'Constant(0.3)': init.Constant({ value: 0.3 }),
  'RandomNormal(mean=0.1, stddev=0.2, seed=3)': init.RandomNormal({ mean: 0.1, stddev: 0.2, seed }),
  'RandomUniform(-0.3, 0.7, seed=3)': init.RandomUniform({ minval: -0.3, maxval: 0.7, seed }),
  'TruncatedNormal(0., 0.5, seed=3)': init.TruncatedNormal({ stddev: 0.5, seed }),
  "VarianceScaling(scale=2.0, mode='fan_in', distribution='normal', seed=3)": init.VarianceScaling({ scale: 2, seed }),
  "VarianceScaling(scale=1.5, mode='fan_out', distribution='uniform', seed=3)": init.VarianceScaling({ scale: 1.5, mode: 'fan_out', distribution: 'uniform', seed }),
  "VarianceScaling(scale=1.0, mode='fan_avg', distribution='normal', seed=3)": init.VarianceScaling({ mode: 'fan_avg', seed }),
  'glorot_normal(seed=3)': init.glorotNormal({ seed }), 'glorot_uniform(seed=3)': init.glorotUniform({ seed }),
  'he_normal(seed=3)': init.heNormal({ seed }), 'he_uniform(seed=3)': init.heUniform({ seed }),
  'lecun_normal(seed=3)': init.lecunNormal({ seed }), 'lecun_uniform(seed=3)': init.lecunUniform({ seed }),
}

type Statistic = { python: string; shape: number[]; mean: number; std: number; min: number; max: number; mean_tolerance: number; std_tolerance: number }
type Vectors = { statistics: Statistic[]; configs: Record<string, JsonObject>; orthogonal: { shape: number[]; python: string }[]; identity: { python: string; shape: number[]; value: number[][] }[] }
const initializers = hasGolden ? vector<Vectors>('initializers.json') : { statistics: [], configs: {}, orthogonal: [], identity: [] }

const values = (f: init.Initializer, shape: readonly number[]): number[] => Array.from(toWeightValue(f(shape)).data)
const meanOf = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length
const gainOf = (python: string): number => Number(/gain=([\d.]+)/.exec(python)![1])

beforeEach(clearSession)

describe.skipIf(!hasGolden)('initializers against Keras', () => {
  it.each(initializers.statistics)('$python $shape', (s) => {
    const x = values(made[s.python]!, s.shape)
    const mean = meanOf(x)
    const std = Math.sqrt(meanOf(x.map((v) => (v - mean) ** 2)))
    // The vector's own draw is as far from the true value as ours may be, so twice its tolerance; float32 rounding on top.
    expect(Math.abs(mean - s.mean)).toBeLessThanOrEqual(2 * s.mean_tolerance + 1e-7)
    expect(Math.abs(std - s.std)).toBeLessThanOrEqual(2 * s.std_tolerance + 1e-7)
    const spread = s.python.startsWith('RandomNormal') ? 1.5 : 1.02
    const [low, high] = [Math.min(...x), Math.max(...x)]
    expect(low).toBeGreaterThanOrEqual(s.mean - spread * (s.mean - s.min) - 1e-6)
    expect(high).toBeLessThanOrEqual(s.mean + spread * (s.max - s.mean) + 1e-6)
  })

  it.each(Object.entries(initializers.configs))('configuration of %s', (python, config) => {
    expect(JSON.stringify(made[python]!.getConfig())).toBe(JSON.stringify(config))
  })

  it.each(initializers.orthogonal)('$python $shape is orthogonal', ({ python, shape }) => {
    const gain = gainOf(python)
    const x = values(init.Orthogonal({ gain, seed }), shape)
    const columns = shape.at(-1)!
    const rows = x.length / columns
    const at = (i: number, k: number): number => (rows < columns ? x[i * columns + k]! : x[k * columns + i]!)
    const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)]
    for (let i = 0; i < short; i++) {
      for (let j = 0; j < short; j++) {
        let dot = 0
        for (let k = 0; k < long; k++) dot += at(i, k) * at(j, k)
        expect(dot).toBeCloseTo(i === j ? gain ** 2 : 0, 5)
      }
    }
  })

  it.each(initializers.identity)('$python $shape', ({ python, shape, value }) => {
    expect(values(init.Identity({ gain: gainOf(python) }), shape)).toEqual(value.flat())
  })
})

describe('initializers', () => {
  it('fill as the generator of the contract says', () => {
    const filled = fillUniform(200, { seed: 9, stream: 4 }, 2)
    expect([...filled]).toEqual(Array.from({ length: 200 }, (_, e) => randomUniform(9, 4, 2, e)))
  })

  it('are found by every spelling', () => {
    for (const name of ['glorot_uniform', 'glorotUniform']) expect(init.getInitializer(name)).toHaveProperty('className', 'VarianceScaling')
    for (const name of ['zeros', 'Zeros', 'zero']) expect(values(init.getInitializer(name), [2])).toEqual([0, 0])
    expect(() => init.getInitializer('glorot')).toThrow('Unknown initializer: glorot')
    expect(() => init.getInitializer(5)).toThrow('Could not interpret initializer identifier: 5')
    expect(() => init.VarianceScaling({ scale: 0 })).toThrow('`scale` must be a positive float. Got: 0')
  })

  it('may be the user\'s', () => {
    const d = Dense(2, { inputShape: [1], kernelInitializer: (shape) => [Array.from({ length: shape[1]! }, (_, i) => i)] })
    d.build([null, 1])
    expect([...d.weights[0]!.read()]).toEqual([0, 1])
    const bad = Dense(2, { kernelInitializer: () => [1] })
    bad.build([null, 1])
    expect(() => bad.weights[0]!.read()).toThrow('An initializer must return 2 values for shape [1, 2]; found 1.')
  })
})

type ConstraintCase = { constraint?: string; regularizer?: string; w: number[] | number[][]; result: number | number[] | number[][] }
const cases = hasGolden ? vector<{ cases: ConstraintCase[] }>('constraints_regularizers.json').cases : []
const regularizers: Record<string, Regularizer> = {
  'l1()': l1(), 'l1(0.1)': l1(0.1), 'l2()': l2(), 'l2(0.1)': l2(0.1), 'l1_l2()': l1L2(), 'l1_l2(l1=0.1, l2=0.2)': l1L2({ l1: 0.1, l2: 0.2 }),
}
const constraints: Record<string, Constraint> = {
  'max_norm()': MaxNorm(), 'max_norm(0.9)': MaxNorm({ maxValue: 0.9 }), 'max_norm(0.9, axis=1)': MaxNorm({ maxValue: 0.9, axis: 1 }),
  'max_norm(1.1, axis=[0, 1, 2])': MaxNorm({ maxValue: 1.1, axis: [0, 1, 2] }), 'non_neg()': NonNeg(),
  'unit_norm()': UnitNorm(), 'unit_norm(axis=1)': UnitNorm({ axis: 1 }), 'unit_norm(axis=[0, 1, 2])': UnitNorm({ axis: [0, 1, 2] }),
  'min_max_norm()': MinMaxNorm(), 'min_max_norm(min_value=0.8, max_value=1.2, rate=0.5)': MinMaxNorm({ minValue: 0.8, maxValue: 1.2, rate: 0.5 }),
  'min_max_norm(0.5, 0.6, 1.0, axis=1)': MinMaxNorm({ minValue: 0.5, maxValue: 0.6, rate: 1, axis: 1 }),
}

describe.skipIf(!hasGolden)('regularizers and constraints against Keras', () => {
  it.each(cases.map((c): [string, ConstraintCase] => [c.constraint ?? c.regularizer!, c]))('%s', (python, c) => {
    const { data, shape } = toWeightValue(c.w)
    const w = input('w', { dtype: 'float32', shape })
    const [regularizer, constraint] = [regularizers[python], constraints[python]]
    const node = regularizer ? applyRegularizer(regularizer, w) : applyConstraint(constraint!, w)
    const got = evaluate(node, { w: { shape, data: Float64Array.from(data) } })
    expectClose(got.data, toWeightValue(c.result).data, 1e-5, 1e-6, python)
  })
})

describe('regularizers and constraints', () => {
  it('go through a layer\'s configuration', () => {
    const d = Dense(2, { kernelRegularizer: l1L2({ l1: 0.1, l2: 0.2 }), kernelConstraint: MaxNorm({ maxValue: 3 }), biasConstraint: 'non_neg' })
    const config = d.getConfig()
    expect(config['kernel_regularizer']).toEqual({ class_name: 'L1L2', config: { l1: Math.fround(0.1), l2: Math.fround(0.2) } })
    expect(config['kernel_constraint']).toEqual({ class_name: 'MaxNorm', config: { max_value: 3, axis: 0 } })
    expect(config['bias_constraint']).toEqual({ class_name: 'NonNeg', config: {} })
    expect(deserialize({ class_name: 'Dense', config }).getConfig()).toEqual(config)
  })

  it('refuse what they cannot use', () => {
    expect(() => getRegularizer('l3')).toThrow('Unknown regularizer: l3')
    expect(() => getConstraint('max')).toThrow('Unknown constraint: max')
    const x = input('x', { dtype: 'float32', shape: [2] })
    expect(() => applyRegularizer((w) => w, x)).toThrow('A regularizer must return a single number')
  })
})
