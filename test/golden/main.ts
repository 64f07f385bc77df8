/**
 * `npm run golden`: every case of Keras' vectors through compiled code. Arguments are patterns of `folder/case`; with `--cuda` as
 * kernels for a GPU, which the host executes unless KCC_TEST_GPU=1.
 * Exit status 1 when a case failed.
 */
import { folders } from './folders.js'
import { deviceBuild } from '../cuda/device.js'
import { cpuRoad, deviceRoad } from './native-batch.js'
import { reportFolder, reportTotal } from './report.js'
import { runFolder, type FolderResult } from './run.js'
import { absence, hasGolden } from './vectors.js'

async function main(given: readonly string[]): Promise<number> {
  const patterns = given.filter((argument) => argument !== '--cuda'), road = given.includes('--cuda') ? deviceRoad(deviceBuild()) : cpuRoad
  if (!hasGolden) {
    console.log(`golden: skipped, because ${absence}`)
    return 0
  }
  const only = patterns.length === 0 ? null : new RegExp(patterns.join('|'))
  const done: FolderResult[] = []
  for (const folder of folders) {
    const result = await runFolder(folder, (name) => only?.test(name) ?? true, road)
    done.push(result)
    if (only === null || result.results.length > 0) console.log(reportFolder(result))
  }
  console.log(reportTotal(done))
  return done.some((f) => f.results.some((r) => r.status === 'failed')) ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
