/** kcc beside its peers, in one run; see `usage`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as os from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ModelClass } from 'kcc'
import { presentGpus } from '../../compiler/build/cuda.js'
import { precisionNamed } from '../../compiler/cli/compile-options.js'
import { chart } from './chart.js'
import { drawData, writeData, writeNetwork } from './data.js'
import { measureKernels } from './kernels.js'
import { Measurement } from './measure.js'
import { measureMemory } from './memory.js'
import { forwardFlops, networkOf, trainFlops } from './network.js'
import type { Network } from './network.js'
import { buildPackages, timeBuilds } from './packages.js'
import { peerKeys, peerSpecs } from './peers.js'
import type { Places } from './peers.js'
import { replaceSection } from './readme.js'
import { reportText } from './report.js'
import type { Results } from './results.js'
import { tunePackages } from './tuning.js'
import { TIMED_BUILDS, gpuWorkloads, playedWorkloads, taskName, tasksOf, workloads } from './workloads.js'
import type { Workload } from './workloads.js'

const usage = `kcc beside its peers, in one run: npm run bench -- [options]
  --only <names>    workloads whose names have one of these parts, separated by commas; all by default
  --peers <keys>    what to measure beside kcc, separated by commas; all by default: ${peerKeys.join(', ')}
  --rounds <count>  default 7
  --seconds <count> of one measurement, default 0.25
  --limit <count>   seconds for the rounds of one workload, default 30; there are at least two rounds
  --prepare <count> seconds for a peer to prepare a task, default 45, on a GPU 240; then it is left out of the workload
  --device <name>   cpu (default), or cuda: on the GPU of this machine, with peers that run there; or played: the same on a
                    few samples with a GPU that this CPU plays, to try the benchmark itself
  --precision <name> of kcc's products on a GPU: float32 (default), tf32 or mixed_bfloat16, which are measured without peers,
                    beside what the GPU's matrix units can do
  --json <file>     write the results there
  --save            write test/bench/results.json; of a GPU results-cuda.json, and its chart
  --readme          put results and chart into the README; without --save those that were saved, and nothing is measured
  --no-extras       neither memory nor times of builds; of a GPU no times of kernels
Peers are installed by test/bench/peers/setup.sh, those of a GPU by \`setup.sh cuda\`, in the folder KCC_BENCH_VENV (default
~/.cache/kcc/bench-venv); KCC_BENCH_PYTHON names a Python that has them already. Those that are missing are left out with a reason.
`

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', default: '' }, peers: { type: 'string', default: peerKeys.join() },
    rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.25' }, limit: { type: 'string', default: '30' }, prepare: { type: 'string' },
    device: { type: 'string', default: 'cpu' }, precision: { type: 'string', default: 'float32' }, json: { type: 'string' }, save: { type: 'boolean', default: false }, readme: { type: 'boolean', default: false }, extras: { type: 'boolean', default: true }, help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const root = dirname(createRequire(import.meta.url).resolve('kcc/package.json'))
const inBench = (name: string): string => join(root, 'test', 'bench', name)
const log = (text: string): void => { process.stderr.write(`bench: ${text}\n`) }

function positive(name: 'rounds' | 'seconds' | 'limit' | 'prepare', usual = ''): number {
  const given = options[name] ?? usual, value = Number(given)
  if (!(value > 0)) throw new Error(`--${name} takes a positive number, found "${given}"`)
  return value
}

/** @throws Error for a name that no workload or peer has */
function chosenFrom<T>(option: 'only' | 'peers', all: readonly T[], isMeant: (one: T, name: string) => boolean): T[] {
  const names = options[option].split(',').map((name) => name.trim())
  const unknown = names.find((name) => !all.some((one) => isMeant(one, name)))
  if (unknown !== undefined) throw new Error(`--${option}: there is no "${unknown}"`)
  return all.filter((one) => names.some((name) => isMeant(one, name)))
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
  const chosen = chosenFrom('only', { cpu: workloads, cuda: gpuWorkloads, played: playedWorkloads }[places.device], ({ name }, part) => name.includes(part)), keys = chosenFrom('peers', peerKeys, (key, name) => key === name)
  const plan = { rounds: positive('rounds'), seconds: positive('seconds'), workloadSeconds: positive('limit'), prepareSeconds: positive('prepare', places.device === 'cpu' ? '45' : '240'), gaps: places.device !== 'cpu', log }
  for (const workload of chosen) flops.push(...await describeWorkload(workload, places.data))
  const extras = options.extras && places.device === 'cpu'
  const builds = extras ? await timeBuilds(places, TIMED_BUILDS.filter((name) => chosen.some(({ model }) => model === name)), log) : []
  const withUnfused = keys.includes('unfused')
  await buildPackages(places, chosen, withUnfused, log)
  const { tuned, skipped: untuned } = places.device === 'cpu' ? { tuned: [], skipped: [] } : await tunePackages(places, chosen, withUnfused, log)
  const { specs, skipped } = peerSpecs(places, places.device === 'cpu' ? [1, 2] : [Math.max(2, os.availableParallelism())], keys)
  const { memory, skipped: unmeasured } = extras ? await measureMemory(specs, chosen, log) : { memory: [], skipped: [] }
  const found = await new Measurement(specs, plan).run(chosen)
  const timed = options.extras && places.device !== 'cpu' ? await measureKernels(places, chosen, log) : { kernels: [], skipped: [] }
  return {
    machine: { ...machine(loadBefore), ...(places.device === 'cpu' ? {} : { gpu: gpuName() }) }, ...(places.precision === 'float32' ? {} : { precision: places.precision }), rounds: plan.rounds, seconds: plan.seconds, ...found, flops: Object.fromEntries(flops), memory, builds,
    ...(tuned.length === 0 ? {} : { tuned }), ...(timed.kernels.length === 0 ? {} : { kernels: timed.kernels }), skipped: [...skipped, ...untuned, ...unmeasured, ...found.skipped, ...timed.skipped],
  }
}

const gpuName = (): string => (device === 'played' ? 'a GPU that this CPU plays' : '') + (presentGpus() ?? []).slice(0, 1).map(({ name, driver }) => `${name} (driver ${driver})`).join('')

async function measured(): Promise<Results> {
  const data = mkdtempSync(join(os.tmpdir(), 'kcc-bench-'))
  try {
    return await measure({ root, data, device, precision })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

if (options.device !== 'cpu' && options.device !== 'cuda' && options.device !== 'played') throw new Error(`--device takes cpu, cuda or played, found "${options.device}"`)
const device = options.device, precision = precisionNamed(options.precision)
if (precision !== 'float32' && (device === 'cpu' || options.save)) throw new Error('--precision is for a GPU, and --save for float32')
if (device === 'cuda' && (presentGpus() ?? []).length === 0) {
  process.stdout.write('skipped: nothing was measured, because nvidia-smi shows no GPU on this machine\n')
  process.exit(0)
}
if (device !== 'cpu' && options.readme) throw new Error('--readme is for results of the CPU')
if (device === 'played' && options.save) throw new Error('--save is for what was measured')

const write = (file: string, results: Results): void => { writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`) }

const results = options.readme && !options.save ? JSON.parse(readFileSync(inBench('results.json'), 'utf8')) as Results : await measured()
process.stdout.write(reportText(results))
if (options.json !== undefined) write(options.json, results)
if (options.save) write(inBench(device === 'cpu' ? 'results.json' : 'results-cuda.json'), results)
if (options.save && device === 'cuda') writeFileSync(inBench('results-cuda.svg'), chart(results))
if (options.readme) {
  const file = join(root, 'README.md')
  writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), results))
  writeFileSync(inBench('results.svg'), chart(results))
}
