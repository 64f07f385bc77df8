/** The vectors written by Keras: `golden` in the folder KCC_SHARED, or in `shared` beside the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadNpz } from '../../compiler/files/npz.js'
import type { FileArray } from '../../compiler/files/file-array.js'
import { packageRoot } from '../../compiler/support/paths.js'

export const goldenFolder = join(process.env['KCC_SHARED'] ?? resolve(packageRoot, '../shared'), 'golden')
export const hasGolden = existsSync(goldenFolder)
export const absence = `${goldenFolder} does not exist (set KCC_SHARED to the folder that holds golden)`

export const vectorPath = (...parts: string[]): string => join(goldenFolder, ...parts)
export const hasVector = (...parts: string[]): boolean => existsSync(vectorPath(...parts))
export const readVector = (...parts: string[]): string => readFileSync(vectorPath(...parts), 'utf8')
export const jsonVector = <T>(...parts: string[]): T => JSON.parse(readVector(...parts)) as T
export const arraysOf = (...parts: string[]): Promise<Record<string, FileArray>> => loadNpz(vectorPath(...parts))

/** Names of the folders that hold a case each. */
export const caseFolders = (folder: string): string[] =>
  readdirSync(vectorPath(folder), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort()

/** Numbers of a nested list; `"NaN"`, `"Infinity"` and `"-Infinity"` stand for those numbers. */
export const flatNumbers = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flatNumbers) : [Number(x)])
export const nestedShape = (x: unknown): number[] => (Array.isArray(x) ? [x.length, ...nestedShape(x[0])] : [])
