/** kcc through its public API: packages made by `kcc build`, `fit` for training, `predictSync` for single samples. */
import { join } from 'node:path'
import type { CompiledModel } from 'kcc/runtime'
import { loadPackage, NDArray } from 'kcc/runtime'
import { openMachine } from '../../../compiler/cli/bench/machine.js'
import type { WorkloadData } from '../data.js'
import { readData } from '../data.js'
import { servePeer, timeOf } from '../protocol.js'
import type { Request, Timing } from '../protocol.js'
import type { TaskKind, Workload } from '../workloads.js'

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '0')

type Ready = { readonly model: CompiledModel; readonly data: WorkloadData; readonly x: NDArray; readonly y: NDArray }
const prepared = new Map<string, Ready>()

function open(workload: Workload, name: string): Ready {
  const model = loadPackage(join(folder, 'packages', name), { threads, seed: 1 })
  const data = readData(folder, workload), samples = workload.batches * workload.batchSize
  model.setWeights(data.weights)
  return { model, data, x: new NDArray(data.x, [samples, workload.sizes[0]!]), y: new NDArray(data.y, [samples, workload.sizes.at(-1)!]) }
}

function prepare(kind: TaskKind, workload: Workload): { ways: string[]; failures: string[] } {
  prepared.set(`${kind}:${workload.name}`, open(workload, workload.model))
  return { ways: [kind === 'train' ? 'fit' : 'predictSync'], failures: [] }
}

async function check(workload: Workload, steps: number): Promise<number[]> {
  const { model, data } = open(workload, workload.plainModel)
  const [inputs, outputs, size] = [workload.sizes[0]!, workload.sizes.at(-1)!, workload.batchSize]
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const part = (a: Float32Array, width: number): NDArray => new NDArray(a.slice(i * size * width, (i + 1) * size * width), [size, width])
    const loss = await model.trainOnBatch(part(data.x, inputs), part(data.y, outputs))
    losses.push(Array.isArray(loss) ? loss[0]! : loss as number)
  }
  await model.close()
  return losses
}

/** Whole epochs: one call of `fit` trains for as many as fit into the time. */
async function train({ model, x, y }: Ready, { batchSize, batches }: Workload, seconds: number): Promise<Timing> {
  const epoch = await timeOf(seconds, async (epochs) => { await model.fit(x, y, { batchSize, epochs, verbose: 0, shuffle: false }) })
  return { seconds: epoch.seconds / batches, count: epoch.count * batches }
}

function predict({ model, data }: Ready, { sizes }: Workload, seconds: number): Promise<Timing> {
  const sample = data.x.slice(0, sizes[0]!)
  return timeOf(seconds, (count) => { for (let i = 0; i < count; i++) model.predictSync(sample) })
}

function run(kind: TaskKind, workload: Workload, seconds: number): Promise<Timing> {
  const ready = prepared.get(`${kind}:${workload.name}`)
  if (ready === undefined) throw new Error(`${kind} of ${workload.name} was not prepared`)
  return kind === 'train' ? train(ready, workload, seconds) : predict(ready, workload, seconds)
}

await servePeer(async (request: Request): Promise<unknown> => {
  switch (request.command) {
    case 'hello': return { version: 'kcc' }
    case 'check': return check(request.workload, request.steps)
    case 'prepare': return prepare(request.kind, request.workload)
    case 'choose': return request.kind === 'train' ? 'fit' : 'predictSync'
    case 'run': return run(request.kind, request.workload, request.seconds)
    case 'limits': return (await openMachine()).limits(threads)
  }
})
