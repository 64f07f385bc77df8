/**
 * The type check of a user's file and of the local files it imports. A file that passed is remembered by the content of
 * all of them, so that TypeScript is loaded only after a change.
 */
import * as path from 'node:path'
import type { Diagnostic as TsDiagnostic, DiagnosticMessageChain, Project, ts } from 'ts-morph'
import type { SourceLocation } from '../../runtime/contract/errors.js'
import type { Diagnostic } from '../support/diagnostics.js'
import { readText, writeFileAtomic } from '../support/files.js'
import type { FileStamp } from '../support/fingerprint.js'
import { kccFingerprint, stampHolds, stampOf } from '../support/fingerprint.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder } from '../support/paths.js'
import { compilerOptions, configFile } from './compiler-options.js'
import type { EditedText } from './edited-text.js'
import { OperatorFile, type Refusal } from './operators.js'
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
  const morph = await import('ts-morph')
  // Reading Node's types takes longer than all else; what fails without them may only lack them.
  const alone = standsAlone(entry) ? checkProject(morph, entry, false) : null
  const enough = alone !== null && alone.diagnostics.length === 0 && alone.files.every(standsAlone)
  const { diagnostics, files, edited } = enough ? alone : checkProject(morph, entry, true)
  if (diagnostics.length === 0) {
    for (const [file, { edited: text }] of edited) transpile(morph.ts, file, text)
    remember(entry, files)
  }
  return { diagnostics, files }
}

const nodeGlobals = /\b(?:console|process|Buffer|set(?:Timeout|Interval|Immediate)|performance|fetch|URL|Text(?:En|De)coder|structuredClone|require|import\.meta)\b/

/** Does a file import nothing but kcc and files beside it, and use nothing that Node adds to the language? */
function standsAlone(file: string): boolean {
  const text = readText(file) ?? ''
  const imports = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]*)['"]/g)].map(([, name]) => name!)
  return !nodeGlobals.test(text) && imports.every((name) => /^(?:\.{1,2}\/|kcc$|kcc\/)/.test(name))
}

type Checked = TypeCheck & { readonly edited: ReadonlyMap<string, OperatorFile> }

function checkProject({ Project: ProjectClass, ts: typescript }: typeof import('ts-morph'), entry: string, withNode: boolean): Checked {
  const project = new ProjectClass({ compilerOptions: compilerOptions(typescript, entry, withNode), skipAddingFilesFromTsConfig: true })
  project.addSourceFileAtPath(entry)
  project.resolveSourceFileDependencies()
  const files = localFiles(project)
  const edited = rewriteOperators(typescript, project, files)
  return { files, edited, diagnostics: diagnosticsOf(project, edited) }
}

/** As many rounds as one variable's type can depend on another's before we believe in an endless loop. */
const MOST_ROUNDS = 50

/** Puts functions in place of operators on tensors, until the types show no more of them. */
function rewriteOperators(typescript: typeof ts, project: Project, files: readonly string[]): ReadonlyMap<string, OperatorFile> {
  const scripts = files.filter((file) => /\.m?ts$/.test(file)).map((file) => project.getSourceFileOrThrow(file))
  const edited = new Map(scripts.map((script) => [path.resolve(script.getFilePath()), new OperatorFile(typescript, script.getFilePath(), script.getFullText())]))
  for (let round = 0, more = true; more && round < MOST_ROUNDS; round++) {
    const checker = project.getTypeChecker().compilerObject
    const changed = [...edited].filter(([file, operators]) => operators.collect(project.getSourceFileOrThrow(file).compilerNode, checker))
    for (const [file, operators] of changed) project.getSourceFileOrThrow(file).replaceWithText(operators.edited.text)
    more = changed.length > 0
  }
  return edited
}

/** `await` and `for await` in a file without imports: it is loaded as a module, whatever TypeScript takes it for. */
const needsModule = new Set([1375, 1431])

/** Type errors, and operators that tensors do not have. What TypeScript says about the latter is not shown. */
function diagnosticsOf(project: Project, edited: ReadonlyMap<string, OperatorFile>): Diagnostic[] {
  const refusals = [...edited.values()].flatMap((operators) => [...operators.refusals.values()].map((refusal) => refusalDiagnostic(refusal, operators.edited)))
  const found = project.getPreEmitDiagnostics().filter((diagnostic) => !needsModule.has(diagnostic.getCode())).map((diagnostic) => {
    const file = diagnostic.getSourceFile()
    return toDiagnostic(diagnostic, file ? edited.get(path.resolve(file.getFilePath())) : undefined)
  })
  return [...refusals, ...found.filter((d) => d !== null)]
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

/** Null for what a refusal says better. */
function toDiagnostic(diagnostic: TsDiagnostic, operators: OperatorFile | undefined): Diagnostic | null {
  const at = positionOf(diagnostic, operators?.edited)
  if (at !== null && operators?.explains(at.start)) return null
  const lines = messageLines(diagnostic.getMessageText())
  const [message = '', ...details] = lines
  const wanted = expectation(lines)
  return {
    severity: 'error',
    message: `${message} [TS${diagnostic.getCode()}]`,
    location: at?.location ?? null,
    length: at?.length ?? 1,
    notes: [...(details.length > 0 ? [details.join('\n')] : []), ...(wanted === null ? [] : [wanted])],
  }
}

function refusalDiagnostic({ file, start, end, message, note }: Refusal, edited: EditedText): Diagnostic {
  return { severity: 'error', message, location: locationIn(file, edited, start), length: end - start, notes: [note] }
}

function locationIn(file: string, edited: EditedText, start: number): SourceLocation {
  const { line, column } = edited.originalPlace(start)
  return { file: path.resolve(file), line: line + 1, column: column + 1 }
}

type Position = { readonly start: number; readonly length: number; readonly location: SourceLocation }

/** Where a message points to in what the user wrote. */
function positionOf(diagnostic: TsDiagnostic, edited: EditedText | undefined): Position | null {
  const file = diagnostic.getSourceFile(), start = diagnostic.getStart(), length = diagnostic.getLength() ?? 1
  if (file === undefined || start === undefined) return null
  if (edited === undefined) return { start, length, location: { file: path.resolve(file.getFilePath()), ...file.getLineAndColumnAtPos(start) } }
  const from = edited.toOriginal(start)
  return { start: from, length: Math.max(1, edited.toOriginal(start + length) - from), location: locationIn(file.getFilePath(), edited, from) }
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
