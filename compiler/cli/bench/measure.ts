/** Times of one compiled model: training steps inside `fit`, single predictions, and predictions of whole batches. */
import type { DType, TypedArray } from '../../../runtime/contract/dtype.js'
import { allocate } from '../../../runtime/contract/dtype.js'
import type { ManifestDim, ModuleManifest, TensorManifest } from '../../../runtime/contract/manifest.js'
import { randomUniform } from '../../../runtime/contract/philox.js'
import type { CompiledModel } from '../../../runtime/index.js'
import { NDArray } from '../../../runtime/index.js'
import { evaluateDim, parseDim } from '../../ir/dim.js'

/** Seconds: the middle, and the range of the middle 80 %. */
export type Spread = { readonly median: number; readonly p10: number; readonly p90: number; readonly samples: number }

export type Times = { readonly trainStep: Spread | null; readonly predictOne: Spread; readonly predictBatch: Spread }

/** Batches of one timed `fit`: enough that starting it does not count. */
const STEPS = 50
/** Predictions timed together: one takes about as long as reading the clock. */
const CALLS = 50

export async function measure(model: CompiledModel, manifest: ModuleManifest, batchSize: number, seconds: number): Promise<Times> {
  const one = samplesOf(manifest, 'predict', 1), many = samplesOf(manifest, 'predict', batchSize)
  const calls = async (x: readonly NDArray[], count: number): Promise<Spread> =>
    timed(seconds / 3, count, async () => { for (let i = 0; i < count; i++) model.predictSync(x) })
  return {
    trainStep: manifest.model === null || manifest.model.targets.length === 0 ? null : await trainSteps(model, manifest, batchSize, seconds),
    predictOne: await calls(one, CALLS),
    predictBatch: await calls(many, 1),
  }
}

async function trainSteps(model: CompiledModel, manifest: ModuleManifest, batchSize: number, seconds: number): Promise<Spread> {
  const samples = STEPS * batchSize
  const x = samplesOf(manifest, 'predict', samples), y = targetsOf(manifest, samples)
  const options = { batchSize, epochs: 1, verbose: 0, shuffle: false } as const
  return timed(seconds, STEPS, async () => { await model.fit(x, y, options) })
}

/** Repeats `run`, which does `count` things, for about `seconds` after one run that does not count. */
async function timed(seconds: number, count: number, run: () => Promise<void>): Promise<Spread> {
  await run()
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (times.length < 5 || performance.now() < end) {
    const started = performance.now()
    await run()
    times.push((performance.now() - started) / 1000 / count)
  }
  return spread(times)
}

export function spread(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), samples: sorted.length }
}

/** Random samples of every input of a function. */
function samplesOf(manifest: ModuleManifest, fn: string, batch: number): NDArray[] {
  const { inputs } = manifest.functions.find((f) => f.name === fn)!
  return inputs.map((tensor, i) => randomArray(tensor, batch, i))
}

/** Targets that the losses accept: classes in range, or one-hot rows, or numbers in [0, 1). */
function targetsOf(manifest: ModuleManifest, batch: number): NDArray[] {
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
