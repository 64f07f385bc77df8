/** Runs folders: each is prepared, compiled into one file, and run. */
import { clearSession } from '../../compiler/index.js'
import { missingOf, type Folder, type GoldenCase, type Prepared } from './case.js'
import { Checks } from './checks.js'
import { cpuRoad, NativeBatch, serveAllModels, type Road } from './native-batch.js'

export type Status = 'passed' | 'failed' | 'unsupported'
export type Result = { readonly name: string; readonly status: Status; readonly required: boolean; readonly reasons: readonly string[] }
export type FolderResult = { readonly name: string; readonly results: readonly Result[]; readonly compiled: number; readonly seconds: { readonly prepare: number; readonly build: number; readonly run: number } }

type Ready = { readonly case: GoldenCase; readonly required: boolean; readonly prepared: Prepared }

/** Stacks name the place; the message alone names the case. */
const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)) +
  (process.env['KCC_GOLDEN_STACK'] && error instanceof Error ? `\n${error.stack ?? ''}` : '')

/** @param chosen which of the folder's cases are run, by name and number */
export async function runFolder(folder: Folder, chosen: (name: string, index: number) => boolean = () => true, road: Road = cpuRoad): Promise<FolderResult> {
  serveAllModels()
  const batch = new NativeBatch(folder.name, road)
  const results: Result[] = []
  const ready: Ready[] = []
  const begun = performance.now()
  for (const one of folder.cases().filter((c, i) => chosen(`${folder.name}/${c.name}`, i))) {
    const prepared = await prepareCase(one, batch)
    if ('status' in prepared) results.push(prepared)
    else ready.push(prepared)
  }
  const built = performance.now()
  const failure = await batch.build().then(() => null, reasonOf)
  const running = performance.now()
  for (const one of ready) results.push(await runCase(one, failure, road.unit))
  const seconds = { prepare: (built - begun) / 1000, build: (running - built) / 1000, run: (performance.now() - running) / 1000 }
  return { name: folder.name, results, compiled: batch.size, seconds }
}

async function prepareCase(one: GoldenCase, batch: NativeBatch): Promise<Ready | Result> {
  const required = await one.required()
  clearSession()
  try {
    return { case: one, required, prepared: await one.prepare(batch) }
  } catch (error) {
    const missing = missingOf(error)
    const reasons = [missing === null ? reasonOf(error) : required ? `must be supported: ${missing}` : missing]
    return { name: one.name, status: missing !== null && !required ? 'unsupported' : 'failed', required, reasons }
  }
}

/** @param failure why nothing could be built, or null */
async function runCase({ case: one, required, prepared }: Ready, failure: string | null, unit?: number): Promise<Result> {
  const check = new Checks(unit)
  clearSession()
  if (failure !== null) check.that(failure, false)
  else await Promise.resolve(prepared(check)).catch((error: unknown) => check.that(reasonOf(error), false))
  if (check.count === 0) check.that('nothing was compared', false)
  return { name: one.name, status: check.failures.length === 0 ? 'passed' : 'failed', required, reasons: check.failures }
}
