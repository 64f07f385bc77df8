import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadNpz } from '../../compiler/files/npz.js'
import type { Node } from '../../compiler/ir/graph.js'
import { defaultLossOptions, plainPrediction, type Prediction } from '../../compiler/nn/losses/define-loss.js'
import * as losses from '../../compiler/nn/losses/index.js'
import { findLoss, lossDefinitions } from '../../compiler/nn/losses/registry.js'
import { metricOfConfig } from '../../compiler/nn/metrics/define-metric.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
import { findMetric } from '../../compiler/nn/metrics/registry.js'
import { clearSession } from '../../compiler/nn/session.js'
import { cast, input, sigmoid, sum } from '../../compiler/ops/build.js'
import { softmax } from '../../compiler/ops/compositions.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { evaluate, expectClose, golden, hasGolden, toTensor } from './training-shared.js'

type FunctionCase = { function: string; options?: Record<string, number | boolean>; y_true: string; y_pred: string; result: unknown }
type ClassCase = { class: string; y_true: string; y_pred: string; sample_weight: string | null; result: unknown }
type MetricCase = { class: string; name: string; y_true: string; y_pred: string; sample_weight: string | null; batches: [number, number][]; result_after_each_batch: unknown[] }
type Vectors = { functions: FunctionCase[]; loss_classes: ClassCase[]; metric_classes: MetricCase[] }

const folder = join(golden, 'preprocessing')
const vectors: Vectors = hasGolden ? JSON.parse(readFileSync(join(folder, 'metrics.json'), 'utf8')) : { functions: [], loss_classes: [], metric_classes: [] }
const arrays = hasGolden ? Object.fromEntries(Object.entries(await loadNpz(join(folder, 'metrics.npz'))).map(([k, v]) => [k, toTensor(v)])) : {}

const flat = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flat) : [Number(x)])
const leaf = (name: string, t: Tensor): Node => input(name, { dtype: 'float32', shape: t.shape })

/** Keras' options in our spelling: `from_logits=True` to `{fromLogits: true}`. */
function pythonOptions(text: string): Record<string, unknown> {
  const entries = text.split(/,(?![^[]*\])/).map((s) => s.trim()).filter((s) => s !== '').map((s): [string, unknown] => {
    const [key, value] = s.split('=') as [string, string]
    return [key.replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase()), value === 'True' ? true : value === 'False' ? false : value.startsWith("'") ? value.slice(1, -1) : JSON.parse(value) as unknown]
  })
  return Object.fromEntries(entries)
}

/** A class, its positional arguments and its options; `numClasses` is positional here. */
const parseClass = (text: string): { name: string; args: unknown[]; options: Record<string, unknown> } => {
  const [, name, positional, rest] = /^\w+\.(\w+)\(([\d.]+(?:, )?)?(.*)\)$/.exec(text)!
  const { numClasses, ...options } = pythonOptions(rest!)
  return { name: name!, args: [...(positional ? [parseFloat(positional)] : []), ...(numClasses === undefined ? [] : [numClasses])], options }
}

describe.skipIf(!hasGolden)('functions of keras.losses and keras.metrics', () => {
  for (const c of vectors.functions) {
    it(`${c.function} ${JSON.stringify(c.options ?? {})} of ${c.y_true}, ${c.y_pred}`, () => {
      const name = c.function.replace(/^\w+\./, '')
      const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
      const [target, prediction] = [leaf('t', t), plainPrediction(leaf('p', p))]
      const loss = findLoss(name)
      const node = loss
        ? loss.compute(cast(target, loss.kind === 'sparse' ? 'int32' : 'float32'), prediction, { ...defaultLossOptions, ...c.options })
        : valuesOf(metricOfConfig(findMetric(name)!, c.options ?? {}), target, prediction)
      expectClose(evaluate(node, { t, p }).data, flat(c.result), 1e-4, 1e-5, name)
    })
  }
})

function valuesOf(metric: metrics.Metric, target: Node, prediction: Prediction): Node {
  if (!('values' in metric.rule)) throw new Error(`${metric.name} is not a mean`)
  return metric.rule.values(metric.batchOf({ target, prediction, weights: null }))
}

describe.skipIf(!hasGolden)('loss classes', () => {
  for (const c of vectors.loss_classes) {
    it(`${c.class} weights=${c.sample_weight}`, () => {
      const { name, options } = parseClass(c.class)
      const loss = (losses as unknown as Record<string, (o: object) => losses.Loss>)[name]!(options)
      const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
      const w = c.sample_weight ? arrays[c.sample_weight]! : { shape: [t.shape[0]!], data: new Float64Array(t.shape[0]!).fill(1) }
      const node = loss.reduced(leaf('t', t), plainPrediction(leaf('p', p)), leaf('w', w))
      expectClose(evaluate(node, { t, p, w }).data, flat(c.result), 1e-4, 1e-5, c.class)
    })
  }
})

const rows = (t: Tensor, from: number, to: number): Tensor => {
  const width = t.data.length / t.shape[0]!
  return { shape: [to - from, ...t.shape.slice(1)], data: t.data.slice(from * width, to * width) }
}

describe.skipIf(!hasGolden)('metric classes, used without a model', () => {
  const known = vectors.metric_classes.filter((c) => 'batches' in c)
  it('finds them', () => expect(known.length).toBeGreaterThan(60))
  for (const c of known) {
    it(`${c.class} weights=${c.sample_weight}`, () => {
      clearSession()
      const { name, args, options } = parseClass(c.class)
      const metric = (metrics as unknown as Record<string, (...args: unknown[]) => metrics.Metric>)[name]!(...args, options)
      expect(metric.name).toBe(c.name)
      c.batches.forEach(([from, to], batch) => {
        const [t, p] = [rows(arrays[c.y_true]!, from, to), rows(arrays[c.y_pred]!, from, to)]
        metric.updateState(t, p, { sampleWeight: c.sample_weight ? rows(arrays[c.sample_weight]!, from, to) : null })
        expectClose(flat(metric.result()), flat(c.result_after_each_batch[batch]!), 1e-4, 1e-5, `${c.class} after batch ${batch + 1}`)
      })
      metric.resetStates()
      expect(flat(metric.result()).every((v) => v === 0)).toBe(true)
    })
  }
})

/** Values in general position: no two sizes, no kink, no tie. */
const spread = (n: number, scale: number, shift: number): Float64Array => Float64Array.from({ length: n }, (_, i) => shift + scale * Math.sin(1.7 * i + 0.3 * i * i + 0.5))

function normalizedRows(data: Float64Array, width: number): Float64Array {
  const e = data.map(Math.exp)
  return e.map((v, i) => v / e.slice(i - (i % width), i - (i % width) + width).reduce((a, b) => a + b, 0))
}

/** Targets and predictions a loss is defined for. */
function sampleOf(kind: string, name: string): { t: Tensor; p: Tensor } {
  const [rowsCount, width] = [3, 4]
  const n = rowsCount * width
  const shape = [rowsCount, width]
  if (kind === 'sparse') return { t: { shape: [rowsCount, 1], data: Float64Array.of(2, 0, 3) }, p: { shape, data: normalizedRows(spread(n, 1, 0), width) } }
  if (/categorical_crossentropy|kullback/.test(name)) return { t: { shape, data: normalizedRows(spread(n, 2, 1), width) }, p: { shape, data: normalizedRows(spread(n, 1, 0), width) } }
  if (/binary_crossentropy/.test(name)) return { t: { shape, data: spread(n, 0.4, 0.5) }, p: { shape, data: spread(n, 0.35, 0.55).reverse() } }
  if (/hinge/.test(name)) return { t: { shape, data: spread(n, 1, 0).map(Math.sign) }, p: { shape, data: spread(n, 1.3, 0.1).reverse() } }
  return { t: { shape, data: spread(n, 0.8, 1.5) }, p: { shape, data: spread(n, 0.9, 1.4).reverse() } }
}

/** Compares the gradient of the summed loss with central differences in double precision. */
function checkGradient(build: (t: Node, x: Node) => Node, t: Tensor, x: Tensor, intTarget: boolean): void {
  const [target, variable] = [input('t', { dtype: intTarget ? 'int32' : 'float32', shape: t.shape }), leaf('x', x)]
  const total = sum(build(target, variable))
  const [gradient] = gradients(total, null, [variable])
  const got = evaluate(gradient!, { t, x }, 'f64').data
  const step = 1e-6
  const want = x.data.map((_, i) => {
    const at = (d: number): number => evaluate(total, { t, x: { shape: x.shape, data: x.data.map((v, j) => (j === i ? v + d : v)) } }, 'f64').data[0]!
    return (at(step) - at(-step)) / (2 * step)
  })
  expectClose(got, want, 1e-6, 1e-8, 'gradient')
}

describe('gradients of losses against finite differences', () => {
  for (const d of lossDefinitions) {
    const { t, p } = sampleOf(d.kind, d.name)
    it(`${d.name} of plain outputs`, () => checkGradient((target, x) => d.compute(target, plainPrediction(x), defaultLossOptions), t, p, d.kind === 'sparse'))
    if (!d.options.includes('from_logits')) continue
    const activation = d.name.startsWith('binary') ? 'sigmoid' as const : 'softmax' as const
    const fromLogits = (x: Node): Prediction => ({ node: activation === 'sigmoid' ? sigmoid(x) : softmax(x), activation, logits: x })
    it(`${d.name} of ${activation} outputs`, () => checkGradient((target, x) => d.compute(target, fromLogits(x), defaultLossOptions), t, p, d.kind === 'sparse'))
    if (d.options.includes('label_smoothing')) {
      it(`${d.name} with label smoothing`, () => checkGradient((target, x) => d.compute(target, fromLogits(x), { ...defaultLossOptions, label_smoothing: 0.1 }), t, p, false))
    }
  }

  it('binary cross-entropy of a logit of exactly 0 is sigmoid(0) - t', () => {
    const [t, z] = [leaf('t', { shape: [2, 1], data: new Float64Array(2) }), leaf('z', { shape: [2, 1], data: new Float64Array(2) })]
    const loss = sum(findLoss('binary_crossentropy')!.compute(t, { node: sigmoid(z), activation: 'sigmoid', logits: z }, defaultLossOptions))
    const [gradient] = gradients(loss, null, [z])
    const inputs = { t: { shape: [2, 1], data: Float64Array.of(0, 1) }, z: { shape: [2, 1], data: Float64Array.of(0, 0) } }
    expect([...evaluate(gradient!, inputs).data]).toEqual([0.5, -0.5])
  })

  it('cross-entropies of huge logits are finite and exact', () => {
    const [t, z] = [leaf('t', { shape: [1, 2], data: new Float64Array(2) }), leaf('z', { shape: [1, 2], data: new Float64Array(2) })]
    const loss = findLoss('categorical_crossentropy')!.compute(t, { node: softmax(z), activation: 'softmax', logits: z }, defaultLossOptions)
    const [gradient] = gradients(sum(loss), null, [z])
    const inputs = { t: { shape: [1, 2], data: Float64Array.of(0, 1) }, z: { shape: [1, 2], data: Float64Array.of(1000, -1000) } }
    expect([...evaluate(loss, inputs).data]).toEqual([2000])
    expect([...evaluate(gradient!, inputs).data]).toEqual([1, -1])
  })
})
