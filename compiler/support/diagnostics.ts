/**
 * Messages with code frames, in esbuild's form:
 *
 *     ✘ [ERROR] Dense expects a positive number of units, found -1
 *
 *         model.ts:12:5:
 *           12 │   Dense(-1),
 *              ╵   ^
 */
import type { SourceLocation } from '../../runtime/contract/errors.js'
import { KccError, ToolchainError } from '../../runtime/contract/errors.js'
import type { Paint } from './colour.js'
import { plain } from './colour.js'
import { readText } from './files.js'
import { displayPath } from './paths.js'

export type Diagnostic = {
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly location: SourceLocation | null
  /** Characters to underline, from the location on; 1 draws a caret. */
  readonly length: number
  /** Further lines below the frame: what was expected, what to do next. */
  readonly notes: readonly string[]
}

export type FormatOptions = {
  readonly paint?: Paint
  /** Text of a file, for frames of sources that are not on disk. Null: no frame. */
  readonly read?: (file: string) => string | null
  readonly cwd?: string
}

/** The source line under a location, with a gutter and an underline; empty when the source cannot be read. */
export function codeFrame(location: SourceLocation, length: number, options: FormatOptions = {}): string {
  const paint = options.paint ?? plain
  const line = (options.read ?? readText)(location.file)?.split(/\r?\n/)[location.line - 1]
  if (line === undefined) return ''
  const before = expandTabs(line.slice(0, location.column - 1))
  const marked = expandTabs(line.slice(location.column - 1, location.column - 1 + length)) || ' '
  const number = String(location.line)
  const mark = marked.length > 1 ? '~'.repeat(marked.length) : '^'
  return `      ${paint('dim', `${number} │`)} ${expandTabs(line)}\n` +
    `      ${paint('dim', `${' '.repeat(number.length)} ╵`)} ${' '.repeat(before.length)}${paint('green', mark)}\n`
}

/** Tabs are two columns, so that the underline stays below its text. */
const expandTabs = (text: string): string => text.replaceAll('\t', '  ')

/** One message: headline, place, frame, notes; ends with an empty line. */
export function formatDiagnostic(diagnostic: Diagnostic, options: FormatOptions = {}): string {
  const paint = options.paint ?? plain
  const mark = diagnostic.severity === 'error' ? paint('red', '✘ [ERROR]') : paint('yellow', '▲ [WARNING]')
  const { location } = diagnostic
  const place = location === null ? '' :
    `\n    ${displayPath(location.file, options.cwd)}:${location.line}:${location.column}:\n` +
    codeFrame(location, diagnostic.length, options)
  const notes = diagnostic.notes.map((note) => `\n${indent(note, '  ')}\n`).join('')
  return `${mark} ${paint('bold', diagnostic.message)}\n${place}${notes}\n`
}

const indent = (text: string, by: string): string => text.split('\n').map((line) => (line === '' ? line : by + line)).join('\n')

/** All messages and a last line that counts them: "2 errors and 1 warning". */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], options: FormatOptions = {}): string {
  const count = (severity: Diagnostic['severity']): string[] => {
    const found = diagnostics.filter((d) => d.severity === severity).length
    return found === 0 ? [] : [`${found} ${severity}${found === 1 ? '' : 's'}`]
  }
  const total = [...count('error'), ...count('warning')].join(' and ')
  return diagnostics.map((d) => formatDiagnostic(d, options)).join('') + (total === '' ? '' : `${total}\n`)
}

/** Several messages thrown as one error: the type errors of a user's file. */
export class DiagnosticsError extends KccError {
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => d.message).join('\n'), diagnostics[0]?.location ?? null)
  }
}

/** What to show for anything that was thrown. Errors that kcc raised on purpose come without a stack. */
export function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof DiagnosticsError) return error.diagnostics
  const one = (message: string, location: SourceLocation | null, notes: readonly string[]): Diagnostic[] =>
    [{ severity: 'error', message, location, length: 1, notes }]
  if (isKccError(error)) {
    const log = (error as Partial<ToolchainError>).log
    const notes = [error.hint, log?.trimEnd()].filter((note): note is string => typeof note === 'string' && note !== '')
    return one(`${error.name === 'KccError' ? '' : `${error.name}: `}${error.message}`, error.location, notes)
  }
  if (error instanceof Error) return one(`${error.name}: ${error.message}`, null, error.stack ? [stackLines(error.stack)] : [])
  return one(String(error), null, [])
}

/** By shape, because the user's script may hold a second copy of the contract's classes. */
export function isKccError(error: unknown): error is KccError {
  return error instanceof Error && 'location' in error
}

const stackLines = (stack: string): string => stack.split('\n').filter((line) => line.startsWith('    at ')).join('\n')
