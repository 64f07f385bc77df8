/** Positions of edited texts, and source maps that lead back to the original. */
import { SourceMap } from 'node:module'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { EditedText } from '../../compiler/trace/edited-text.js'
import { decodeSegment, encodeSegment, mapToOriginal } from '../../compiler/trace/source-map.js'

describe('an edited text', () => {
  const edited = new EditedText('let a = b - c\nlet d', [
    { start: 8, end: 8, text: ' sub(' }, { start: 10, end: 11, text: ',' }, { start: 13, end: 13, text: ')' }, { start: 19, end: 19, text: '\nend' },
  ])

  test('has its replacements, also several at one place', () => {
    expect(edited.text).toBe('let a =  sub(b , c)\nlet d\nend')
    expect(new EditedText('x', [{ start: 0, end: 0, text: 'f(' }, { start: 0, end: 0, text: 'g(' }, { start: 1, end: 1, text: '))' }]).text).toBe('f(g(x))')
  })

  test('knows where each place comes from: an insertion from where it stands', () => {
    const from = (part: string): number => edited.toOriginal(edited.text.indexOf(part))
    expect(['sub', 'b ', ', c', ' c', ')', 'let d', '\nend'].map(from)).toEqual([8, 8, 10, 11, 13, 14, 19])
    expect([0, 9, 14, 19].map((at) => edited.originalPlace(at))).toEqual([{ line: 0, column: 0 }, { line: 0, column: 9 }, { line: 1, column: 0 }, { line: 1, column: 5 }])
  })

  test('has a source map to its original', () => {
    const made = ts.transpileModule(edited.text, { compilerOptions: { sourceMap: true, target: ts.ScriptTarget.ES2022 } })
    const map = new SourceMap(JSON.parse(mapToOriginal(made.sourceMapText!, edited)) as ConstructorParameters<typeof SourceMap>[0])
    const original = (part: string): unknown => {
      const lines = made.outputText.split('\n'), line = lines.findIndex((l) => l.includes(part))
      const entry = map.findEntry(line, lines[line]!.indexOf(part)) as { originalLine: number; originalColumn: number }
      return [entry.originalLine, entry.originalColumn]
    }
    expect(['a =', 'sub', 'b,', 'c)', 'd;'].map(original)).toEqual([[0, 4], [0, 8], [0, 8], [0, 12], [1, 4]])
  })
})

test.each([[[0]], [[1, -1, 15, 16]], [[-16, 31, 32, 1023]], [[-1024, 100000, 2 ** 29, -(2 ** 29)]]])('segment %j is written and read', (numbers) => {
  expect(decodeSegment(encodeSegment(numbers))).toEqual(numbers)
})
