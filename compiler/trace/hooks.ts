/**
 * Module hooks, which Node runs in a thread of their own: TypeScript files are transpiled in place, `./x.js` and `./x`
 * find `x.ts`, and the package `kcc` is always the one that is running, so that the model's classes are ours.
 */
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import type { LoadFnOutput, LoadHookContext, ResolveFnOutput, ResolveHookContext } from 'node:module'
import * as path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inPackage } from '../support/paths.js'
import type { Transpiler } from './transpile.js'
import { transpile, transpiledBefore } from './transpile.js'

type NextResolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput | Promise<ResolveFnOutput>
type NextLoad = (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput | Promise<LoadFnOutput>

const own: Readonly<Record<string, string>> = {
  kcc: inPackage('build', 'compiler', 'index.js'),
  'kcc/runtime': inPackage('build', 'runtime', 'index.js'),
}

export async function resolve(specifier: string, context: ResolveHookContext, next: NextResolve): Promise<ResolveFnOutput> {
  const ours = own[specifier]
  if (ours !== undefined) return { url: pathToFileURL(ours).href, shortCircuit: true }
  const found = typescriptFile(specifier, context.parentURL)
  return found === null ? next(specifier, context) : { url: pathToFileURL(found).href, format: 'module', shortCircuit: true }
}

/** The TypeScript file that a relative import in a user's file means, or null. */
function typescriptFile(specifier: string, parent: string | undefined): string | null {
  if (!/^(\.{1,2}\/|\/|file:)/.test(specifier) || parent?.includes('/node_modules/')) return null
  const url = specifier.startsWith('/') ? pathToFileURL(specifier).href : specifier
  const file = fileURLToPath(new URL(url, parent))
  if (isFile(file)) return /\.m?ts$/.test(file) ? file : null
  const candidates = [file.replace(/\.([mc]?)js$/, '.$1ts'), `${file}.ts`, `${file}.mts`, path.join(file, 'index.ts')]
  return candidates.find(isFile) ?? null
}

function isFile(file: string): boolean {
  try {
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

export async function load(url: string, context: LoadHookContext, next: NextLoad): Promise<LoadFnOutput> {
  if (!/^file:.*\.m?ts$/.test(url)) return next(url, context)
  const file = fileURLToPath(url)
  const text = await fs.promises.readFile(file, 'utf8')
  const source = transpiledBefore(file, text) ?? transpile(typescript(), file, text)
  return { format: 'module', source, shortCircuit: true }
}

/** Loaded only when a file was not transpiled before. */
const typescript = (): Transpiler => createRequire(import.meta.url)('typescript') as Transpiler
