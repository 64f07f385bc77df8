/** kcc through its public API: packages made by `kcc build`, `fit` for training, `predictSync` for samples. */
import { join } from 'node:path'
import type { CompiledModel } from 'kcc/runtime'
import { loadPackage, NDArray } from 'kcc/runtime'
import { openMachine } from '../../../compiler/cli/bench/machine.js'
import { readData, readNetwork } from '../data.js'
import { servePeer, timeOf } from '../protocol.js'
import type { CheckAnswer, Request, Timing } from '../protocol.js'
import { taskName } from '../workloads.js'
import type { Task, Workload } from '../workloads.js'

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '0')
/** Ending of the folders of the packages: those built with other options have one. */
const variant = process.env['KCC_BENCH_VARIANT'] ?? ''

type Ready = { readonly model: CompiledModel; readonly x: NDArray; readonly y: NDArray | null }
const prepared = new Map<string, Ready>()

function open(workload: Workload, name: string): Ready {
  const network = readNetwork(folder, name), { weights, x, y } = readData(folder, workload, network)
  const model = loadPackage(join(folder, 'packages', `${name}${variant}`), { threads, seed: 1 })
  model.setWeights(weights)
  const samples = (data: Float32Array, shape: readonly number[]): NDArray => new NDArray(data, [data.length / shape.reduce((a, b) => a * b, 1), ...shape])
  return { model, x: samples(x, network.inputShape), y: y.length === 0 ? null : samples(y, network.outputShape) }
}

const readyFor = (task: Task): Ready => {
  const ready = prepared.get(taskName(task))
  if (ready === undefined) throw new Error(`${taskName(task)} was not prepared`)
  return ready
}

const wayOf = ({ kind }: Task): string => (kind === 'train' ? 'fit' : 'predictSync')

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
  return timeOf(seconds, (count) => { for (let i = 0; i < count; i++) model.predictSync(data, { batchSize: batch }) })
}

async function release(): Promise<null> {
  await Promise.all([...prepared.values()].map(({ model }) => model.close()))
  prepared.clear()
  return null
}

await servePeer((request: Request): unknown => {
  switch (request.command) {
    case 'hello': return { version: 'kcc' }
    case 'check': return check(request.workload, request.steps, request.samples)
    case 'prepare': return prepare(request)
    case 'choose': return wayOf(request)
    case 'run': return request.kind === 'train' ? train(readyFor(request), request, request.seconds) : predict(readyFor(request), request, request.seconds)
    case 'release': return release()
    case 'limits': return openMachine().then((machine) => machine.limits(threads))
  }
})
