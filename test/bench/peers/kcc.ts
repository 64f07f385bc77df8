/** kcc through its public API: packages made by `kcc build`, `fit` for training, `predictSync` for samples. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CompiledModel } from 'kcc/runtime'
import { loadPackage, NDArray } from 'kcc/runtime'
import { presentArchitectures } from '../../../compiler/build/cuda.js'
import { measureGpu, productFlops } from '../../../compiler/cli/bench/gpu.js'
import { openMachine } from '../../../compiler/cli/bench/machine.js'
import { precisionNamed } from '../../../compiler/cli/compile-options.js'
import { readData, readNetwork } from '../data.js'
import type { WorkloadData } from '../data.js'
import type { Network } from '../network.js'
import { servePeer, timeOf } from '../protocol.js'
import type { CheckAnswer, GapsAnswer, Limits, MemoryAnswer, Request, Timing } from '../protocol.js'
import { taskName } from '../workloads.js'
import type { Task, Workload } from '../workloads.js'

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '0')
/** Ending of the folders of the packages: those built with other options have one. */
const variant = process.env['KCC_BENCH_VARIANT'] ?? ''

const device = process.env['KCC_BENCH_DEVICE'] ?? 'cpu', onGpu = device !== 'cpu'

/** As in `peer.py`. */
const MEMORY_STEPS = 4

type Ready = { readonly model: CompiledModel; readonly x: NDArray; readonly y: NDArray | null }
const prepared = new Map<string, Ready>()

function open(workload: Workload, name: string): Ready {
  const network = readNetwork(folder, name)
  return openWith(network, readData(folder, workload, network), name)
}

function openWith(network: Network, { weights, x, y }: WorkloadData, name: string): Ready {
  const model = loadPackage(join(folder, 'packages', `${name}${variant}`), { threads, seed: 1, device: onGpu ? 'cuda:0' : 'cpu' })
  model.setWeights(network.packageOrder.map((i) => weights[i]!))
  const samples = (data: Float32Array, shape: readonly number[]): NDArray => new NDArray(data, [data.length / shape.reduce((a, b) => a * b, 1), ...shape])
  return { model, x: samples(x, network.inputShape), y: y.length === 0 ? null : samples(y, network.outputShape) }
}

const readyFor = (task: Task): Ready => {
  const ready = prepared.get(taskName(task))
  if (ready === undefined) throw new Error(`${taskName(task)} was not prepared`)
  return ready
}

const wayOf = ({ kind }: Task): string => (kind === 'train' ? 'fit' : 'predictSync into')

function prepare(task: Task): { ways: string[]; failures: string[] } {
  prepared.set(taskName(task), open(task.workload, task.workload.model))
  return { ways: [wayOf(task)], failures: [] }
}

/** Steps without dropout, and predictions of the first samples by the weights before them. */
async function check(workload: Workload, steps: number, samples: number): Promise<CheckAnswer> {
  const { model, x, y } = open(workload, workload.plainModel)
  const outputs = await model.predict(x.rows(0, samples)) as NDArray
  const losses = workload.trainBatch === null || y === null ? null : await lossesOf(model, x, y, workload.trainBatch, steps)
  await model.close()
  return { losses, outputs: [...outputs.data] }
}

async function lossesOf(model: CompiledModel, x: NDArray, y: NDArray, batch: number, steps: number): Promise<number[]> {
  const losses: number[] = [], batches = Math.floor(x.shape[0]! / batch)
  for (let i = 0; i < steps; i++) {
    const from = (i % batches) * batch
    const loss = await model.trainOnBatch(x.rows(from, from + batch), y.rows(from, from + batch))
    losses.push(Array.isArray(loss) ? loss[0]! : loss as number)
  }
  return losses
}

/** Whole epochs: one call of `fit` trains for as many as fit into the time. */
async function train({ model, x, y }: Ready, { workload: { batches }, batch }: Task, seconds: number): Promise<Timing> {
  const epoch = await timeOf(seconds, async (epochs) => { await model.fit(x, y!, { batchSize: batch, epochs, verbose: 0, shuffle: false }) })
  return { seconds: epoch.seconds / batches, count: epoch.count * batches }
}

function predict({ model, x }: Ready, { batch }: Task, seconds: number): Promise<Timing> {
  const data = x.rows(0, batch).data as Float32Array
  const first = model.predictSync(data, { batchSize: batch })
  const into = Array.isArray(first) ? first.map((output) => output.data) : first.data
  return timeOf(seconds, (count) => { for (let i = 0; i < count; i++) model.predictSync(data, { batchSize: batch, into }) })
}

/** Bytes that training takes at its peak in some steps, beside Node and the data. */
async function memory(task: Task): Promise<MemoryAnswer> {
  const { workload, batch } = task, network = readNetwork(folder, workload.model), data = readData(folder, workload, network)
  globalThis.gc?.()
  const before = memoryOf('VmRSS')
  writeFileSync('/proc/self/clear_refs', '5')
  const { model, x, y } = openWith(network, data, workload.model)
  await model.fit(x, y!, { batchSize: batch, epochs: Math.ceil(MEMORY_STEPS / workload.batches), verbose: 0, shuffle: false })
  const bytes = memoryOf('VmHWM') - before
  await model.close()
  return { bytes }
}

const memoryOf = (name: 'VmRSS' | 'VmHWM'): number => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))![1])

async function limits(): Promise<Limits> {
  if (!onGpu) return (await openMachine()).limits(threads)
  const { limits: found, why } = await measureGpu(device === 'played' ? { kind: 'host' } : { kind: 'nvcc', architectures: presentArchitectures() ?? [] })
  if (found === null) throw new Error(why)
  return { ...found, flops: productFlops(found, precisionNamed(process.env['KCC_BENCH_PRECISION'] ?? 'float32')) }
}

/** Steps of an epoch, as the driver of the GPU times them, but for the first, before which JavaScript ended the epoch before. */
async function gaps({ model, x, y }: Ready, { workload: { batches }, batch }: Task): Promise<GapsAnswer> {
  const file = join(folder, `gaps-${process.pid}`)
  process.env['KCC_STEP_TIMES'] = file
  try {
    await model.fit(x, y!, { batchSize: batch, epochs: 2, verbose: 0, shuffle: false })
    const rows = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => line.split(' ').slice(1).map(Number)).slice(batches + 1)
    return { steps: rows.map(([step]) => step!), between: rows.map(([, between]) => between!) }
  } finally {
    delete process.env['KCC_STEP_TIMES']
    rmSync(file, { force: true })
  }
}

async function release(): Promise<null> {
  await Promise.all([...prepared.values()].map(({ model }) => model.close()))
  prepared.clear()
  return null
}

await servePeer((request: Request): unknown => {
  switch (request.command) {
    case 'hello': return { version: 'kcc' }
    // Built with other options it has no packages without dropout.
    case 'check': return variant === '' ? check(request.workload, request.steps, request.samples) : null
    case 'prepare': return prepare(request)
    case 'choose': return wayOf(request)
    case 'run': return request.kind === 'train' ? train(readyFor(request), request, request.seconds) : predict(readyFor(request), request, request.seconds)
    case 'memory': return memory(request)
    case 'release': return release()
    case 'limits': return limits()
    case 'gaps': return gaps(readyFor(request), request)
  }
})
