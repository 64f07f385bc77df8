import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
/** The vectors written by Keras: `KCC_SHARED`, or the folder `shared` beside the repository. */
export const shared = process.env['KCC_SHARED'] ?? resolve(here, '../../../shared')
export const golden = join(shared, 'golden')
export const hasGolden = existsSync(golden)
if (!hasGolden) console.log(`skipped: tests against files of Keras, because ${golden} does not exist (set KCC_SHARED)`)

/** All files below `folder` whose name ends in `ending`. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith(ending)).sort().map((f) => join(folder, f))
}

/** Runs `use` with an empty folder that is removed afterwards. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-test-'))
  try { return await use(folder) } finally { rmSync(folder, { recursive: true, force: true }) }
}
