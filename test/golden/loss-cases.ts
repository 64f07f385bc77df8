/** Functions and classes of losses and metrics. */
import type { FileArray } from '../../compiler/files/file-array.js'
import type { Node } from '../../compiler/ir/graph.js'
import { defaultLossOptions, plainPrediction, type LossOptions } from '../../compiler/nn/losses/define-loss.js'
import * as losses from '../../compiler/nn/losses/index.js'
import { findLoss } from '../../compiler/nn/losses/registry.js'
import { defaultMetricOptions, type MetricOptions } from '../../compiler/nn/metrics/define-metric.js'
import * as metrics from '../../compiler/nn/metrics/index.js'
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
type MetricCase = Data & { readonly class: string; readonly name: string; readonly sample_weight: string | null; readonly batches: readonly [number, number][]; readonly result_after_each_batch: readonly unknown[] }
type Vectors = { readonly functions: readonly FunctionCase[]; readonly loss_classes: readonly LossCase[]; readonly metric_classes: readonly MetricCase[] }

export function lossAndMetricCases(arrays: () => Arrays): GoldenCase[] {
  const vectors = jsonVector<Vectors>('preprocessing', 'metrics.json')
  const isKnown = (python: string, space: object): boolean => parseCall(python).call.split('.')[1]! in space
  return [
    ...groupedCases(vectors.functions, (c) => `${c.function} ${JSON.stringify(c.options ?? {})}`, (c) => !('axis' in (c.options ?? {})), (c, group) => functionCase(c, arrays(), group)),
    ...groupedCases(vectors.loss_classes, (c) => c.class, (c) => isKnown(c.class, losses) && !c.class.includes("'none'"), (c, group) => lossCase(c, arrays(), group)),
    ...groupedCases(vectors.metric_classes, (c) => c.class, (c) => isKnown(c.class, metrics), (c, group) => metricCase(c, arrays(), group)),
  ]
}

function functionCase(c: FunctionCase, arrays: Arrays, group: FunctionGroup): Prepared {
  const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
  const [target, prediction] = [leaf('t', t.shape), leaf('p', p.shape)]
  const call = group.add({ inputs: [target, prediction], outputs: [{ name: 'value', node: functionNode(c, target, prediction) }] })
  return (check) => check.close('values', call([t, p])['value'], flatNumbers(c.result), defaultTolerance)
}

/** @throws Unsupported for a function or an option that no record has */
function functionNode(c: FunctionCase, target: Node, prediction: Node): Node {
  const name = c.function.replace(/^\w+\./, '')
  const [loss, metric] = [findLoss(name), metrics.metricDefinitions.find((d) => d.name === name)]
  const known: readonly string[] = loss?.options ?? metric?.options ?? []
  const unknown = Object.keys(c.options ?? {}).find((key) => !known.includes(key))
  if (!loss && !metric) throw new Unsupported(c.function)
  if (unknown !== undefined) throw new Unsupported(`option ${unknown} of ${c.function}`)
  if (loss) return loss.compute(cast(target, loss.kind === 'sparse' ? 'int32' : 'float32'), plainPrediction(prediction), { ...defaultLossOptions, ...c.options as Partial<LossOptions> })
  return metric!.compute(cast(target, metric!.sparse ? 'int32' : 'float32'), plainPrediction(prediction), { ...defaultMetricOptions, ...c.options as Partial<MetricOptions> })
}

function lossCase(c: LossCase, arrays: Arrays, group: FunctionGroup): Prepared {
  const { call: path, options } = parseCall(c.class)
  if (options['reduction'] === 'none') throw new Unsupported('reduction none')
  const loss = exported<(o: object) => losses.Loss>(losses, 'class', path.split('.')[1]!)(camelOptions(options))
  const [t, p] = [arrays[c.y_true]!, arrays[c.y_pred]!]
  const samples = t.shape[0]!
  const w: FileArray = c.sample_weight === null ? { dtype: 'float32', shape: [samples], data: new Float32Array(samples).fill(1) } : arrays[c.sample_weight]!
  const [target, prediction, weights] = [leaf('t', t.shape), leaf('p', p.shape), leaf('w', w.shape)]
  const call = group.add({ inputs: [target, prediction, weights], outputs: [{ name: 'value', node: loss.total(target, plainPrediction(prediction), weights) }] })
  return (check) => check.close('value', call([t, p, w])['value'], flatNumbers(c.result), defaultTolerance)
}

/** Metrics that are means over what `counts` says, batch after batch. */
function metricCase(c: MetricCase, arrays: Arrays, group: FunctionGroup): Prepared {
  const python = parseCall(c.class)
  const metric = metricOf(python)
  const batches = c.batches.map(([from, to]) => {
    const [t, p] = [rows(arrays[c.y_true]!, from, to), rows(arrays[c.y_pred]!, from, to)]
    const w = c.sample_weight === null ? null : rows(arrays[c.sample_weight]!, from, to)
    const [target, prediction] = [leaf('t', t.shape), leaf('p', p.shape)]
    const weights = w ? leaf('w', w.shape) : null
    const mean = metric.batchMean(target, plainPrediction(prediction), weights)
    const call = group.add({ inputs: [target, prediction, ...(weights ? [weights] : [])], outputs: [{ name: 'value', node: mean.value }] })
    const weight = mean.counts === 'weights' ? flatNumbers([...w!.data]).reduce((a, b) => a + b, 0) : mean.counts === 'batches' ? 1 : to - from
    return { value: () => call([t, p, ...(w ? [w] : [])])['value']![0]!, weight }
  })
  return (check) => {
    check.text('name', metric.name, c.name)
    let [total, count] = [0, 0]
    batches.forEach(({ value, weight }, i) => {
      total += value() * weight
      count += weight
      check.close(`after batch ${i + 1}`, [total / count], flatNumbers([c.result_after_each_batch[i]]), defaultTolerance)
    })
  }
}

const metricOf = ({ call, options }: PythonCall): metrics.Metric =>
  exported<(o: object) => metrics.Metric>(metrics, 'metric', call.split('.')[1]!)(camelOptions(options))

function rows({ dtype, shape, data }: FileArray, from: number, to: number): FileArray {
  const width = data.length / shape[0]!
  return { dtype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) }
}
