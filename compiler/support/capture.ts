/** Where in the user's program something is called: the nearest stack frame that is not kcc's or Node's own. */
import { findSourceMap } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceLocation } from '../../runtime/contract/errors.js'

/** `compiler/` and `runtime/` beside it hold kcc itself; examples and tests are users. */
const compilerRoot = dirname(dirname(fileURLToPath(import.meta.url)))
const ownRoots = [compilerRoot + sep, `${dirname(compilerRoot)}${sep}runtime${sep}`]

/** Deep enough for a layer made inside a user's helper functions, whatever kcc has between. */
const DEPTH = 40

function callSites(): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = DEPTH
    Error.prepareStackTrace = (_, sites) => sites
    const { stack } = new Error()
    return Array.isArray(stack) ? (stack as NodeJS.CallSite[]) : []
  } finally {
    Error.prepareStackTrace = prepareStackTrace
    Error.stackTraceLimit = stackTraceLimit
  }
}

const toPath = (name: string): string => (name.startsWith('file://') ? fileURLToPath(name) : name)

const isForeign = (file: string): boolean =>
  file === '' || file.startsWith('node:') || ownRoots.some((root) => file.startsWith(root))

/** The position in the source the file was made from, where a source map says so. */
function mapped(file: string, line: number, column: number): SourceLocation {
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1)
  if (entry && 'originalSource' in entry && typeof entry.originalSource === 'string') {
    return { file: toPath(entry.originalSource), line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }
  return { file, line, column }
}

/**
 * The user's line that led here, or null when there is none (a call from kcc's own command line). Constructors named
 * in `within` are passed over: an object is made where its class is used, not where it calls `super`.
 */
export function captureLocation(within: readonly string[] = []): SourceLocation | null {
  for (const site of callSites()) {
    const file = toPath(site.getFileName() ?? '')
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()]
    if (isForeign(file) || line === null || column === null) continue
    if (site.isConstructor() && within.includes(site.getFunctionName() ?? '')) continue
    return mapped(file, line, column)
  }
  return null
}
