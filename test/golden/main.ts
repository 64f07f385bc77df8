/**
 * `npm run golden`: every case of Keras' vectors through compiled code. Arguments are patterns of `folder/case`.
 * Exit status 1 when a case failed.
 */
import { folders } from './folders.js'
import { reportFolder, reportTotal } from './report.js'
import { runFolder, type FolderResult } from './run.js'
import { absence, hasGolden } from './vectors.js'

async function main(patterns: readonly string[]): Promise<number> {
  if (!hasGolden) {
    console.log(`golden: skipped, because ${absence}`)
    return 0
  }
  const only = patterns.length === 0 ? null : new RegExp(patterns.join('|'))
  const done: FolderResult[] = []
  for (const folder of folders) {
    const result = await runFolder(folder, only)
    done.push(result)
    if (only === null || result.results.length > 0) console.log(reportFolder(result))
  }
  console.log(reportTotal(done))
  return done.some((f) => f.results.some((r) => r.status === 'failed')) ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
