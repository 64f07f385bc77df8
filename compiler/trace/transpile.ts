/**
 * TypeScript to JavaScript, one file at a time, with an inline source map. Results are kept in the cache by content, so
 * that an unchanged script starts without loading TypeScript; the loader thread and the type check share them.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { writeFileAtomic } from '../support/files.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder, kccVersion } from '../support/paths.js'

type TranspileOptions = { target: number; module: number; inlineSourceMap: boolean; inlineSources: boolean }

/** The part of TypeScript that is needed, by shape: the `typescript` package and the copy inside ts-morph both fit. */
export type Transpiler = {
  readonly ScriptTarget: { readonly ES2022: number }
  readonly ModuleKind: { readonly ESNext: number }
  transpileModule(text: string, options: { fileName: string; compilerOptions: TranspileOptions }): { outputText: string }
}

/** Raise when the options below change. */
const FORMAT = 1

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

/** Transpiles and remembers. A cache that cannot be written costs only time. */
export function transpile(typescript: Transpiler, file: string, text: string): string {
  const { outputText } = typescript.transpileModule(text, {
    fileName: file,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.ESNext,
      inlineSourceMap: true,
      inlineSources: true,
    },
  })
  try {
    fs.mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
    writeFileAtomic(cacheFile(file, text), outputText, 0o600)
  } catch {
    // A read-only cache, as in a container.
  }
  return outputText
}
