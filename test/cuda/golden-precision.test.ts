/** A sample of Keras' layers, outputs and gradients, with operands of products rounded: as exact as those. */
import { describe, expect, it } from 'vitest'
import { layers } from '../golden/layers.js'
import { deviceRoad, type Road } from '../golden/native-batch.js'
import { failuresOf, reportFolder } from '../golden/report.js'
import { runFolder } from '../golden/run.js'
import { absence, hasGolden } from '../golden/vectors.js'
import { deviceBuild, onGpu } from './device.js'

if (!hasGolden) console.log(`skipped: golden layers with --precision, because ${absence}`)

const EVERY = onGpu ? 1 : 10

/** The cases for a GPU with another precision, whose operands have so many digits. */
function roadWith(precision: 'tf32' | 'mixed_bfloat16', digits: number): Road {
  const road = deviceRoad(deviceBuild())
  return { ...road, pipeline: { ...road.pipeline, precision }, unit: 2 ** -digits }
}

describe.skipIf(!hasGolden)('golden layers', () => {
  it.each([['tf32', 11], ['mixed_bfloat16', 8]] as const)('%s', { timeout: 900_000 }, async (precision, digits) => {
    const result = await runFolder(layers, (_, i) => i % EVERY === 9 % EVERY, roadWith(precision, digits))
    console.log(`every ${EVERY}th case in ${precision}: ${reportFolder(result)}`)
    expect(failuresOf([result])).toEqual([])
  })
})
