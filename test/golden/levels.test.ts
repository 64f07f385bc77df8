/**
 * A sample of Keras' vectors on the CPU levels that are not this machine's own: each level compiles everything again.
 * `KCC_CPU=x86-64-v3 npm run golden` runs all of them on one.
 */
import { describe, expect, it } from 'vitest'
import { parseLevels } from '../../compiler/build/levels.js'
import { folders } from './folders.js'
import { levelRoad } from './native-batch.js'
import { skipBecause } from '../skip-because.js'
import { whereItRuns } from '../where-it-runs.js'
import { failuresOf, reportFolder } from './report.js'
import { runFolder } from './run.js'
import { absence, hasGolden } from './vectors.js'

if (!hasGolden) console.log(`skipped: golden cases on every CPU level, because ${absence}`)

const EVERY = 24
const runs = ['x86-64-v2', 'x86-64-v3', 'x86-64-v4'].flatMap((level, first) => folders.map((folder) => ({ level, folder, name: folder.name, first })))

describe.skipIf(!hasGolden)('golden cases', () => {
  it.for(runs)('$level: $name', { timeout: 600_000 }, async ({ level, folder, first }, { skip }) => {
    // Each level has other cases.
    const result = await whereItRuns(() => runFolder(folder, (_, i) => i % EVERY === first * 8, levelRoad(parseLevels(level))))
    if (result === null) return skipBecause(skip, `this CPU lacks ${level}`)
    console.log(`${level}, every ${EVERY}th case: ${reportFolder(result)}`)
    expect(failuresOf([result])).toEqual([])
  })
})
