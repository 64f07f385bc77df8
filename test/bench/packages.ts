/** Packages as a user gets them, by `kcc build` on the models' sources, and how long that takes. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Places } from './peers.js'
import type { Build } from './results.js'
import type { Workload } from './workloads.js'

/** Ending of the folders of packages with one kernel for each op. */
export const UNFUSED = '-unfused'

async function kccBuild(root: string, model: string, out: string, options: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const kcc = join(root, 'build', 'compiler', 'cli', 'main.js')
  await promisify(execFile)(process.execPath, [kcc, 'build', join(root, 'test', 'bench', 'models', `${model}.ts`), '--out', out, ...options], { cwd: root, env: { ...process.env, ...env } })
}

export const deviceFlags = ({ device, precision }: Pick<Places, 'device' | 'precision'>): string[] => ({
  cpu: [], cuda: ['--target', 'cuda', '--precision', precision], played: ['--target', 'cuda', '--sm', 'host', '--precision', precision],
})[device]

/** @param withUnfused whether kcc without fusion is measured, too */
export async function buildPackages(places: Places, workloads: readonly Workload[], withUnfused: boolean, log: (text: string) => void): Promise<void> {
  const { root, data } = places, folder = (name: string): string => join(data, 'packages', name)
  for (const name of new Set(workloads.flatMap(({ model, plainModel }) => [model, plainModel]))) {
    log(`kcc build ${name}`)
    await kccBuild(root, name, folder(name), deviceFlags(places))
  }
  for (const model of new Set(workloads.filter(({ unfused }) => withUnfused && unfused).map((w) => w.model))) {
    log(`kcc build ${model} --no-fuse`)
    await kccBuild(root, model, folder(`${model}${UNFUSED}`), ['--no-fuse', ...deviceFlags(places)])
  }
}

/** Each of them with an empty cache, and the same command again three times, of which the median counts. */
export async function timeBuilds({ root, data }: Places, models: readonly string[], log: (text: string) => void): Promise<Build[]> {
  const builds: Build[] = []
  for (const model of models) {
    const cache = mkdtempSync(join(tmpdir(), 'kcc-bench-cache-'))
    const seconds = async (): Promise<number> => {
      const started = performance.now()
      await kccBuild(root, model, join(data, 'timed', model), [], { KCC_CACHE_DIR: cache })
      return (performance.now() - started) / 1000
    }
    const cold = await seconds(), again = [await seconds(), await seconds(), await seconds()].sort((a, b) => a - b)
    rmSync(cache, { recursive: true, force: true })
    builds.push({ model, cold, unchanged: again[1]! })
    log(`kcc build ${model}: ${cold.toFixed(1)} s with an empty cache, ${again[1]!.toFixed(2)} s unchanged`)
  }
  return builds
}
