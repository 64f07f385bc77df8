/**
 * TypeScript to JavaScript, one file at a time, with an inline source map. Results are kept in the cache by content, so
 * that an unchanged script starts without loading TypeScript; the loader thread and the type check share them.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { writeFileAtomic } from '../support/files.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder, kccVersion } from '../support/paths.js'
import type { EditedText } from './edited-text.js'
import { mapToOriginal } from './source-map.js'

type TranspileOptions = { target: number; module: number; sourceMap: boolean; inlineSources: boolean }

/** The part of TypeScript that is needed, by shape: the `typescript` package and the copy inside ts-morph both fit. */
export type Transpiler = {
  readonly ScriptTarget: { readonly ES2022: number }
  readonly ModuleKind: { readonly ESNext: number }
  transpileModule(text: string, options: { fileName: string; compilerOptions: TranspileOptions }): { outputText: string; sourceMapText?: string }
}

/** Raise when the options below change. */
const FORMAT = 2

const cacheFile = (file: string, text: string): string =>
  path.join(cacheFolder(), 'scripts', `${hashParts([kccVersion, String(FORMAT), file, text])}.mjs`)

/** The JavaScript of a file that was transpiled before, or null. */
export function transpiledBefore(file: string, text: string): string | null {
  try {
    return fs.readFileSync(cacheFile(file, text), 'utf8')
  } catch {
    return null
  }
}

/** Transpiles and remembers; of an edited text, under its original. A cache that cannot be written costs only time. */
export function transpile(typescript: Transpiler, file: string, source: string | EditedText): string {
  const edited = typeof source === 'string' ? null : source
  const { outputText, sourceMapText = '{}' } = typescript.transpileModule(edited?.text ?? (source as string), {
    fileName: file,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.ESNext,
      sourceMap: true,
      inlineSources: true,
    },
  })
  const text = withMap(outputText, edited?.isChanged ? mapToOriginal(sourceMapText, edited) : sourceMapText)
  try {
    fs.mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
    writeFileAtomic(cacheFile(file, edited?.original ?? (source as string)), text, 0o600)
  } catch {
    // A read-only cache, as in a container.
  }
  return text
}

/** JavaScript with its map inside, in place of the name of a file that would hold it. */
function withMap(text: string, map: string): string {
  const code = text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '')
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
}
