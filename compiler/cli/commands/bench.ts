/** `kcc bench model.ts`: what fusion and threads bring, and how far the machine's limits are. */
import * as os from 'node:os'
import type { ModuleManifest, Precision } from '../../../runtime/contract/manifest.js'
import { applyTuned, CompiledModel } from '../../../runtime/index.js'
import { loadEmitted, openModule, tunedFile } from '../../engine.js'
import { evaluateDim } from '../../ir/dim.js'
import { parseDim } from '../../ir/dim-parse.js'
import { assemble, cpu, cuda, emit, planModule } from '../../pipeline.js'
import { RuntimeError } from '../../../runtime/contract/errors.js'
import type { DeviceBuild } from '../../build/cuda.js'
import type { MachineLimits } from '../bench/machine.js'
import { measureGpu, productFlops } from '../bench/gpu.js'
import { openMachine } from '../bench/machine.js'
import type { Spread, Times } from '../bench/measure.js'
import { measureInTurns, tasksOf } from '../bench/measure.js'
import { trafficBytes } from '../bench/traffic.js'
import { compileOptionsOf, deviceBuildOf, precisionOf, type DeviceFlags } from '../compile-options.js'
import { pipelineOptions, sourceOf } from '../emit-model.js'
import type { LoadedModel } from '../load-models.js'
import { loadModels } from '../load-models.js'
import { formatBytes, formatSeconds, printResult } from '../report.js'

export type BenchOptions = DeviceFlags & { readonly cpu: string; readonly check: boolean; readonly json: boolean; readonly batchSize: number; readonly seconds: number }

/** `build`: of code for a GPU, on which the variant runs; null on the CPU. */
type Variant = { readonly name: string; readonly fuse: boolean; readonly threads: number; readonly build: DeviceBuild | null; readonly limits: MachineLimits }

/** What is compared, and the limits of the machine as lines of text. */
type Plan = { readonly variants: readonly Variant[]; readonly machine: string; readonly limits: Readonly<Record<string, MachineLimits>> }

/** One row of the table: a thing measured in one variant. */
export type BenchRow = {
  readonly variant: string
  readonly what: 'train step' | 'predict 1' | 'predict batch'
  readonly kernels: number
  readonly time: Spread
  readonly flops: number
  /** Share of what the machine can do at most with these threads, in [0, 1]. */
  readonly flopsShare: number
  readonly bandwidthShare: number
  /** Variables and working memory. */
  readonly memoryBytes: number
}

export async function bench(file: string, options: BenchOptions): Promise<void> {
  const { models } = await loadModels(file, { check: options.check })
  const plan = await planOf(options), precision = precisionOf(options)
  for (const { name, model } of models) {
    const rows = await benchModel(name, model, plan, options)
    const json = { model: name, cpu: os.cpus()[0]?.model ?? '', batchSize: options.batchSize, precision, ...plan.limits, maxRssBytes: process.resourceUsage().maxRSS * 1024, rows }
    printResult({ text: table(name, options.batchSize, precision, plan, rows), json }, options.json)
  }
}

/** On the CPU fused, on one thread, unfused; with `--target cuda` on the GPU fused and unfused, beside the CPU. */
async function planOf(options: BenchOptions): Promise<Plan> {
  const build = deviceBuildOf(options), machine = await openMachine()
  const all = machine.limits(0), text = ({ flops, bandwidth }: MachineLimits): string => `${(flops / 1e9).toFixed(1)} GFLOP/s, copy ${(bandwidth / 1e9).toFixed(1)} GB/s`
  if (build === null) {
    const one = machine.limits(1), own = { build: null, fuse: true, threads: 0, limits: all }
    return {
      variants: [{ ...own, name: 'fused' }, { ...own, name: 'fused, 1 thread', threads: 1, limits: one }, { ...own, name: 'unfused', fuse: false }],
      machine: `machine at most: ${text(all)}; one thread: ${text(one)}`, limits: { limits: all, limitsOneThread: one },
    }
  }
  const { limits, why } = await measureGpu(build)
  if (limits === null) throw new RuntimeError(`There is no GPU to measure on: ${why}`)
  const gpu = { build, fuse: true, threads: 0, limits: { ...limits, flops: productFlops(limits, precisionOf(options)) } }
  return {
    variants: [{ ...gpu, name: 'GPU, fused' }, { ...gpu, name: 'GPU, unfused', fuse: false }, { build: null, fuse: true, threads: 0, limits: all, name: 'CPU, fused' }],
    machine: `GPU at most: ${text(limits)}, TF32 ${(limits.tensorFlops / 1e9).toFixed(1)} and bfloat16 ${(limits.bfloat16Flops / 1e9).toFixed(1)} GFLOP/s; CPU: ${text(all)}`, limits: { limits: all, limitsGpu: limits },
  }
}

/** A variant, compiled and loaded with the model's weights. */
type Opened = { readonly variant: Variant; readonly compiled: CompiledModel; readonly manifest: ModuleManifest; readonly setThreads: (count: number) => void; readonly traffic: (fn: string, batch: number) => number }

async function benchModel(name: string, model: LoadedModel, { variants }: Plan, options: BenchOptions): Promise<BenchRow[]> {
  const opened: Opened[] = []
  try {
    for (const variant of variants) opened.push(await openVariant(name, model, variant, options))
    const tasks = opened.map((one) => [one, tasksOf(one.compiled, one.manifest, options.batchSize)] as const)
    const times = await measureInTurns(tasks, options.seconds, ({ variant, setThreads }) => setThreads(variant.threads))
    return opened.flatMap((one, i) => rowsOf(one.variant, times[i]!, one.manifest, one.compiled.memoryBytes, options.batchSize, one.traffic))
  } finally {
    for (const { compiled } of opened) await compiled.close()
  }
}

async function openVariant(name: string, model: LoadedModel, variant: Variant, options: BenchOptions): Promise<Opened> {
  const { levels } = compileOptionsOf({ cpu: options.cpu, fuse: variant.fuse, winograd: true })
  const pipeline = { ...pipelineOptions({ fuse: variant.fuse, winograd: true, specialize: [], precision: variant.build === null ? 'float32' : precisionOf(options) }), target: variant.build === null ? cpu : cuda }
  const source = sourceOf(name, model)
  const planned = planModule(assemble(source), source.model, pipeline)
  const loaded = await loadEmitted(emit([planned], pipeline), { levels, device: variant.build })
  const manifest = loaded.manifests[0]!
  const native = openModule(loaded)
  if (variant.build !== null) applyTuned(native, tunedFile())
  const compiled = new CompiledModel(native, manifest)
  for (const weight of model.weights) compiled.writeVariable(weight.name, weight.value)
  return { variant, compiled, manifest, setThreads: (count) => void loaded.addon.setThreads(count), traffic: (fn, batch) => trafficBytes(planned, fn, batch) }
}

function rowsOf(variant: Variant, times: Times, manifest: ModuleManifest, memoryBytes: number, batchSize: number,
  traffic: (fn: string, batch: number) => number): BenchRow[] {
  const row = (what: BenchRow['what'], time: Spread, fn: string, batch: number): BenchRow => {
    const found = manifest.functions.find((f) => f.name === fn)!
    const flops = evaluateDim(parseDim(found.flops), Object.fromEntries(manifest.dims.map((dim) => [dim, batch])))
    return {
      variant: variant.name, what, kernels: found.kernels, time, flops, memoryBytes,
      flopsShare: flops / time.median / variant.limits.flops,
      bandwidthShare: traffic(fn, batch) / time.median / variant.limits.bandwidth,
    }
  }
  return [
    ...(times.trainStep === null ? [] : [row('train step', times.trainStep, 'trainStep', batchSize)]),
    row('predict 1', times.predictOne, 'predict', 1),
    row('predict batch', times.predictBatch, 'predict', batchSize),
  ]
}

function table(name: string, batchSize: number, precision: Precision, { machine }: Plan, rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [row.variant, row.what, String(row.kernels), shortTime(row.time.median), `${shortTime(row.time.p10)} – ${shortTime(row.time.p90)}`,
    percent(row.flopsShare), percent(row.bandwidthShare), formatBytes(row.memoryBytes), against(row, rows)])
  return `${name}, batch ${batchSize}${precision === 'float32' ? '' : `, ${precision}`}, ${os.cpus()[0]?.model.trim() ?? ''}\n` +
    `${machine}\n\n` +
    `${columns([['variant', 'what', 'kernels', 'median', 'p10 – p90', 'FLOP/s', 'bandwidth', 'memory', 'against fused'], ...cells])}\n` +
    `peak memory of the process: ${formatBytes(process.resourceUsage().maxRSS * 1024)}\n`
}

/** Time relative to the first variant's, such as "1.8×". */
function against(row: BenchRow, rows: readonly BenchRow[]): string {
  const base = rows.find((r) => r.what === row.what)!
  const ratio = row.time.median / base.time.median
  return base === row ? '' : `${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)}×`
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const shortTime = (seconds: number): string => (seconds < 1e-3 ? `${(seconds * 1e6).toFixed(1)} µs` : formatSecondsFine(seconds))
const formatSecondsFine = (seconds: number): string => (seconds < 1 ? `${(seconds * 1e3).toFixed(2)} ms` : formatSeconds(seconds))

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => `${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}
