/** A sample of Keras' vectors as kernels for a GPU; on a GPU all of them. `npm run golden -- --cuda` runs any of them. */
import { describe, expect, it } from 'vitest'
import { folders } from '../golden/folders.js'
import { deviceRoad } from '../golden/native-batch.js'
import { failuresOf, reportFolder } from '../golden/report.js'
import { runFolder } from '../golden/run.js'
import { absence, hasGolden } from '../golden/vectors.js'
import { deviceBuild, onGpu } from './device.js'

if (!hasGolden) console.log(`skipped: golden cases as kernels for a GPU, because ${absence}`)

/** Every so manyth case: the machine that executes the kernels has no hundred thousand threads. */
const EVERY = onGpu ? 1 : 16

describe.skipIf(!hasGolden)('golden cases', () => {
  it.each(folders)('$name', { timeout: 900_000 }, async (folder) => {
    const result = await runFolder(folder, (_, i) => i % EVERY === 5 % EVERY, deviceRoad(deviceBuild()))
    console.log(`every ${EVERY}th case: ${reportFolder(result)}`)
    expect(failuresOf([result])).toEqual([])
  })
})
