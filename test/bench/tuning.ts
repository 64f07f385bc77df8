/** `kcc tune` on the packages of a GPU, as somebody who ships them there would: its vendor's library computes what it is faster at. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { librariesText, type TunedGpu } from '../../runtime/index.js'
import type { Places, Skipped } from './peers.js'
import type { Tuning } from './results.js'
import { tasksOf } from './workloads.js'
import type { Workload } from './workloads.js'

/** A package that cannot be measured keeps kcc's own kernels. */
export async function tunePackages({ root, data }: Places, workloads: readonly Workload[], log: (text: string) => void): Promise<{ tuned: Tuning[]; skipped: Skipped[] }> {
  const tuned: Tuning[] = [], skipped: Skipped[] = []
  for (const model of new Set(workloads.map((workload) => workload.model))) {
    const sizes = new Set(workloads.filter((workload) => workload.model === model).flatMap(tasksOf).map(({ batch }) => batch))
    log(`kcc tune ${model}`)
    try {
      const arguments_ = ['tune', join(data, 'packages', model), '--device', 'cuda:0', '--batch-size', [...sizes].join(), '--json']
      const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'build', 'compiler', 'cli', 'main.js'), ...arguments_], { cwd: root, maxBuffer: 1 << 28 })
      tuned.push(tuningOf(model, JSON.parse(stdout) as TunedGpu))
    } catch (error) {
      skipped.push({ name: 'kcc', reason: `kcc tune ${model}: ${String(error).slice(0, 300)}` })
    }
  }
  return { tuned, skipped }
}

export const tuningOf = (model: string, tuned: TunedGpu): Tuning =>
  ({ model, libraries: librariesText(tuned), products: tuned.products.length, byLibrary: tuned.products.filter(({ by }) => by !== 'own').length })
