/** A text with small replacements, and which place of the original each of its places stands for. */

/** Characters `start` to `end` of the original, and what stands there instead. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string }

export type Place = { readonly line: number; readonly column: number }

export class EditedText {
  readonly text: string
  private readonly originalLines: readonly number[]

  /** `edits` are in the order of their places and do not overlap; those that only insert may share a place. */
  constructor(readonly original: string, private readonly edits: readonly Edit[]) {
    let at = 0
    const parts = edits.flatMap(({ start, end, text }) => {
      const before = original.slice(at, start)
      at = end
      return [before, text]
    })
    this.text = [...parts, original.slice(at)].join('')
    this.originalLines = lineStarts(original)
  }

  get isChanged(): boolean { return this.edits.length > 0 }

  /** The position in the original; for one inside a replacement, where that begins. */
  toOriginal(position: number): number {
    let shift = 0
    for (const { start, end, text } of this.edits) {
      const from = start + shift
      if (position <= from) break
      if (position < from + text.length) return start
      shift += text.length - (end - start)
    }
    return position - shift
  }

  /** Line and column of a position of the original, from 0. */
  originalPlace(position: number): Place { return placeIn(this.originalLines, position) }
}

/** Where each line begins. */
export const lineStarts = (text: string): number[] => [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]

function placeIn(starts: readonly number[], position: number): Place {
  let low = 0, high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (starts[middle]! <= position) low = middle
    else high = middle - 1
  }
  return { line: low, column: position - starts[low]! }
}
