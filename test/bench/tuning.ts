/** `kcc tune` on the packages of a GPU, as somebody who ships them there would: its vendor's library computes what it is faster at. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { librariesText, type TunedGpu } from '../../runtime/index.js'
import { UNFUSED } from './packages.js'
import type { Places, Skipped } from './peers.js'
import type { Tuning } from './results.js'
import { CHECKED_SAMPLES, tasksOf } from './workloads.js'
import type { Workload } from './workloads.js'

/** Sizes of the batches that each package gets, where it is measured and where what it computes is compared with its peers'. */
export function batchesOfPackages(workloads: readonly Workload[], withUnfused: boolean): ReadonlyMap<string, ReadonlySet<number>> {
  const found = new Map<string, Set<number>>()
  const add = (name: string, batches: readonly number[]): void => { found.set(name, new Set([...found.get(name) ?? [], ...batches])) }
  for (const workload of workloads) {
    const { model, plainModel, unfused, trainBatch } = workload, measured = tasksOf(workload).map(({ batch }) => batch)
    add(model, measured)
    add(plainModel, [...(trainBatch === null ? [] : [trainBatch]), CHECKED_SAMPLES])
    if (withUnfused && unfused) add(`${model}${UNFUSED}`, measured)
  }
  return found
}

/** A package that cannot be measured keeps kcc's own kernels. */
export async function tunePackages({ root, data }: Places, workloads: readonly Workload[], withUnfused: boolean, log: (text: string) => void): Promise<{ tuned: Tuning[]; skipped: Skipped[] }> {
  const tuned: Tuning[] = [], skipped: Skipped[] = []
  for (const [name, batches] of batchesOfPackages(workloads, withUnfused)) {
    log(`kcc tune ${name}`)
    try {
      const arguments_ = ['tune', join(data, 'packages', name), '--device', 'cuda:0', '--batch-size', [...batches].join(), '--json']
      const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'build', 'compiler', 'cli', 'main.js'), ...arguments_], { cwd: root, maxBuffer: 1 << 28 })
      tuned.push(tuningOf(name, JSON.parse(stdout) as TunedGpu))
    } catch (error) {
      skipped.push({ name: 'kcc', reason: `kcc tune ${name}: ${String(error).slice(0, 300)}` })
    }
  }
  return { tuned, skipped }
}

export const tuningOf = (name: string, tuned: TunedGpu): Tuning =>
  ({ name, libraries: librariesText(tuned), products: tuned.products.length, byLibrary: tuned.products.filter(({ by }) => by !== 'own').length })
