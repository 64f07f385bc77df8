/**
 * The running values of `metricsNames` over batches, as Keras 2.3 keeps them: the loss in double precision, weighted by
 * the size of the batches; every other value in an accumulator of its own, reported as float32; values that the compiled
 * function keeps running itself as they are.
 */
import type { Averaging, ModelManifest } from './contract/manifest.js'
import { MetricState } from './metric-state.js'
import type { Program } from './program.js'

/** Sum of the sample weights of an output over the batch at hand. */
export type WeightSum = (output: string) => number

/** The way each value is averaged: what the manifest says, else Keras' rule by name. */
export function averagingOf(model: ModelManifest): readonly Averaging[] {
  if (model.averaging !== undefined) return model.averaging
  const outputLosses = new Set(model.targets.length > 1 ? model.targets.map((t) => `${t.output}_loss`) : [])
  return model.metricsNames.map((name, i) => (i > 0 && outputLosses.has(name) ? 'batches' : 'samples'))
}

export class MetricAverages {
  readonly #sums: Float64Array
  readonly #counts: Float64Array
  readonly #last: Float64Array

  readonly averaging: readonly Averaging[]
  /** What the running values are made from. */
  readonly state: MetricState

  /** @param model what `program` is the code of */
  constructor(program: Program, model: ModelManifest) {
    const averaging = averagingOf(model)
    this.averaging = averaging
    this.state = new MetricState(program)
    this.#sums = new Float64Array(averaging.length)
    this.#counts = new Float64Array(averaging.length)
    this.#last = new Float64Array(averaging.length)
  }

  /** Everything counts from nothing, here and in compiled functions. */
  reset(): void {
    this.clear()
    this.state.reset()
  }

  /** Only what is averaged here. */
  clear(): void {
    for (const values of [this.#sums, this.#counts, this.#last]) values.fill(0)
  }

  /** Takes in the values of one batch, `values[offset …]` in the order of `metricsNames`. */
  add(values: ArrayLike<number>, offset: number, size: number, weightSum: WeightSum): void {
    for (let k = 0; k < this.averaging.length; k++) {
      const weight = weightOf(this.averaging[k]!, size, weightSum), value = values[offset + k]!
      // A batch whose weights are all zero says nothing, not even NaN.
      if (weight !== 0) this.#sums[k] = this.#sums[k]! + value * weight
      this.#counts[k] = this.#counts[k]! + weight
      this.#last[k] = value
    }
  }

  /** The value over all batches so far; 0 when they had no weight. */
  value(k: number): number {
    if (this.averaging[k] === 'running') return this.#last[k]!
    const mean = this.#counts[k] === 0 ? 0 : this.#sums[k]! / this.#counts[k]!
    return k === 0 ? mean : Math.fround(mean)
  }

  values(): number[] { return this.averaging.map((_, k) => this.value(k)) }

  /** What the end of a batch reports: the loss of that batch, the running value of everything else. */
  batchValue(k: number): number { return k === 0 ? this.#last[0]! : this.value(k) }
}

function weightOf(averaging: Averaging, size: number, weightSum: WeightSum): number {
  if (averaging === 'samples') return size
  return typeof averaging === 'string' ? 1 : weightSum(averaging.weightsOf)
}
