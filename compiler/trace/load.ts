/** Runs a user's TypeScript in this process. */
import { existsSync } from 'node:fs'
import { register } from 'node:module'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ValueError } from '../../runtime/contract/errors.js'
import { DiagnosticsError } from '../support/diagnostics.js'
import { displayPath, inPackage } from '../support/paths.js'
import { checkTypes } from './check.js'

const registered = Symbol.for('kcc.loader')

/** Installs the module hooks, once per process even when kcc's code is there twice. */
export function registerLoader(): void {
  const slot = globalThis as { [registered]?: true }
  if (slot[registered]) return
  slot[registered] = true
  // Positions in stacks are those of the user's TypeScript.
  process.setSourceMapsEnabled(true)
  register(pathToFileURL(inPackage('build', 'compiler', 'trace', 'hooks.js')))
}

/** @throws ValueError when there is no such file. */
export function userFile(file: string): string {
  const absolute = path.resolve(file)
  if (!existsSync(absolute)) throw new ValueError(`There is no file ${displayPath(absolute)}`)
  return absolute
}

export type UserModule = {
  readonly exports: Readonly<Record<string, unknown>>
  /** The file and all local files it imports; just the file itself when the check was skipped. */
  readonly files: readonly string[]
}

/**
 * Checks and imports a file.
 * @throws DiagnosticsError with a code frame for each type error; whatever the file itself throws.
 */
export async function importUserModule(file: string, options: { readonly check: boolean }): Promise<UserModule> {
  const entry = userFile(file)
  const files = options.check ? await checkedFiles(entry) : [entry]
  registerLoader()
  const exports = await import(pathToFileURL(entry).href) as Record<string, unknown>
  return { exports, files }
}

async function checkedFiles(entry: string): Promise<readonly string[]> {
  const { diagnostics, files } = await checkTypes(entry)
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics)
  return files
}
