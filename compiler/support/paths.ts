/** Where the parts of the kcc package are, whether kcc runs from `build/` or, in tests, from its TypeScript sources. */
import { existsSync, readFileSync } from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { setting } from './env.js'

/** The nearest folder above `from` that holds a package.json named kcc. */
function findRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'kcc') return folder
    if (path.dirname(folder) === folder) throw new Error(`kcc's package.json was not found above ${from}`)
  }
}

/** Root of the kcc package. */
export const packageRoot: string = findRoot(path.dirname(fileURLToPath(import.meta.url)))

/** A path inside the kcc package. */
export const inPackage = (...parts: string[]): string => path.join(packageRoot, ...parts)

/** Version of kcc, as in its package.json. */
export const kccVersion: string = (JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string }).version

/**
 * The folder of the cache: `KCC_CACHE_DIR`, else `node_modules/.cache/kcc` of the nearest project above the working
 * folder that has a `node_modules`, else `~/.cache/kcc`.
 */
export function cacheFolder(cwd: string = process.cwd()): string {
  const chosen = setting('KCC_CACHE_DIR')
  if (chosen !== undefined) return path.resolve(chosen)
  for (let folder = cwd; path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'node_modules'))) return path.join(folder, 'node_modules', '.cache', 'kcc')
  }
  return path.join(os.homedir(), '.cache', 'kcc')
}

/** A path as a person would type it: relative when that is inside the working folder. */
export function displayPath(file: string, cwd: string = process.cwd()): string {
  const relative = path.relative(cwd, file)
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative
}
