/**
 * Source maps of edited texts. A map is a list of lines of segments; the third and fourth number of a segment are line
 * and column of the source, each number the difference to the one before, in base 64 with a continuation bit.
 * Source: https://tc39.es/ecma426/
 */
import { lineStarts, type EditedText } from './edited-text.js'

type SourceMap = { readonly version: number; readonly sources: readonly string[]; readonly names: readonly string[]; readonly mappings: string }

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The numbers of a segment, the sign in the lowest bit of each. */
export function decodeSegment(text: string): number[] {
  const numbers: number[] = []
  let value = 0, shift = 0
  for (const letter of text) {
    const digit = digits.indexOf(letter)
    value |= (digit & 31) << shift
    shift += 5
    if (digit & 32) continue
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1)
    value = shift = 0
  }
  return numbers
}

export const encodeSegment = (numbers: readonly number[]): string => numbers.map(encodeNumber).join('')

function encodeNumber(number: number): string {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1, text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += digits[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}

/** The map of an edited text, as JSON, made one to its original. */
export function mapToOriginal(json: string, edited: EditedText): string {
  const map = JSON.parse(json) as SourceMap
  const starts = lineStarts(edited.text)
  let line = 0, column = 0, writtenLine = 0, writtenColumn = 0
  const moved = (segment: string): string => {
    const [generated = 0, source, lines = 0, columns = 0, ...rest] = decodeSegment(segment)
    if (source === undefined) return segment
    line += lines
    column += columns
    const place = edited.originalPlace(edited.toOriginal(starts[line]! + column))
    const text = encodeSegment([generated, source, place.line - writtenLine, place.column - writtenColumn, ...rest])
    writtenLine = place.line
    writtenColumn = place.column
    return text
  }
  const mappings = map.mappings.split(';').map((row) => row.split(',').map(moved).join(',')).join(';')
  return JSON.stringify({ ...map, mappings, sourcesContent: [edited.original] })
}
