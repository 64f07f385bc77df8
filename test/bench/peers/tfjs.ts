/** TensorFlow.js from Node: its native backend where that can be installed, else WebAssembly with SIMD, which has no gradients of convolutions. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readData, readNetwork } from '../data.js'
import type { Network } from '../network.js'
import { servePeer, timeOf } from '../protocol.js'
import type { CheckAnswer, Request, Timing } from '../protocol.js'
import { taskName } from '../workloads.js'
import type { Task, Workload } from '../workloads.js'
import type { Backend, Tensor, TensorFlow, TensorFlowModel } from './tfjs-types.js'

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '1')
const require = createRequire(join(process.env['KCC_BENCH_NODE_PEER'] ?? '.', 'peer.js'))

/** @throws Error when neither backend works */
async function open(): Promise<{ tf: TensorFlow; backend: Backend }> {
  try {
    return { tf: require('@tensorflow/tfjs-node') as TensorFlow, backend: 'native' }
  } catch {
    const tf = require('@tensorflow/tfjs') as TensorFlow, wasm = require('@tensorflow/tfjs-backend-wasm') as { setThreadsCount(count: number): void }
    wasm.setThreadsCount(threads)
    if (!await tf.setBackend('wasm')) throw new Error('the WebAssembly backend does not start')
    return { tf, backend: 'WebAssembly' }
  }
}

const { tf, backend } = await open()

/** The one layer of the networks that TensorFlow.js has not. */
class Subtract extends tf.layers.Layer {
  static readonly className = 'Subtract'
  computeOutputShape([shape]: readonly unknown[]): unknown { return shape }
  call([a, b]: readonly Tensor[]): Tensor { return tf.sub(a!, b!) }
}
tf.serialization.registerClass(Subtract)

type Config = { readonly class_name: string; readonly config: Readonly<Record<string, number | boolean>> }

function optimizerOf(network: Network): unknown {
  const { class_name: name, config } = network.training!.optimizer as Config
  const number = (option: string): number => Number(config[option])
  switch (name) {
    case 'SGD': return number('momentum') === 0 ? tf.train.sgd(number('learning_rate')) : tf.train.momentum(number('learning_rate'), number('momentum'), config['nesterov'] === true)
    // Here epsilon is under the root.
    case 'RMSprop': return tf.train.rmsprop(number('learning_rate'), number('rho'), 0, number('epsilon') ** 2)
    case 'Adam': return tf.train.adam(number('learning_rate'), number('beta_1'), number('beta_2'), number('epsilon'))
    case 'Adadelta': return tf.train.adadelta(number('learning_rate'), number('rho'), number('epsilon'))
    default: throw new Error(`no optimizer ${name}`)
  }
}

const lossNames: Readonly<Record<string, string>> = { categorical_crossentropy: 'categoricalCrossentropy', binary_crossentropy: 'binaryCrossentropy', mse: 'meanSquaredError' }

/** Every batch is a tensor of its own: some are enough to go over again and again. */
const MOST_BATCHES = 20

type Ready = { readonly model: TensorFlowModel; readonly batches: readonly { readonly x: Tensor; readonly y: Tensor | null }[] }

async function make(workload: Workload, name: string, batch: number): Promise<Ready> {
  const network = readNetwork(folder, name), { weights, x, y } = readData(folder, workload, network)
  const model = await tf.models.modelFromJSON({ modelTopology: network.keras })
  const shapes = network.layers.flatMap((layer) => layer.weights.map(({ shape }) => shape))
  model.setWeights(network.packageOrder.map((i) => tf.tensor(weights[i]!, shapes[i]!)))
  if (network.training !== null) model.compile({ loss: lossNames[network.training.loss]!, optimizer: optimizerOf(network) })
  const part = (data: Float32Array, shape: readonly number[], at: number): Tensor => {
    const width = shape.reduce((a, b) => a * b, 1)
    return tf.tensor(data.subarray(at * batch * width, (at + 1) * batch * width), [batch, ...shape])
  }
  // A prediction is always of the first samples.
  const count = batch === workload.trainBatch ? Math.min(workload.batches, MOST_BATCHES) : 1
  const batches = Array.from({ length: count }, (_, i) => ({ x: part(x, network.inputShape, i), y: y.length === 0 ? null : part(y, network.outputShape, i) }))
  return { model, batches }
}

const prepared = new Map<string, { readonly ready: Ready; next: number }>()

async function step(entry: { readonly ready: Ready; next: number }, { kind }: Task): Promise<void> {
  const { model, batches } = entry.ready, { x, y } = batches[entry.next]!
  entry.next = (entry.next + 1) % batches.length
  if (kind === 'train') {
    await model.trainOnBatch(x, y!)
    return
  }
  const outputs = model.predictOnBatch(x)
  await outputs.data()
  outputs.dispose()
}

async function prepare(task: Task): Promise<{ ways: string[]; failures: string[] }> {
  const entry = { ready: await make(task.workload, task.workload.model, task.batch), next: 0 }
  await step(entry, task)
  prepared.set(taskName(task), entry)
  return { ways: [backend], failures: [] }
}

async function run(task: Task, seconds: number): Promise<Timing> {
  const entry = prepared.get(taskName(task))
  if (entry === undefined) throw new Error(`${taskName(task)} was not prepared`)
  return timeOf(seconds, async (count) => { for (let i = 0; i < count; i++) await step(entry, task) })
}

async function check(workload: Workload, steps: number, samples: number): Promise<CheckAnswer> {
  const { model, batches: [first] } = await make(workload, workload.plainModel, samples)
  const outputs = [...await model.predictOnBatch(first!.x).data()]
  if (workload.trainBatch === null) return { losses: null, outputs }
  const { model: trained, batches } = await make(workload, workload.plainModel, workload.trainBatch), losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const { x, y } = batches[i % batches.length]!
    losses.push(await trained.trainOnBatch(x, y!))
  }
  return { losses, outputs }
}

function release(): null {
  prepared.clear()
  tf.disposeVariables()
  return null
}

await servePeer((request: Request): unknown => {
  switch (request.command) {
    case 'hello': return { version: `TensorFlow.js ${tf.version.tfjs} (${backend})` }
    case 'prepare': return prepare(request)
    case 'choose': return backend
    case 'run': return run(request, request.seconds)
    case 'release': return release()
    case 'check': return check(request.workload, request.steps, request.samples)
    default: throw new Error(`${request.command} is not asked of this peer`)
  }
})
