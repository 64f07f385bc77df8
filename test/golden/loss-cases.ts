/** Functions and classes of losses and metrics. */
import type { FileArray } from '../../compiler/files/file-array.js'
import type { Node } from '../../compiler/ir/graph.js'
import { defaultLossOptions, plainPrediction, type LossOptions } from '../../compiler/nn/losses/define-loss.js'
import * as losses from '../../compiler/nn/losses/index.js'
import { findLoss } from '../../compiler/nn/losses/registry.js'
import { metricOfConfig } from '../../compiler/nn/metrics/define-metric.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
import { findMetric } from '../../compiler/nn/metrics/registry.js'
import { clearSession } from '../../compiler/nn/session.js'
import { cast } from '../../compiler/ops/build.js'
import { Unsupported, type GoldenCase, type Prepared } from './case.js'
import type { FunctionGroup } from './native-batch.js'
import { camelOptions, parseCall, type PythonCall } from './python-call.js'
import { defaultTolerance, exported, groupedCases, leaf } from './small-cases.js'
import type { Arrays } from './models-shared.js'
import { flatNumbers, jsonVector } from './vectors.js'

type Data = { readonly y_true: string; readonly y_pred: string }
type FunctionCase = Data & { readonly function: string; readonly options?: Readonly<Record<string, number | boolean>>; readonly result: unknown }
type LossCase = Data & { readonly class: string; readonly sample_weight: string | null; readonly result: unknown }
type ValuesCase = { readonly class: string; readonly python: string; readonly result_after_each_batch: readonly unknown[] }
type MetricCase = Data & { readonly class: string; readonly name: string; readonly sample_weight: string | null; readonly batches: readonly [number, number][]; readonly result_after_each_batch: readonly unknown[]; readonly variables: number }
type Vectors = { readonly functions: readonly FunctionCase[]; readonly loss_classes: readonly LossCase[]; readonly metric_classes: readonly (MetricCase | ValuesCase)[] }

export function lossAndMetricCases(arrays: () => Arrays): GoldenCase[] {
  const vectors = jsonVector<Vectors>('preprocessing', 'metrics.json')
  const all = (): boolean => true
  return [
    ...groupedCases(vectors.functions, (c) => `${c.function} ${JSON.stringify(c.options ?? {})}`, all, (c, group) => functionCase(c, arrays(), group)),
    ...groupedCases(vectors.loss_classes, (c) => c.class, all, (c, group) => lossCase(c, arrays(), group)),
    ...groupedCases(vectors.metric_classes, (c) => c.class, all, (c, group) => ('python' in c ? valuesCase(c) : metricCase(c, arrays(), group))),
  ]
}

function functionCase(c: FunctionCase, arrays: Arrays, group: FunctionGroup): Prepared {
  const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
  const [target, prediction] = [leaf('t', t.shape), leaf('p', p.shape)]
  const call = group.add({ inputs: [target, prediction], outputs: [{ name: 'value', node: functionNode(c, target, prediction) }] })
  return (check) => check.close('values', call([t, p])['value'], flatNumbers(c.result), defaultTolerance)
}

/** @throws Unsupported for a function that no record has */
function functionNode(c: FunctionCase, target: Node, prediction: Node): Node {
  const name = c.function.replace(/^\w+\./, '')
  const loss = c.function.startsWith('losses.') ? findLoss(name) : null
  if (loss) return loss.compute(cast(target, loss.kind === 'sparse' ? 'int32' : 'float32'), plainPrediction(prediction), { ...defaultLossOptions, ...c.options as Partial<LossOptions> })
  const definition = findMetric(name)
  if (!definition) throw new Unsupported(c.function)
  const metric = metricOfConfig(definition, c.options ?? {})
  if (!('values' in metric.rule)) throw new Error(`${c.function} is not a mean of values`)
  return metric.rule.values(metric.batchOf({ target, prediction: plainPrediction(prediction), weights: null }))
}

function lossCase(c: LossCase, arrays: Arrays, group: FunctionGroup): Prepared {
  const { call: path, options } = parseCall(c.class)
  const loss = exported<(o: object) => losses.Loss>(losses, 'class', path.split('.')[1]!)(camelOptions(options))
  const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
  const samples = t.shape[0]!
  const w: FileArray = c.sample_weight === null ? { dtype: 'float32', shape: [samples], data: new Float32Array(samples).fill(1) } : arrays[c.sample_weight]!
  const [target, prediction, weights] = [leaf('t', t.shape), leaf('p', p.shape), leaf('w', w.shape)]
  const call = group.add({ inputs: [target, prediction, weights], outputs: [{ name: 'value', node: loss.reduced(target, plainPrediction(prediction), weights) }] })
  return (check) => check.close('value', call([t, p, w])['value'], flatNumbers(c.result), defaultTolerance)
}

/** State after each batch by compiled code, and once more by the metric as an object of its own. */
function metricCase(c: MetricCase, arrays: Arrays, group: FunctionGroup): Prepared {
  clearSession()
  const metric = metricOf(parseCall(c.class))
  const rule = metric.stateRule
  const batches = c.batches.map(([from, to]) =>
    ({ t: rows(arrays[c.y_true]!, from, to), p: rows(arrays[c.y_pred]!, from, to), w: c.sample_weight === null ? null : rows(arrays[c.sample_weight]!, from, to) }))
  // All batches are of one shape.
  const { t: likeT, p: likeP, w: likeW } = batches[0]!
  const [target, prediction] = [leaf('t', likeT.shape), leaf('p', likeP.shape)]
  const weights = likeW ? leaf('w', likeW.shape) : null
  const before = rule.state.map((s) => leaf(`before ${s.name}`, s.shape))
  const after = rule.update(before, metric.batchOf({ target, prediction: plainPrediction(prediction), weights }))
  const outputs = [{ name: 'value', node: rule.result(after) }, ...rule.state.map((s, i) => ({ name: s.name, node: after[i]! }))]
  const call = group.add({ inputs: [target, prediction, ...(weights ? [weights] : []), ...before], outputs })
  return (check) => {
    check.text('name', metric.name, c.name)
    check.same('number of variables', rule.state.length, c.variables)
    let state = rule.state.map(({ shape }): FileArray => ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }))
    batches.forEach(({ t, p, w }, i) => {
      const want = flatNumbers([c.result_after_each_batch[i]])
      const got = call([t, p, ...(w ? [w] : []), ...state])
      state = rule.state.map(({ name, shape }) => ({ dtype: 'float32', shape, data: got[name]! }))
      metric.updateState(t, p, { sampleWeight: w })
      check.close(`after batch ${i + 1}`, got['value'], want, defaultTolerance)
      check.close(`result after batch ${i + 1}`, [metric.result()].flat(), want, defaultTolerance)
    })
  }
}

/** `m([1, 3, 5]); m([2, 8], sample_weight=[1, 3])`. */
function valuesCase(c: ValuesCase): Prepared {
  const make = exported<() => metrics.ReducedValues>(metrics, 'metric', parseCall(c.class).call.split('.')[1]!)
  return (check) => {
    const metric = make()
    c.python.split(';').forEach((text, i) => {
      const { args, options } = parseCall(text.trim())
      metric.updateState(args[0] as number[], { sampleWeight: (options['sample_weight'] as number[] | undefined) ?? null })
      check.close(`after call ${i + 1}`, [metric.result()], flatNumbers([c.result_after_each_batch[i]]), defaultTolerance)
    })
    check.same('number of calls', c.python.split(';').length, c.result_after_each_batch.length)
  }
}

/** Required options come by position, whether Python names them or not. */
function metricOf({ call, args, options }: PythonCall): metrics.Metric {
  const make = exported<((...args: unknown[]) => metrics.Metric) & { readonly record: { readonly positional: readonly string[] } }>(metrics, 'metric', call.split('.')[1]!)
  const given = camelOptions(options)
  const positional = make.record.positional.map((name, i) => args[i] ?? given[name])
  return make(...positional, Object.fromEntries(Object.entries(given).filter(([name]) => !make.record.positional.includes(name))))
}

function rows({ dtype, shape, data }: FileArray, from: number, to: number): FileArray {
  const width = data.length / shape[0]!
  return { dtype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) }
}
