/**
 * `kcc inspect --fusion`: what each kernel moves and computes, what that should take on this machine, what it takes, and why
 * it is not one kernel with those whose values it reads.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KccError } from '../../runtime/contract/errors.js'
import type { Precision } from '../../runtime/contract/manifest.js'
import { choicesOf, CompiledModel, type ProductChoice } from '../../runtime/index.js'
import { loadEmitted, openModule } from '../engine.js'
import type { DeviceBuild } from '../build/cuda.js'
import { bytesOf, expectedTime, gpuRates, measuredRates, type Rates } from '../ir/cost.js'
import { evaluateDim, shapeText, type Dim } from '../ir/dim.js'
import { kernelWork } from '../ir/kernel-work.js'
import type { Kernel } from '../ir/kernel-graph.js'
import type { BoundKernel, PlannedFunction } from '../plan/plan-function.js'
import { assemble, cpu, cuda, digestsOf, emit, kernelsOf, planModule, whyStored, type PipelineOptions } from '../pipeline.js'
import { measureGpu, productFlops } from './bench/gpu.js'
import { openMachine } from './bench/machine.js'
import { samplesOf, targetsOf } from './bench/measure.js'
import { choiceText } from './choice-text.js'
import type { CompileOptions } from './compile-options.js'
import { pipelineOptions, sourceOf } from './emit-model.js'
import type { LoadedModel } from './load-models.js'
import { formatBytes } from './report.js'

export type KernelReport = {
  readonly name: string
  /** Path of the user's layer, and line of the model; '' where there is none. */
  readonly layer: string
  readonly line: string
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly flops: number
  readonly operations: number
  /** Operations of both kinds for each byte. */
  readonly intensity: number
  readonly bound: 'memory' | 'arithmetic'
  readonly expectedSeconds: number
  /** null where the function was not run. */
  readonly measuredSeconds: number | null
  /** Of a product that a library could compute on the GPU: what does, and why; null for any other kernel. */
  readonly computedBy: string | null
  readonly apart: readonly { readonly from: string; readonly value: string; readonly why: string }[]
}
export type FunctionReport = { readonly name: string; readonly kernels: readonly KernelReport[] }
export type FusionReport = {
  readonly model: string
  readonly batchSize: number
  /** Whose rates the expected times are from. */
  readonly machine: string
  readonly bytesPerSecond: number
  readonly flopsPerSecond: number
  readonly functions: readonly FunctionReport[]
}

/** What kernels are measured against, and whether they can be run. */
type Yardstick = { readonly machine: string; readonly rates: Rates; readonly runs: boolean }

/** Calls of each function of which the median time counts. */
const CALLS = 7
/** Values of a smaller share of what a kernel reads are not worth a reason. */
const LEAST_SHARE = 1 / 64

export async function fusionReport(name: string, model: LoadedModel, options: CompileOptions, batchSize: number): Promise<FusionReport> {
  const { machine, rates, runs } = options.device === null ? await ownYardstick() : await gpuYardstick(options.device, options.precision)
  const source = sourceOf(name, model), target = options.device === null ? cpu : cuda
  const pipeline = { ...pipelineOptions({ ...options, specialize: [] }), target, timed: true }
  const planned = planModule(assemble(source), source.model, pipeline)
  const measured = runs ? await measure(model, emit([planned], pipeline), options, batchSize) : { times: new Map<string, readonly number[]>(), products: [] }
  const env = Object.fromEntries(planned.dims.map((dim) => [dim, batchSize]))
  const functions = planned.functions.map(({ general }, i) => functionReport(general, planned.module.functions[i]!, pipeline, env, rates, { products: measured.products, times: measured.times.get(general.graph.name) }))
  return { model: name, batchSize, machine, bytesPerSecond: rates.bytesPerNs * 1e9, flopsPerSecond: rates.flopsPerNs * 1e9, functions }
}

async function ownYardstick(): Promise<Yardstick> {
  const { bandwidth, flops } = (await openMachine()).limits(0)
  return { machine: 'this machine', rates: measuredRates(bandwidth, flops), runs: true }
}

/** Without a GPU the figures that fusion decides by. */
async function gpuYardstick(device: DeviceBuild, precision: Precision): Promise<Yardstick> {
  const { limits, why } = await measureGpu(device)
  if (limits === null) return { machine: `no GPU was measured (${why}); a data centre's GPU`, rates: gpuRates, runs: false }
  return { machine: device.kind === 'host' ? 'a GPU that this CPU plays' : 'this GPU', rates: measuredRates(limits.bandwidth, limits.flops, productFlops(limits, precision)), runs: true }
}

/** Seconds of each kernel, in launch order, for the functions that ran, and what computes the products that libraries could. */
type Measured = { readonly times: ReadonlyMap<string, readonly number[]>; readonly products: readonly ProductChoice[] }

async function measure(model: LoadedModel, emitted: ReturnType<typeof emit>, { levels, device }: CompileOptions, batchSize: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-times-')), file = join(folder, 'times')
  const loaded = await loadEmitted(emitted, { levels, device })
  const compiled = new CompiledModel(openModule(loaded), loaded.manifests[0]!)
  try {
    for (const weight of model.weights) compiled.writeVariable(weight.name, weight.value)
    choicesOf(compiled.program.native, true)
    await runFunctions(compiled, loaded.manifests[0]!, batchSize, () => { process.env['KCC_KERNEL_TIMES'] = file })
    return { times: medians(readFileSync(file, 'utf8')), products: compiled.products?.products ?? [] }
  } finally {
    delete process.env['KCC_KERNEL_TIMES']
    await compiled.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Everything once to warm up, then `CALLS` times. */
async function runFunctions(compiled: CompiledModel, manifest: Parameters<typeof samplesOf>[0], batchSize: number, begin: () => void): Promise<void> {
  const trains = manifest.model !== null && manifest.model.targets.length > 0
  const round = async (calls: number): Promise<void> => {
    const x = samplesOf(manifest, 'predict', calls * batchSize), y = targetsOf(manifest, calls * batchSize)
    await compiled.predict(x, { batchSize, verbose: 0 })
    if (!trains) return
    await compiled.evaluate(x, y, { batchSize, verbose: 0 })
    await compiled.fit(x, y, { batchSize, epochs: 1, verbose: 0, shuffle: false })
  }
  await round(1)
  begin()
  await round(CALLS)
}

/** Of lines with a function's name and nanoseconds for each of its kernels. */
function medians(text: string): Map<string, readonly number[]> {
  const calls = new Map<string, number[][]>()
  for (const line of text.trimEnd().split('\n')) {
    const [name, ...times] = line.split(' ')
    calls.set(name!, [...(calls.get(name!) ?? []), times.map(Number)])
  }
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
  return new Map([...calls].map(([name, rows]) => [name, rows[0]!.map((_, kernel) => median(rows.map((row) => row[kernel]!)) / 1e9)]))
}

function functionReport(planned: PlannedFunction, graph: PlannedFunction['graph'], options: PipelineOptions, env: Readonly<Record<string, number>>, rates: Rates, { times, products }: { readonly times: readonly number[] | undefined; readonly products: readonly ProductChoice[] }): FunctionReport {
  const { kernels } = kernelsOf(graph, options), digests = products.length === 0 ? [] : digestsOf(planned, options.target ?? cpu)
  const choiceOf = (i: number): ProductChoice | undefined => products.find(({ kernel }) => digests[i] !== undefined && kernel.endsWith(`_${digests[i]}`))
  const reports = planned.kernels.map((bound, i) => kernelReport(bound, kernels, kernelNamed(kernels, bound.program.name), env, rates, times?.[i] ?? null, choiceOf(i)))
  return { name: graph.name, kernels: reports }
}

/** Where several share a launch, the launch has the name of the first, whose reasons are given. */
function kernelNamed(kernels: readonly Kernel[], name: string): Kernel {
  const found = kernels.find((kernel) => kernel.name === name)
  if (found === undefined) throw new KccError(`no kernel was planned under the name ${name}`)
  return found
}

function kernelReport({ program }: BoundKernel, all: readonly Kernel[], kernel: Kernel, env: Readonly<Record<string, number>>, rates: Rates, measuredSeconds: number | null, choice: ProductChoice | undefined): KernelReport {
  const work = kernelWork(program), at = (dim: Dim): number => evaluateDim(dim, env)
  const bytesRead = at(work.read), bytesWritten = at(work.written), flops = at(work.flops), operations = at(work.operations)
  const { nanoseconds, bound } = expectedTime({ bytes: bytesRead + bytesWritten, flops, operations }, rates)
  const { location, path } = program.from
  return {
    name: program.name, layer: path, line: location === null ? '' : `${location.file}:${location.line}`, bytesRead, bytesWritten, flops, operations,
    intensity: (flops + operations) / Math.max(bytesRead + bytesWritten, 1), bound, expectedSeconds: nanoseconds / 1e9, measuredSeconds, computedBy: choice ? choiceText(choice) : null,
    apart: apartFrom(kernel, all, (bytes) => at(bytes) >= LEAST_SHARE * bytesRead),
  }
}

function apartFrom(reader: Kernel, all: readonly Kernel[], isMuch: (bytes: Dim) => boolean): KernelReport['apart'] {
  return all.filter((maker) => maker !== reader).flatMap((maker) => maker.stored.filter((value) => isMuch(bytesOf(value.type))).flatMap((value) => {
    const why = whyStored(value, maker, reader)
    return why === null ? [] : [{ from: maker.name, value: `${value.op} ${value.type.dtype} ${shapeText(value.type.shape)}`, why }]
  }))
}

export function fusionText(report: FusionReport): string {
  const peak = `${(report.flopsPerSecond / 1e9).toFixed(0)} GFLOP/s, ${(report.bytesPerSecond / 1e9).toFixed(1)} GB/s`
  return `${report.model}, batch ${report.batchSize}; ${report.machine} at most: ${peak}\n\n${report.functions.map(functionText).join('\n')}`
}

function functionText({ name, kernels }: FunctionReport): string {
  const total = (of: (k: KernelReport) => number | null): number => kernels.reduce((sum, k) => sum + (of(k) ?? 0), 0)
  const measured = kernels.some((k) => k.measuredSeconds !== null) ? `, measured ${micro(total((k) => k.measuredSeconds))}` : ''
  const head = `${name}: ${kernels.length} kernels, ${formatBytes(total((k) => k.bytesRead))} read, ${formatBytes(total((k) => k.bytesWritten))} written, ` +
    `${count(total((k) => k.flops))}FLOP in products; expected ${micro(total((k) => k.expectedSeconds))}${measured}\n`
  const rows = kernels.map((k, i) => [String(i), k.name, k.layer, formatBytes(k.bytesRead), formatBytes(k.bytesWritten), count(k.flops), count(k.operations),
    k.intensity.toFixed(1), k.bound, micro(k.expectedSeconds), k.measuredSeconds === null ? '–' : micro(k.measuredSeconds)])
  const lines = columns([['', 'kernel', 'layer', 'read', 'written', 'FLOP', 'other ops', 'ops/byte', 'bound by', 'expected', 'measured'], ...rows])
  // One that shares the launch of another has no number of its own.
  const numbers = new Map(kernels.map((k, i) => [k.name, String(i)])), numberOf = (maker: string): string => numbers.get(maker) ?? maker
  const reasons = kernels.flatMap((k, i) => k.apart.map((a) => `  ${String(i).padStart(4)} reads ${a.value} of ${numberOf(a.from)}: ${a.why}\n`))
  const products = kernels.flatMap((k, i) => (k.computedBy === null ? [] : [`  ${String(i).padStart(4)} ${k.computedBy}\n`]))
  return `${head}${lines}\n${products.length === 0 ? '' : `Products, as measured:\n${products.join('')}`}Not one kernel, because:\n${reasons.join('') || '  –\n'}`
}

const micro = (seconds: number): string => (seconds < 1e-2 ? `${(seconds * 1e6).toFixed(1)} µs` : `${(seconds * 1e3).toFixed(2)} ms`)

function count(value: number): string {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, value)) / 3))
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${['', 'k', 'M', 'G'][power]!}`
}

/** Texts to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const isText = (i: number): boolean => i === 1 || i === 2 || i === 8
  return rows.map((row) => `  ${row.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}
