/**
 * Golden cases, one file each: what goes in and what comes out, parted by a line `---`. `#` starts a comment of the
 * first part. `UPDATE=1` rewrites the second parts, for review in the diff.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const withoutTrailing = (text: string): string => `${text.trimEnd()}\n`

/** A test for every `.kir` file of the folder; `run` makes the second part from the first. */
export function goldenFiles(folder: string, run: (before: string) => string): void {
  const files = readdirSync(folder).filter((file) => file.endsWith('.kir')).sort()
  test('has cases', () => expect(files.length).toBeGreaterThan(0))
  test.each(files)('%s', (file) => {
    const path = join(folder, file)
    const [before, expected] = readFileSync(path, 'utf8').split('\n---\n') as [string, string?]
    const after = run(before)
    if (process.env['UPDATE']) writeFileSync(path, `${withoutTrailing(before)}---\n${after}`)
    else expect(after).toBe(expected)
  })
}
