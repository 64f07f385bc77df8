/** JSON as Python's `json` module writes and reads it. */
import { FileFormatError } from '../../runtime/contract/errors.js'

/** Like `json.dumps`: a space after `,` and `:`, everything outside ASCII escaped, NaN and infinities as bare words. */
export function pythonJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return textOf(value)
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  const entries = Object.entries(value as Record<string, unknown>).filter(([, v]) => v !== undefined)
  return `{${entries.map(([key, v]) => `${textOf(key)}: ${pythonJson(v)}`).join(', ')}}`
}

const numberText = (value: number): string => (Number.isFinite(value) ? JSON.stringify(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity')

const textOf = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Reads what Python writes, including NaN and infinities. @throws FileFormatError */
export function parsePythonJson(text: string, what: string): unknown {
  try {
    return JSON.parse(bareWordsQuoted(text), (_, value: unknown) => (typeof value === 'string' && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value))
  } catch (error) {
    throw new FileFormatError(`${what}: damaged JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

const MARK = '\u0000number:'

/** Strings are matched first, so that a word inside one stays. */
const bareWordsQuoted = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token)))
