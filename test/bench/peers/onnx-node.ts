/** ONNX Runtime from Node, inference only, on the models that `onnx_peer.py` wrote beside the data. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readData } from '../data.js'
import { servePeer, timeOf } from '../protocol.js'
import type { Request, Timing } from '../protocol.js'
import type { Workload } from '../workloads.js'

type Tensor = { readonly data: Float32Array }
type Session = { run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> }
type Runtime = {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
  readonly InferenceSession: { create(file: string, options: { intraOpNumThreads: number; interOpNumThreads: number }): Promise<Session> }
}

const folder = process.env['KCC_BENCH_DATA'] ?? '.', threads = Number(process.env['KCC_BENCH_THREADS'] ?? '1')
const require = createRequire(join(process.env['KCC_BENCH_NODE_PEERS'] ?? '.', 'node_modules', 'peers.js'))
const runtime = require('onnxruntime-node') as Runtime
const { version } = require('onnxruntime-node/package.json') as { version: string }

const prepared = new Map<string, { readonly session: Session; readonly x: Tensor }>()

async function prepare(workload: Workload): Promise<{ ways: string[]; failures: string[] }> {
  const session = await runtime.InferenceSession.create(join(folder, `${workload.name}.onnx`), { intraOpNumThreads: threads, interOpNumThreads: 1 })
  const width = workload.sizes[0]!
  prepared.set(workload.name, { session, x: new runtime.Tensor('float32', readData(folder, workload).x.slice(0, width), [1, width]) })
  return { ways: ['session.run'], failures: [] }
}

function run(workload: Workload, seconds: number): Promise<Timing> {
  const ready = prepared.get(workload.name)
  if (ready === undefined) throw new Error(`${workload.name} was not prepared`)
  return timeOf(seconds, async (count) => { for (let i = 0; i < count; i++) await ready.session.run({ x: ready.x }) })
}

await servePeer((request: Request): unknown => {
  switch (request.command) {
    case 'hello': return { version: `ONNX Runtime ${version} (Node)` }
    case 'prepare': return prepare(request.workload)
    case 'choose': return 'session.run'
    case 'run': return run(request.workload, request.seconds)
    case 'check': return null
    case 'limits': throw new Error('limits are measured by kcc')
  }
})
