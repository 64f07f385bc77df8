/** A sample of Keras' layers, outputs and gradients, and of whole models, with operands of products rounded: as exact as those. */
import { describe, expect, it } from 'vitest'
import { layers } from '../golden/layers.js'
import { models } from '../golden/models.js'
import { deviceRoad, type Road } from '../golden/native-batch.js'
import { failuresOf, reportFolder } from '../golden/report.js'
import { runFolder } from '../golden/run.js'
import { absence, hasGolden } from '../golden/vectors.js'
import { deviceBuild, onGpu } from './device.js'

if (!hasGolden) console.log(`skipped: golden cases with --precision, because ${absence}`)

/** Every so manyth case; of models, which are few and large, other ones in each precision. */
const samples = [
  { folder: layers, precision: 'tf32', digits: 11, every: 10, from: 9 }, { folder: layers, precision: 'mixed_bfloat16', digits: 8, every: 10, from: 9 },
  { folder: models, precision: 'tf32', digits: 11, every: 12, from: 8 }, { folder: models, precision: 'mixed_bfloat16', digits: 8, every: 12, from: 4 },
] as const

/** What is not as exact as its operands: where the maxima of windows lie, which rounding moves. */
const places = ['models/E15']

/** The cases for a GPU with another precision, whose operands have so many digits. */
function roadWith(precision: 'tf32' | 'mixed_bfloat16', digits: number): Road {
  const road = deviceRoad(deviceBuild())
  return { ...road, pipeline: { ...road.pipeline, precision }, unit: 2 ** -digits }
}

describe.skipIf(!hasGolden)('golden', () => {
  it.each(samples)('$folder.name in $precision', { timeout: 900_000 }, async ({ folder, precision, digits, every, from }) => {
    const result = await runFolder(folder, (name, i) => !places.includes(name) && (onGpu || i % every === from), roadWith(precision, digits))
    console.log(`${onGpu ? 'every case' : `every ${every}th case`} in ${precision}: ${reportFolder(result)}`)
    expect(failuresOf([result])).toEqual([])
    expect(result.results.some(({ status }) => status === 'passed')).toBe(true)
  })
})
