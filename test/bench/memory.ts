/** The memory that training takes, of each peer and workload in a process of its own. */
import { PeerError, PeerProcess } from './peer-process.js'
import type { PeerSpec } from './peer-process.js'
import type { Skipped } from './peers.js'
import type { MemoryAnswer } from './protocol.js'
import type { Memory } from './results.js'
import { tasksOf } from './workloads.js'
import type { Workload } from './workloads.js'

const SECONDS = 180

/** Peers of which memory is measured; the others would say little about kcc. */
const NAMES: readonly string[] = ['kcc', 'kcc, nothing fused', 'PyTorch']

export async function measureMemory(specs: readonly PeerSpec[], workloads: readonly Workload[], log: (text: string) => void): Promise<{ memory: Memory[]; skipped: Skipped[] }> {
  const memory: Memory[] = [], skipped: Skipped[] = []
  const measured = specs.filter(({ name, threads }) => NAMES.includes(name) && threads > 1)
  for (const workload of workloads.filter((w) => w.memory)) {
    for (const spec of measured) {
      try {
        const bytes = await memoryOf(spec, workload)
        memory.push({ workload: workload.name, peer: spec.name, bytes })
        log(`memory of ${workload.name}, ${spec.name}: ${(bytes / 1e6).toFixed(0)} MB`)
      } catch (error) {
        if (!(error instanceof PeerError)) throw error
        skipped.push({ name: spec.name, reason: `memory of ${workload.name}: ${error.message}` })
      }
    }
  }
  return { memory, skipped }
}

async function memoryOf(spec: PeerSpec, workload: Workload): Promise<number> {
  const peer = new PeerProcess(spec), task = tasksOf(workload).find(({ kind }) => kind === 'train')!
  try {
    return (await peer.ask<MemoryAnswer>({ command: 'memory', ...task }, SECONDS)).bytes
  } finally {
    peer.close()
  }
}
