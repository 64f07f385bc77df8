/** Every case of Keras' vectors through compiled code, as `npm run golden` runs them. */
import { describe, expect, it } from 'vitest'
import { folders } from './folders.js'
import { failuresOf, reportFolder } from './report.js'
import { runFolder } from './run.js'
import { absence, hasGolden } from './vectors.js'

if (!hasGolden) console.log(`skipped: golden cases, because ${absence}`)

describe.skipIf(!hasGolden)('golden cases', () => {
  // A build of hundreds of modules, on a machine that may be busy.
  it.each(folders)('$name', { timeout: 900_000 }, async (folder) => {
    const result = await runFolder(folder)
    console.log(reportFolder(result))
    expect(failuresOf([result])).toEqual([])
    expect(result.results.filter((r) => r.required && r.status === 'passed').length).toBeGreaterThan(10)
  })
})
