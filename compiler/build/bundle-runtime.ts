/**
 * The runtime as one CommonJS file, which `require` loads on every supported Node and `import` can wrap. A package then
 * has one copy of the runtime, however it is loaded, and no dependencies.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { ts } from 'ts-morph'
import { readText, writeFileAtomic } from '../support/files.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder, inPackage } from '../support/paths.js'

const FORMAT = 1

type Module = { readonly id: string; readonly text: string }

/** The text of `runtime.cjs`. Made once per version of the runtime, then read from the cache. */
export async function bundleRuntime(folder: string = inPackage('build', 'runtime')): Promise<string> {
  const modules = reachable(folder, 'index.js')
  const key = hashParts([String(FORMAT), ...modules.flatMap(({ id, text }) => [id, text])])
  const file = path.join(cacheFolder(), 'runtimes', `${key}.cjs`)
  const cached = readText(file)
  if (cached !== null) return cached
  const bundle = await link(modules)
  try {
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
    writeFileAtomic(file, bundle, 0o600)
  } catch {
    // A read-only cache costs only time.
  }
  return bundle
}

/** All modules that `entry` imports by relative path, sorted by name. */
function reachable(folder: string, entry: string): readonly Module[] {
  const found = new Map<string, Module>()
  const visit = (id: string): void => {
    if (found.has(id)) return
    const text = readFileSync(path.join(folder, id), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/gm, '')
    found.set(id, { id, text })
    for (const [, specifier] of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g)) visit(resolveId(id, specifier!))
  }
  visit(entry)
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

const resolveId = (from: string, specifier: string): string => path.posix.join(path.posix.dirname(from), specifier)

async function link(modules: readonly Module[]): Promise<string> {
  // Where models were checked, this very TypeScript is loaded already.
  const { ts } = await import('ts-morph')
  const bodies: string[] = []
  for (const module of modules) {
    bodies.push(`${JSON.stringify(`./${module.id}`)}(module, exports, require) {\n${toCommonJs(ts, module).trim()}\n}`)
    // Compilers that end meanwhile are followed by the next ones.
    await setImmediate()
  }
  return `'use strict'
// The kcc runtime: loads a compiled model and carries out fit, evaluate and predict.
const sources = {
${bodies.join(',\n')},
}
const loaded = new Map()
const load = (id) => {
  if (!(id in sources)) return require(id)
  const known = loaded.get(id)
  if (known !== undefined) return known.exports
  const module = { exports: {} }
  loaded.set(id, module)
  sources[id](module, module.exports, load)
  return module.exports
}
module.exports = load('./index.js')
`
}

function toCommonJs(compiler: typeof ts, { id, text }: Module): string {
  const { outputText } = compiler.transpileModule(text, {
    fileName: id,
    compilerOptions: { target: compiler.ScriptTarget.ES2022, module: compiler.ModuleKind.CommonJS, esModuleInterop: true },
  })
  return outputText
    .replace(/\brequire\("(\.[^"]+)"\)/g, (_all, specifier: string) => `require(${JSON.stringify(`./${resolveId(id, specifier)}`)})`)
    .replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename).href")
}
