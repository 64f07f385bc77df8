/** Errors on stderr, results on stdout. */
import { CommanderError } from 'commander'
import { paintFor } from '../support/colour.js'
import { diagnosticsOf, formatDiagnostic, formatDiagnostics } from '../support/diagnostics.js'
import type { ExitCode } from './exit-codes.js'
import { exitCodeOf, UsageError } from './exit-codes.js'

/** Shows an error in the form its kind deserves, and returns the exit code. */
export function reportError(error: unknown): ExitCode {
  const paint = paintFor(process.stderr)
  if (error instanceof UsageError) {
    process.stderr.write(formatDiagnostic({ severity: 'error', message: error.message, location: null, length: 1, notes: ['See `kcc --help`.'] }, { paint }))
  } else if (!(error instanceof CommanderError)) {
    process.stderr.write(formatDiagnostics(diagnosticsOf(error), { paint }))
  }
  return exitCodeOf(error)
}

/** A result: text, or with `--json` one JSON document. */
export function printResult(value: { readonly text: string; readonly json: unknown }, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(value.json, null, 2)}\n` : value.text)
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'] as const
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

export function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`
}
