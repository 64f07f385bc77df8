import { describe, expect, test } from 'vitest'
import { ToolchainError, ValueError } from '../../runtime/contract/errors.js'
import { ansi, paintFor } from '../../compiler/support/colour.js'
import type { Diagnostic } from '../../compiler/support/diagnostics.js'
import { diagnosticsOf, formatDiagnostic, formatDiagnostics } from '../../compiler/support/diagnostics.js'

const source = "import { Dense } from 'kcc'\n\tconst layer = Dense('3')\n"
const options = { cwd: '/project', read: (file: string) => (file === '/project/model.ts' ? source : null) }
const at = (line: number, column: number, length: number, notes: string[] = []): Diagnostic =>
  ({ severity: 'error', message: 'wrong', location: { file: '/project/model.ts', line, column }, length, notes })

describe('a message', () => {
  test('shows the line with its text underlined', () => {
    expect(formatDiagnostic(at(1, 10, 5), options)).toBe(
      "✘ [ERROR] wrong\n\n    model.ts:1:10:\n      1 │ import { Dense } from 'kcc'\n        ╵          ~~~~~\n\n")
  })

  test('marks a single place with a caret, and tabs keep it in its column', () => {
    expect(formatDiagnostic(at(2, 16, 1), options)).toContain("      2 │   const layer = Dense('3')\n        ╵                 ^\n")
  })

  test('has its notes below the frame', () => {
    expect(formatDiagnostic(at(1, 1, 1, ['expected: number\nfound:    string']), options)).toMatch(/\^\n\n {2}expected: number\n {2}found: {4}string\n\n$/)
  })

  test('has no frame when the source is gone or the line is beyond its end', () => {
    expect(formatDiagnostic({ ...at(1, 1, 1), location: { file: '/other.ts', line: 3, column: 4 } }, options)).toBe('✘ [ERROR] wrong\n\n    /other.ts:3:4:\n\n')
    expect(formatDiagnostic(at(99, 1, 1), options)).toBe('✘ [ERROR] wrong\n\n    model.ts:99:1:\n\n')
  })

  test('has colour only for a terminal without NO_COLOR', () => {
    expect(formatDiagnostic(at(1, 1, 1), { ...options, paint: ansi })).toContain('\x1b[31m✘ [ERROR]\x1b[39m')
    expect(paintFor({})('red', 'x')).toBe('x')
    delete process.env['NO_COLOR']
    expect(paintFor({ isTTY: true })('red', 'x')).toBe('\x1b[31mx\x1b[39m')
    process.env['NO_COLOR'] = '1'
    expect(paintFor({ isTTY: true })('red', 'x')).toBe('x')
    delete process.env['NO_COLOR']
  })

  test('is counted with the others', () => {
    expect(formatDiagnostics([at(1, 1, 1)], options)).toMatch(/\n1 error\n$/)
    expect(formatDiagnostics([at(1, 1, 1), at(2, 1, 1), { ...at(1, 1, 1), severity: 'warning' }], options)).toMatch(/\n2 errors and 1 warning\n$/)
  })
})

describe('what is shown of an error', () => {
  test('of kcc: its name, message and place, without a stack', () => {
    const [shown] = diagnosticsOf(new ValueError('units must be positive', { file: 'm.ts', line: 2, column: 3 }))
    expect(shown).toMatchObject({ message: 'ValueError: units must be positive', location: { line: 2 }, notes: [] })
  })

  test("of a tool: the tool's own output as well", () => {
    expect(diagnosticsOf(new ToolchainError('The compiler failed', 'line 1\nline 2\n'))[0]!.notes).toEqual(['line 1\nline 2'])
  })

  test("of the user's program: its stack", () => {
    expect(diagnosticsOf(new RangeError('no'))[0]!.notes[0]).toMatch(/^ {4}at .*diagnostics\.test/)
  })

  test('that is no Error at all', () => {
    expect(diagnosticsOf('text')[0]).toMatchObject({ message: 'text', notes: [] })
  })
})
