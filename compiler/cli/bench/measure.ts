/** Times of one compiled model: training steps inside `fit`, single predictions, and predictions of whole batches. */
import type { DType, TypedArray } from '../../../runtime/contract/dtype.js'
import { allocate } from '../../../runtime/contract/dtype.js'
import type { ManifestDim, ModuleManifest, TensorManifest } from '../../../runtime/contract/manifest.js'
import { randomUniform } from '../../../runtime/contract/philox.js'
import type { CompiledModel } from '../../../runtime/index.js'
import { NDArray } from '../../../runtime/index.js'
import { evaluateDim } from '../../ir/dim.js'
import { parseDim } from '../../ir/dim-parse.js'

/** Seconds: the middle, and the range of the middle 80 %. */
export type Spread = { readonly median: number; readonly p10: number; readonly p90: number; readonly samples: number }

/** What is timed of a model, and the seconds one of each took, round after round. */
export type Times = { readonly trainStep: Spread | null; readonly predictOne: Spread; readonly predictBatch: Spread }

/** Batches of one timed `fit`: enough that starting it does not count. */
const STEPS = 50
/** Predictions timed together: one takes about as long as reading the clock. */
const CALLS = 50
/** Variants take turns, so that what disturbs the machine disturbs all of them; the first round only warms up. */
const ROUNDS = 6

/** One thing to time: `run` does `count` of them. */
type Task = { readonly count: number; readonly run: () => Promise<void>; readonly share: number; readonly times: number[] }
export type Tasks = { readonly trainStep: Task | null; readonly predictOne: Task; readonly predictBatch: Task }

const task = (count: number, share: number, run: () => Promise<void>): Task => ({ count, run, share, times: [] })

/** The tasks of one compiled model. */
export function tasksOf(model: CompiledModel, manifest: ModuleManifest, batchSize: number): Tasks {
  const predict = (batch: number, count: number): Task => {
    const arrays = samplesOf(manifest, 'predict', batch)
    const x = arrays.length === 1 && arrays[0]!.data instanceof Float32Array ? arrays[0]!.data : arrays
    return task(count, 1 / 3, async () => { for (let i = 0; i < count; i++) model.predictSync(x) })
  }
  const trains = manifest.model !== null && manifest.model.targets.length > 0
  return { trainStep: trains ? trainSteps(model, manifest, batchSize) : null, predictOne: predict(1, CALLS), predictBatch: predict(batchSize, 1) }
}

function trainSteps(model: CompiledModel, manifest: ModuleManifest, batchSize: number): Task {
  const samples = STEPS * batchSize
  const x = samplesOf(manifest, 'predict', samples), y = targetsOf(manifest, samples)
  return task(STEPS, 1, async () => { await model.fit(x, y, { batchSize, epochs: 1, verbose: 0, shuffle: false }) })
}

/** Times all tasks of all variants in turns, each for about `seconds` times its share in all. `begin` readies a variant. */
export async function measureInTurns<V>(variants: readonly (readonly [V, Tasks])[], seconds: number, begin: (variant: V) => void): Promise<Times[]> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const [variant, { trainStep, predictOne, predictBatch }] of variants) {
      begin(variant)
      for (const each of [trainStep, predictOne, predictBatch]) if (each) await timeRound(each, seconds / ROUNDS, round > 0)
    }
  }
  return variants.map(([, t]) => ({ trainStep: t.trainStep && spread(t.trainStep.times), predictOne: spread(t.predictOne.times), predictBatch: spread(t.predictBatch.times) }))
}

async function timeRound({ count, run, share, times }: Task, seconds: number, counts: boolean): Promise<void> {
  await run()
  const end = performance.now() + seconds * share * 1000
  do {
    const started = performance.now()
    await run()
    if (counts) times.push((performance.now() - started) / 1000 / count)
  } while (performance.now() < end)
}

export function spread(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), samples: sorted.length }
}

/** Random samples of every input of a function. */
export function samplesOf(manifest: ModuleManifest, fn: string, batch: number): NDArray[] {
  const { inputs } = manifest.functions.find((f) => f.name === fn)!
  return inputs.map((tensor, i) => randomArray(tensor, batch, i))
}

/** Targets that the losses accept: classes in range, or one-hot rows, or numbers in [0, 1). */
export function targetsOf(manifest: ModuleManifest, batch: number): NDArray[] {
  return (manifest.model?.targets ?? []).map((target, i) => {
    const array = randomArray({ name: target.output, dtype: target.dtype, shape: target.shape }, batch, 100 + i)
    if (target.kind === 'sparse') array.data.forEach((_, at) => { array.data[at] = at % (target.classes ?? 1) })
    if (target.kind === 'categorical') oneHot(array.data, array.shape.at(-1)!)
    return array
  })
}

function oneHot(data: TypedArray, classes: number): void {
  data.forEach((_, at) => { data[at] = at % classes === Math.floor(at / classes) % classes ? 1 : 0 })
}

/** The first dimension of a sample is the batch. */
function randomArray({ dtype, shape }: TensorManifest, batch: number, stream: number): NDArray {
  const sizes = shape.map((dim: ManifestDim, i) => (i === 0 ? batch : typeof dim === 'number' ? dim : evaluateDim(parseDim(dim), { B: batch })))
  const data = fill(dtype, sizes.reduce((a, b) => a * b, 1), stream)
  return new NDArray(data, sizes, dtype)
}

function fill(dtype: DType, length: number, stream: number): TypedArray {
  const data = allocate(dtype, length)
  // One drawn block repeated: drawing every number would take longer than the measurement.
  const block = Float32Array.from({ length: Math.min(length, 4096) }, (_, i) => randomUniform(1, stream, 0, i))
  for (let i = 0; i < length; i++) data[i] = block[i % block.length]!
  return data
}
