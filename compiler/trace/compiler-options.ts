/** How a user's files are type-checked: the strictness of their own tsconfig.json, the module rules of `kcc run`. */
import { existsSync } from 'node:fs'
import * as path from 'node:path'
import type { ts } from 'ts-morph'
import { inPackage } from '../support/paths.js'

/** The nearest file of this name above a folder, or null. */
export function findAbove(folder: string, name: string): string | null {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, name))) return path.join(at, name)
    if (path.dirname(at) === at) return null
  }
}

export const configFile = (entry: string): string | null => findAbove(path.dirname(entry), 'tsconfig.json')

/** Strictness and language options of a tsconfig; how and where it would emit does not concern us. */
function userOptions(typescript: typeof ts, config: string | null): ts.CompilerOptions {
  if (config === null) return { strict: true }
  const json = typescript.readConfigFile(config, typescript.sys.readFile).config as unknown
  const host = { ...typescript.sys, readDirectory: () => [] }
  return typescript.parseJsonConfigFileContent(json, host, path.dirname(config)).options
}

/** Node's types, from the user's project or else from kcc's own dependencies. */
function nodeTypes(entry: string): { typeRoots: string[]; types: string[] } {
  const found = findAbove(path.dirname(entry), 'node_modules/@types/node') ?? findAbove(inPackage(), 'node_modules/@types/node')
  return found === null ? { typeRoots: [], types: [] } : { typeRoots: [path.dirname(found)], types: ['node'] }
}

/** @param withNode whether Node's types are known */
export function compilerOptions(typescript: typeof ts, entry: string, withNode: boolean): ts.CompilerOptions {
  const user = userOptions(typescript, configFile(entry))
  return {
    ...user,
    ...(withNode ? nodeTypes(entry) : { typeRoots: [], types: [] }),
    target: typescript.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: typescript.ModuleKind.ESNext,
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noEmit: true,
    paths: { ...user.paths, kcc: [inPackage('build', 'compiler', 'index.d.ts')], 'kcc/runtime': [inPackage('build', 'runtime', 'index.d.ts')] },
    // Emission is not ours to do, and these contradict `noEmit` or need other settings.
    composite: undefined, incremental: undefined, declaration: undefined, declarationMap: undefined, sourceMap: undefined,
    outDir: undefined, rootDir: undefined, tsBuildInfoFile: undefined, configFilePath: undefined, customConditions: undefined,
    noUnusedLocals: undefined, noUnusedParameters: undefined,
  }
}
