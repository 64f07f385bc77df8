/** ONNX Runtime from Node, inference only, on the models and inputs that `onnx_peer.py` wrote beside the data. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readNetwork } from '../data.js'
import { servePeer, timeOf } from '../protocol.js'
import type { Request, Timing } from '../protocol.js'
import { taskName } from '../workloads.js'
import type { Task } from '../workloads.js'

type Tensor = { readonly data: Float32Array }
type Session = { run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> }
type Runtime = {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
  readonly InferenceSession: { create(file: string, options: { intraOpNumThreads: number; interOpNumThreads: number }): Promise<Session> }
}

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '1')
const require = createRequire(join(process.env['KCC_BENCH_NODE_PEER'] ?? '.', 'peer.js'))
const runtime = require('onnxruntime-node') as Runtime
const { version } = require('onnxruntime-node/package.json') as { version: string }

const prepared = new Map<string, { readonly session: Session; readonly x: Tensor }>()

async function prepare(task: Task): Promise<{ ways: string[]; failures: string[] }> {
  const { workload, batch } = task, file = join(folder, `${workload.model}-${batch}.onnx`)
  const session = await runtime.InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 })
  const bytes = readFileSync(`${file}.x.f32`), shape = readNetwork(folder, workload.model).inputShape
  const dims = shape.length === 3 ? [shape[2]!, shape[0]!, shape[1]!] : shape.length === 2 ? [shape[1]!, shape[0]!] : shape
  prepared.set(taskName(task), { session, x: new runtime.Tensor('float32', new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)), [batch, ...dims]) })
  return { ways: ['session.run'], failures: [] }
}

function run(task: Task, seconds: number): Promise<Timing> {
  const ready = prepared.get(taskName(task))
  if (ready === undefined) throw new Error(`${taskName(task)} was not prepared`)
  return timeOf(seconds, async (count) => { for (let i = 0; i < count; i++) await ready.session.run({ x: ready.x }) })
}

await servePeer((request: Request): unknown => {
  switch (request.command) {
    case 'hello': return { version: `ONNX Runtime ${version} (Node)` }
    case 'prepare': return prepare(request)
    case 'choose': return 'session.run'
    case 'run': return run(request, request.seconds)
    case 'release': prepared.clear(); return null
    case 'check': return null
    default: throw new Error(`${request.command} is not asked of this peer`)
  }
})
