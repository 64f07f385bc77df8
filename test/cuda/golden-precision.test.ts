/** A sample of Keras' layers, outputs and gradients, of whole models and of trainings, with operands of products rounded: as exact as those. */
import { describe, expect, it } from 'vitest'
import { layers } from '../golden/layers.js'
import { models } from '../golden/models.js'
import { training } from '../golden/training.js'
import { deviceRoad, type Road } from '../golden/native-batch.js'
import { failuresOf, reportFolder } from '../golden/report.js'
import { runFolder } from '../golden/run.js'
import { absence, hasGolden } from '../golden/vectors.js'
import { deviceBuild, onGpu } from './device.js'

if (!hasGolden) console.log(`skipped: golden cases with --precision, because ${absence}`)

/**
 * Every so manyth case; of models and trainings, which are large, other ones in each precision. `share` of them pass: in a training
 * a sample may come to lie on the other side of a kink, of a hinge, a relu or the sign by which RMSprop steps, and what counts
 * right answers jumps; all that is smooth stays within the bound, weights and slots after the last step included.
 */
const samples = [
  { folder: layers, precision: 'tf32', digits: 11, every: 10, from: 9, share: 1 }, { folder: layers, precision: 'mixed_bfloat16', digits: 8, every: 10, from: 9, share: 1 },
  { folder: models, precision: 'tf32', digits: 11, every: 12, from: 8, share: 1 }, { folder: models, precision: 'mixed_bfloat16', digits: 8, every: 12, from: 4, share: 1 },
  { folder: training, precision: 'tf32', digits: 11, every: 30, from: 13, share: 0.9 }, { folder: training, precision: 'mixed_bfloat16', digits: 8, every: 30, from: 25, share: 0.9 },
] as const

/** What is not as exact as its operands: where the maxima of windows lie, which rounding moves. */
const places = ['models/E15']

/** The cases for a GPU with another precision, whose operands have so many digits. */
function roadWith(precision: 'tf32' | 'mixed_bfloat16', digits: number): Road {
  const road = deviceRoad(deviceBuild())
  return { ...road, pipeline: { ...road.pipeline, precision }, unit: 2 ** -digits }
}

describe.skipIf(!hasGolden)('golden', () => {
  it.each(samples)('$folder.name in $precision', { timeout: 900_000 }, async ({ folder, precision, digits, every, from, share }) => {
    const result = await runFolder(folder, (name, i) => !places.includes(name) && (onGpu || i % every === from), roadWith(precision, digits))
    console.log(`${onGpu ? 'every case' : `every ${every}th case`} in ${precision}: ${reportFolder(result)}`)
    const [passed, failed] = (['passed', 'failed'] as const).map((status) => result.results.filter((r) => r.status === status).length) as [number, number]
    expect(passed).toBeGreaterThan(0)
    expect(passed / (passed + failed), failuresOf([result]).join('\n')).toBeGreaterThanOrEqual(share)
  })
})
