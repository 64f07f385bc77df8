/** `kcc bench model.ts`: what fusion and threads bring, and how far the machine's limits are. */
import * as os from 'node:os'
import type { ModuleManifest } from '../../../runtime/contract/manifest.js'
import { CompiledModel } from '../../../runtime/index.js'
import { loadEmitted, openModule } from '../../engine.js'
import { evaluateDim } from '../../ir/dim.js'
import { parseDim } from '../../ir/dim-parse.js'
import { assemble, emit, planModule } from '../../pipeline.js'
import type { MachineLimits } from '../bench/machine.js'
import { openMachine } from '../bench/machine.js'
import type { Spread, Times } from '../bench/measure.js'
import { measureInTurns, tasksOf } from '../bench/measure.js'
import { trafficBytes } from '../bench/traffic.js'
import { compileOptionsOf } from '../compile-options.js'
import { pipelineOptions, sourceOf } from '../emit-model.js'
import type { LoadedModel } from '../load-models.js'
import { loadModels } from '../load-models.js'
import { formatBytes, formatSeconds, printResult } from '../report.js'

export type BenchOptions = { readonly cpu: string; readonly check: boolean; readonly json: boolean; readonly batchSize: number; readonly seconds: number }

type Variant = { readonly name: string; readonly fuse: boolean; readonly threads: number }
const variants: readonly Variant[] = [
  { name: 'fused', fuse: true, threads: 0 },
  { name: 'fused, 1 thread', fuse: true, threads: 1 },
  { name: 'unfused', fuse: false, threads: 0 },
]

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
  const machine = await openMachine()
  const limits = new Map([0, 1].map((threads) => [threads, machine.limits(threads)]))
  for (const { name, model } of models) {
    const rows = await benchModel(name, model, limits, options)
    const json = { model: name, cpu: os.cpus()[0]?.model ?? '', batchSize: options.batchSize, limits: limits.get(0), limitsOneThread: limits.get(1), maxRssBytes: process.resourceUsage().maxRSS * 1024, rows }
    printResult({ text: table(name, options.batchSize, limits, rows), json }, options.json)
  }
}

/** A variant, compiled and loaded with the model's weights. */
type Opened = { readonly variant: Variant; readonly compiled: CompiledModel; readonly manifest: ModuleManifest; readonly setThreads: (count: number) => void; readonly traffic: (fn: string, batch: number) => number }

async function benchModel(name: string, model: LoadedModel, limits: ReadonlyMap<number, MachineLimits>, options: BenchOptions): Promise<BenchRow[]> {
  const opened: Opened[] = []
  try {
    for (const variant of variants) opened.push(await openVariant(name, model, variant, options))
    const tasks = opened.map((one) => [one, tasksOf(one.compiled, one.manifest, options.batchSize)] as const)
    const times = await measureInTurns(tasks, options.seconds, ({ variant, setThreads }) => setThreads(variant.threads))
    return opened.flatMap((one, i) => rowsOf(one.variant, times[i]!, one.manifest, one.compiled.memoryBytes, limits.get(one.variant.threads)!, options.batchSize, one.traffic))
  } finally {
    for (const { compiled } of opened) await compiled.close()
  }
}

async function openVariant(name: string, model: LoadedModel, variant: Variant, options: BenchOptions): Promise<Opened> {
  const { levels } = compileOptionsOf({ cpu: options.cpu, fuse: variant.fuse })
  const pipeline = pipelineOptions({ fuse: variant.fuse, specialize: [], precision: 'float32' })
  const source = sourceOf(name, model)
  const planned = planModule(assemble(source), source.model, pipeline)
  const loaded = await loadEmitted(emit([planned], pipeline), { levels })
  const manifest = loaded.manifests[0]!
  const compiled = new CompiledModel(openModule(loaded), manifest)
  for (const weight of model.weights) compiled.writeVariable(weight.name, weight.value)
  return { variant, compiled, manifest, setThreads: (count) => void loaded.addon.setThreads(count), traffic: (fn, batch) => trafficBytes(planned, fn, batch) }
}

function rowsOf(variant: Variant, times: Times, manifest: ModuleManifest, memoryBytes: number, limits: MachineLimits, batchSize: number,
  traffic: (fn: string, batch: number) => number): BenchRow[] {
  const row = (what: BenchRow['what'], time: Spread, fn: string, batch: number): BenchRow => {
    const found = manifest.functions.find((f) => f.name === fn)!
    const flops = evaluateDim(parseDim(found.flops), Object.fromEntries(manifest.dims.map((dim) => [dim, batch])))
    return {
      variant: variant.name, what, kernels: found.kernels, time, flops, memoryBytes,
      flopsShare: flops / time.median / limits.flops,
      bandwidthShare: traffic(fn, batch) / time.median / limits.bandwidth,
    }
  }
  return [
    ...(times.trainStep === null ? [] : [row('train step', times.trainStep, 'trainStep', batchSize)]),
    row('predict 1', times.predictOne, 'predict', 1),
    row('predict batch', times.predictBatch, 'predict', batchSize),
  ]
}

function table(name: string, batchSize: number, limits: ReadonlyMap<number, MachineLimits>, rows: readonly BenchRow[]): string {
  const limit = (threads: number): string => {
    const { flops, bandwidth } = limits.get(threads)!
    return `${(flops / 1e9).toFixed(1)} GFLOP/s, copy ${(bandwidth / 1e9).toFixed(1)} GB/s`
  }
  const cells = rows.map((row) => [row.variant, row.what, String(row.kernels), shortTime(row.time.median), `${shortTime(row.time.p10)} – ${shortTime(row.time.p90)}`,
    percent(row.flopsShare), percent(row.bandwidthShare), formatBytes(row.memoryBytes), against(row, rows)])
  return `${name}, batch ${batchSize}, ${os.cpus()[0]?.model.trim() ?? ''}\n` +
    `machine at most: ${limit(0)}; one thread: ${limit(1)}\n\n` +
    `${columns([['variant', 'what', 'kernels', 'median', 'p10 – p90', 'FLOP/s', 'bandwidth', 'memory', 'against fused'], ...cells])}\n` +
    `peak memory of the process: ${formatBytes(process.resourceUsage().maxRSS * 1024)}\n`
}

/** Time relative to the first variant's, such as "1.8×". */
function against(row: BenchRow, rows: readonly BenchRow[]): string {
  const base = rows.find((r) => r.what === row.what)!
  return base === row ? '' : `${(row.time.median / base.time.median).toFixed(2)}×`
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const shortTime = (seconds: number): string => (seconds < 1e-3 ? `${(seconds * 1e6).toFixed(1)} µs` : formatSecondsFine(seconds))
const formatSecondsFine = (seconds: number): string => (seconds < 1 ? `${(seconds * 1e3).toFixed(2)} ms` : formatSeconds(seconds))

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => `${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}
