/**
 * kcc beside its peers, in one run. `npm run bench -- [options]`:
 *   --only <names>    workloads whose names have one of these parts, separated by commas; all by default
 *   --peers <keys>    peers beside kcc, separated by commas; all by default
 *   --rounds <count>  default 7
 *   --seconds <count> of one measurement, default 0.25
 *   --limit <count>   seconds for the rounds of one workload, default 40
 *   --prepare <count> seconds for a peer to prepare a task, default 60
 * Peers are installed by test/bench/peers/setup.sh; those that are missing are left out with a reason.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as os from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { ModelClass } from 'kcc'
import { drawData, writeData, writeNetwork } from './data.js'
import { Measurement } from './measure.js'
import { forwardFlops, networkOf, trainFlops } from './network.js'
import type { Network } from './network.js'
import { peerKeys, peerSpecs } from './peers.js'
import type { Places } from './peers.js'
import { reportText } from './report.js'
import type { Results } from './results.js'
import { taskName, tasksOf, workloads } from './workloads.js'
import type { Workload } from './workloads.js'

const { values: options } = parseArgs({
  options: {
    save: { type: 'string' }, only: { type: 'string', default: '' }, peers: { type: 'string', default: peerKeys.join() },
    rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.25' }, limit: { type: 'string', default: '40' }, prepare: { type: 'string', default: '60' },
  },
})

const root = dirname(createRequire(import.meta.url).resolve('kcc/package.json'))
const log = (text: string): void => { process.stderr.write(`bench: ${text}\n`) }

function positive(name: 'rounds' | 'seconds' | 'limit' | 'prepare'): number {
  const value = Number(options[name])
  if (!(value > 0)) throw new Error(`--${name} takes a positive number, found "${options[name]}"`)
  return value
}

const chosen = workloads.filter(({ name }) => options.only.split(',').some((part) => name.includes(part)))

/** Packages as a user gets them: `kcc build` on the models' sources. */
async function buildPackages(folder: string): Promise<void> {
  const run = promisify(execFile), kcc = join(root, 'build', 'compiler', 'cli', 'main.js')
  for (const name of new Set(chosen.flatMap(({ model, plainModel }) => [model, plainModel]))) {
    log(`kcc build ${name}`)
    await run(process.execPath, [kcc, 'build', join(root, 'test', 'bench', 'models', `${name}.ts`), '--out', join(folder, 'packages', name)], { cwd: root })
  }
}

async function networkOfModel(name: string): Promise<Network> {
  const { default: model } = await import(new URL(`./models/${name}.js`, import.meta.url).href) as { default: ModelClass }
  return networkOf(model)
}

/** Writes what peers read. @returns operations of each task */
async function describeWorkload(workload: Workload, folder: string): Promise<[string, number][]> {
  const network = await networkOfModel(workload.model)
  writeNetwork(folder, workload.model, network)
  if (workload.plainModel !== workload.model) writeNetwork(folder, workload.plainModel, await networkOfModel(workload.plainModel))
  writeData(folder, workload, drawData(workload, network))
  return tasksOf(workload).map((task) => [taskName(task), task.batch * (task.kind === 'train' ? trainFlops(network) : forwardFlops(network))])
}

function machine(loadBefore: number): Results['machine'] {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown CPU', cores: os.cpus().length, memoryBytes: os.totalmem(), system: `${os.type()} ${os.release().split('-')[0]}`,
    node: process.versions.node, loadBefore, loadAfter: os.loadavg()[0] ?? 0,
  }
}

async function measure(places: Places): Promise<Results> {
  const loadBefore = os.loadavg()[0] ?? 0, flops: [string, number][] = []
  for (const workload of chosen) flops.push(...await describeWorkload(workload, places.data))
  await buildPackages(places.data)
  const { specs, skipped } = peerSpecs(places, [1, 2], options.peers.split(','))
  const plan = { rounds: positive('rounds'), seconds: positive('seconds') }
  const found = await new Measurement(specs, { ...plan, workloadSeconds: positive('limit'), prepareSeconds: positive('prepare'), log }).run(chosen)
  return { machine: machine(loadBefore), ...plan, flops: Object.fromEntries(flops), ...found, memory: [], builds: [], skipped: [...skipped, ...found.skipped] }
}

async function measured(): Promise<Results> {
  const data = mkdtempSync(join(os.tmpdir(), 'kcc-bench-'))
  try {
    return await measure({ root, data })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const results = await measured()
process.stdout.write(reportText(results))
if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(results, null, 1)}\n`)
