/** The kernels of a task on a GPU, by `kcc inspect --fusion`: how long each takes, and how near it comes to what bounds it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FusionReport, KernelReport } from '../../compiler/cli/fusion-report.js'
import { deviceFlags } from './packages.js'
import type { Places, Skipped } from './peers.js'
import type { KernelTime, TaskKernels } from './results.js'
import { taskName, tasksOf } from './workloads.js'
import type { Task, Workload } from './workloads.js'

/** A report of a model has many reasons. */
const MOST_BYTES = 1 << 28

export async function measureKernels(places: Places, workloads: readonly Workload[], log: (text: string) => void): Promise<{ kernels: TaskKernels[]; skipped: Skipped[] }> {
  const kernels: TaskKernels[] = [], skipped: Skipped[] = []
  for (const task of workloads.flatMap(tasksOf)) {
    log(`kernels of ${taskName(task)}`)
    try {
      kernels.push({ kind: task.kind, workload: task.workload.name, batch: task.batch, kernels: kernelsOf(await inspect(places, task), task) })
    } catch (error) {
      skipped.push({ name: 'kcc', reason: `kernels of ${taskName(task)}: ${String(error).slice(0, 300)}` })
    }
  }
  return { kernels, skipped }
}

async function inspect(places: Places, { workload: { model }, batch }: Task): Promise<FusionReport> {
  const { root } = places, [kcc, file] = [join(root, 'build', 'compiler', 'cli', 'main.js'), join(root, 'test', 'bench', 'models', `${model}.ts`)]
  const { stdout } = await promisify(execFile)(process.execPath, [kcc, 'inspect', file, '--fusion', '--json', '--batch-size', String(batch), ...deviceFlags(places)], { cwd: root, maxBuffer: MOST_BYTES })
  return JSON.parse(stdout) as FusionReport
}

/** @throws Error where the function was not run: there is no GPU then */
export function kernelsOf(report: FusionReport, { kind }: Pick<Task, 'kind'>): KernelTime[] {
  const found = report.functions.find(({ name }) => name === (kind === 'train' ? 'trainStep' : 'predict'))
  if (found === undefined || found.kernels.some(({ measuredSeconds }) => measuredSeconds === null)) throw new Error(`nothing was run: ${report.machine}`)
  return found.kernels.map((kernel) => timeOf(kernel, report))
}

/** More than all of the memory's speed is what caches gave. */
function timeOf({ name, layer, bound, bytesRead, bytesWritten, flops, expectedSeconds, measuredSeconds, computedBy }: KernelReport, { bytesPerSecond, flopsPerSecond }: FusionReport): KernelTime {
  const seconds = measuredSeconds!
  return { name, layer, bound, seconds, ofBound: expectedSeconds / seconds, ofBandwidth: (bytesRead + bytesWritten) / seconds / bytesPerSecond, ofPeak: flops / seconds / flopsPerSecond, computedBy }
}
