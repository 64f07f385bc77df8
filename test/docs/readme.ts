/** The README's examples and tables, as data for the tests of its truth. */
import { read } from '../architecture/files.js'

export const readme = read('README.md')

export type Example = {
  /** A line of the README, counting from 1. */
  readonly line: number
  readonly text: string
  /** A model file whose package the example imports: its first line says `// package: <file>`. */
  readonly packageOf: string | null
}

/** The fenced blocks of a language. */
export function examples(language: string): Example[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => ({
    line: readme.slice(0, match.index).split('\n').length + 1,
    text: match[1]!,
    packageOf: /^\/\/ package: (.*)$/m.exec(match[1]!)?.[1] ?? null,
  }))
}

/** Rows of the table whose head begins with these cells, each as its cells. */
export function table(...head: readonly string[]): string[][] {
  const lines = readme.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${head.join(' | ')} |`))
  if (start < 0) throw new Error(`README.md has no table with the columns ${head.join(', ')}`)
  const rows = lines.slice(start + 2)
  return rows.slice(0, rows.findIndex((line) => !line.startsWith('|'))).map((line) => line.slice(2, -2).split(' | '))
}

/** Texts in backticks. */
export const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!)
