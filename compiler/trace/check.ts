/**
 * The type check of a user's file and of the local files it imports. A file that passed is remembered by the content of
 * all of them, so that TypeScript is loaded only after a change.
 */
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import type { Diagnostic as TsDiagnostic, DiagnosticMessageChain, Project } from 'ts-morph'
import type { SourceLocation } from '../../runtime/contract/errors.js'
import type { Diagnostic } from '../support/diagnostics.js'
import { readText, writeFileAtomic } from '../support/files.js'
import type { FileStamp } from '../support/fingerprint.js'
import { kccFingerprint, stampHolds, stampOf } from '../support/fingerprint.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder } from '../support/paths.js'
import { compilerOptions, configFile } from './compiler-options.js'
import { transpile } from './transpile.js'

export type TypeCheck = {
  readonly diagnostics: readonly Diagnostic[]
  /** The entry and all local files it imports, absolute. */
  readonly files: readonly string[]
}

type Remembered = { readonly kcc: string; readonly files: readonly string[]; readonly stamp: FileStamp }

/** Checks `entry` (absolute). Passing files are also transpiled for the loader, since TypeScript is at hand. */
export async function checkTypes(entry: string): Promise<TypeCheck> {
  const passed = passedBefore(entry)
  if (passed !== null) return { diagnostics: [], files: passed }
  const { Project: ProjectClass, ts } = await import('ts-morph')
  const project = new ProjectClass({ compilerOptions: compilerOptions(ts, entry), skipAddingFilesFromTsConfig: true })
  project.addSourceFileAtPath(entry)
  project.resolveSourceFileDependencies()
  const files = localFiles(project)
  const diagnostics = project.getPreEmitDiagnostics().map(toDiagnostic)
  if (diagnostics.length === 0) {
    for (const file of files) if (/\.m?ts$/.test(file)) transpile(ts, file, readFileSync(file, 'utf8'))
    remember(entry, files)
  }
  return { diagnostics, files }
}

/** Files of the user, without declarations and dependencies. */
function localFiles(project: Project): string[] {
  return project.getSourceFiles()
    .filter((file) => !file.isDeclarationFile() && !file.isInNodeModules())
    .map((file) => path.resolve(file.getFilePath()))
    .sort()
}

const stampFile = (entry: string): string => path.join(cacheFolder(), 'checked', `${hashParts([entry])}.json`)

/** Files of the last check when nothing has changed since it passed, or null. */
function passedBefore(entry: string): readonly string[] | null {
  const text = readText(stampFile(entry))
  if (text === null) return null
  const last = JSON.parse(text) as Remembered
  return stampHolds(last.stamp) && last.kcc === kccFingerprint() ? last.files : null
}

function remember(entry: string, files: readonly string[]): void {
  const config = configFile(entry)
  const stamp = stampOf(config === null ? files : [...files, config])
  const record: Remembered = { kcc: kccFingerprint(), files, stamp }
  try {
    writeFileAtomic(stampFile(entry), JSON.stringify(record), 0o600)
  } catch {
    // A read-only cache costs a check each time.
  }
}

function toDiagnostic(diagnostic: TsDiagnostic): Diagnostic {
  const lines = messageLines(diagnostic.getMessageText())
  const [message = '', ...details] = lines
  const wanted = expectation(lines)
  return {
    severity: 'error',
    message: `${message} [TS${diagnostic.getCode()}]`,
    location: locationOf(diagnostic),
    length: diagnostic.getLength() ?? 1,
    notes: [...(details.length > 0 ? [details.join('\n')] : []), ...(wanted === null ? [] : [wanted])],
  }
}

function locationOf(diagnostic: TsDiagnostic): SourceLocation | null {
  const file = diagnostic.getSourceFile(), start = diagnostic.getStart()
  if (file === undefined || start === undefined) return null
  const { line, column } = file.getLineAndColumnAtPos(start)
  return { file: path.resolve(file.getFilePath()), line, column }
}

/** The chain of causes as lines, each indented below its effect. */
function messageLines(message: string | DiagnosticMessageChain, depth = 0): string[] {
  if (typeof message === 'string') return [message]
  const own = '  '.repeat(Math.max(0, depth - 1)) + message.getMessageText()
  return [own, ...(message.getNext() ?? []).flatMap((next) => messageLines(next, depth + 1))]
}

/** "expected …, found …" from the innermost sentence that says so. */
function expectation(lines: readonly string[]): string | null {
  const sentence = /[Tt]ype '(.+)' is not assignable to (?:parameter of )?type '(.+)'/
  const match = lines.map((line) => sentence.exec(line)).filter((m) => m !== null).at(-1)
  return match ? `expected: ${match[2]}\nfound:    ${match[1]}` : null
}
