/**
 * A `fit` in the plainest form: batches in their own order, the training step interpreted, running means as Keras
 * keeps them. Independent of the runtime, so that the meaning of the graphs is tested by itself.
 */
import type { Averaging } from '../../runtime/contract/manifest.js'
import type { Graph } from '../../compiler/ir/graph.js'
import type { ModuleSource } from '../../compiler/nn/module-source.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { attachOptimizer } from '../../compiler/passes/attach-optimizer.js'

export type Samples = { readonly inputs: readonly Tensor[]; readonly targets: readonly Tensor[]; readonly weights: readonly Tensor[] }
export type Logs = Record<string, number>

const rows = (t: Tensor, from: number, to: number): Tensor => {
  const width = t.shape[0] === 0 ? 0 : t.data.length / t.shape[0]!
  return { shape: [to - from, ...t.shape.slice(1)], data: t.data.slice(from * width, to * width) }
}

export const sliceSamples = (s: Samples, from: number, to: number): Samples =>
  ({ inputs: s.inputs.map((t) => rows(t, from, to)), targets: s.targets.map((t) => rows(t, from, to)), weights: s.weights.map((t) => rows(t, from, to)) })

export const countOf = (s: Samples): number => s.inputs[0]!.shape[0]!

/** Running means of an epoch or an evaluation. */
class Means {
  private readonly totals = new Map<string, { sum: number; count: number; last: number }>()
  constructor(private readonly source: ModuleSource) {}

  add(values: Logs, batch: Samples): Logs {
    const { metricsNames, averaging, targets } = this.source.model
    metricsNames.forEach((name, i) => {
      const weight = weightOf(averaging![i]!, batch, targets.map((t) => t.output))
      const at = this.totals.get(name) ?? { sum: 0, count: 0, last: 0 }
      this.totals.set(name, { sum: at.sum + values[name]! * weight, count: at.count + weight, last: values[name]! })
    })
    return this.values()
  }

  /** Running values are the last ones; everything else is a mean. */
  values(): Logs {
    const { metricsNames, averaging } = this.source.model
    return Object.fromEntries([...this.totals].map(([name, t]) => [name, averaging![metricsNames.indexOf(name)] === 'running' ? t.last : t.sum / t.count]))
  }
}

function weightOf(averaging: Averaging, batch: Samples, outputs: readonly string[]): number {
  if (averaging === 'samples') return countOf(batch)
  if (typeof averaging === 'string') return 1
  return batch.weights[outputs.indexOf(averaging.weightsOf)]!.data.reduce((a, b) => a + b, 0)
}

const zerosOf = (shape: readonly number[]): Tensor => ({ shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) })

export class Replay {
  readonly variables: Record<string, Tensor>
  readonly scalars: Record<string, number>
  private readonly step: Graph

  constructor(private readonly source: ModuleSource, weights: Readonly<Record<string, Tensor>>) {
    this.variables = Object.fromEntries(source.variables.map((v) => [v.name, weights[v.name] ?? zerosOf(v.shape)]))
    this.scalars = Object.fromEntries(source.scalars.map((s) => [s.name, Math.fround(s.value)]))
    this.step = attachOptimizer(source.train!.graph, source.train!)
  }

  private call(graph: Graph, batch: Samples): { outputs: Record<string, Tensor>; updates: Record<string, Tensor> } {
    const values = [...batch.inputs, ...batch.targets, ...batch.weights]
    const inputs = Object.fromEntries(graph.inputs.map((n, i) => [String(n.attrs['name']), values[i]!]))
    return interpret(graph, { inputs, variables: this.variables, scalars: this.scalars, dims: { B: countOf(batch) } })
  }

  /** One update; the batch's own values. */
  trainOnBatch(batch: Samples): Logs {
    const { outputs, updates } = this.call(this.step, batch)
    Object.assign(this.variables, updates)
    return Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, t.data[0]!]))
  }

  /** Metrics count from nothing. */
  private resetMetrics(): void {
    for (const { name, role, shape } of this.source.variables) if (role === 'metric') this.variables[name] = zerosOf(shape)
  }

  /** One epoch; `onBatch` gets what Keras logs: the batch's own loss, and the running means of everything else. */
  epoch(samples: Samples, batchSize: number, onBatch: (logs: Logs, size: number) => void): Logs {
    const means = new Means(this.source)
    this.resetMetrics()
    this.batches(samples, batchSize, (batch) => {
      const values = this.trainOnBatch(batch)
      onBatch({ ...means.add(values, batch), loss: values['loss']! }, countOf(batch))
    })
    return means.values()
  }

  evaluate(samples: Samples, batchSize: number): Logs {
    const means = new Means(this.source)
    this.resetMetrics()
    this.batches(samples, batchSize, (batch) => {
      const { outputs, updates } = this.call(this.source.evaluate!, batch)
      Object.assign(this.variables, updates)
      means.add(Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, t.data[0]!])), batch)
    })
    return means.values()
  }

  predict(samples: Samples): Tensor[] {
    const { outputs } = this.call(this.source.predict, { ...samples, targets: [], weights: [] })
    return this.source.model.outputNames.map((name) => outputs[name]!)
  }

  private batches(samples: Samples, size: number, use: (batch: Samples) => void): void {
    const count = countOf(samples)
    for (let from = 0; from < count; from += size) use(sliceSamples(samples, from, Math.min(from + size, count)))
  }
}
