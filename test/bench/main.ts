/**
 * kcc beside PyTorch, Keras 3 and ONNX Runtime, in one run. `npm run bench -- [options]`:
 *   --save            write test/bench/results.json
 *   --readme          put the table into README.md; without --save from the saved results, nothing is measured
 *   --rounds <count>  default 7
 *   --seconds <count> of one measurement, default 0.25
 *   --limit <count>   seconds that the whole run may take, default 330
 *   --only <pattern>  peers to measure beside kcc, by name
 * Peers are installed by test/bench/peers/setup.sh; those that are missing are left out with a reason.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as os from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { drawData, writeData } from './data.js'
import { Measurement } from './measure.js'
import { peerSpecs } from './peers.js'
import type { Places } from './peers.js'
import { readmeText, replaceSection, reportText } from './report.js'
import type { Results } from './results.js'
import { workloads } from './workloads.js'

const { values: options } = parseArgs({
  options: {
    save: { type: 'boolean', default: false }, readme: { type: 'boolean', default: false }, only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.25' }, limit: { type: 'string', default: '330' },
  },
})

const root = dirname(createRequire(import.meta.url).resolve('kcc/package.json'))
const resultsFile = join(root, 'test', 'bench', 'results.json')
const log = (text: string): void => { process.stderr.write(`bench: ${text}\n`) }

function positive(name: 'rounds' | 'seconds' | 'limit'): number {
  const value = Number(options[name])
  if (!(value > 0)) throw new Error(`--${name} takes a positive number, found "${options[name]}"`)
  return value
}

/** Packages as a user gets them: `kcc build` on the models' sources. */
async function buildPackages(folder: string): Promise<void> {
  const run = promisify(execFile), kcc = join(root, 'build', 'compiler', 'cli', 'main.js')
  for (const name of new Set(workloads.flatMap(({ model, plainModel }) => [model, plainModel]))) {
    log(`kcc build ${name}`)
    await run(process.execPath, [kcc, 'build', join(root, 'test', 'bench', 'models', `${name}.ts`), '--out', join(folder, 'packages', name)], { cwd: root })
  }
}

function machine(loadBefore: number): Results['machine'] {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown CPU', cores: os.cpus().length, memoryBytes: os.totalmem(), system: `${os.type()} ${os.release().split('-')[0]}`,
    node: process.versions.node, loadBefore, loadAfter: os.loadavg()[0] ?? 0,
  }
}

async function measure(places: Places): Promise<Results> {
  const started = performance.now(), loadBefore = os.loadavg()[0] ?? 0
  for (const workload of workloads) writeData(places.data, workload, drawData(workload))
  await buildPackages(places.data)
  const { specs, skipped } = peerSpecs(places, [1, 2], new RegExp(options.only, 'i'))
  const measurement = new Measurement(specs, {
    rounds: positive('rounds'), seconds: positive('seconds'), totalSeconds: positive('limit') - (performance.now() - started) / 1000, log,
  })
  const found = await measurement.run()
  return { machine: machine(loadBefore), ...found, skipped: [...skipped, ...found.skipped] }
}

async function measured(): Promise<Results> {
  const data = mkdtempSync(join(os.tmpdir(), 'kcc-bench-'))
  try {
    return await measure({ root, data })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const results = options.readme && !options.save ? JSON.parse(readFileSync(resultsFile, 'utf8')) as Results : await measured()
process.stdout.write(reportText(results))
if (options.save) writeFileSync(resultsFile, `${JSON.stringify(results, null, 1)}\n`)
if (options.readme) {
  const file = join(root, 'README.md')
  writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), results))
} else {
  process.stdout.write(`\n${readmeText(results)}`)
}
