/** `kcc build model.ts`: one package for each model that the file exports. */
import * as path from 'node:path'
import type { BuiltPackage } from '../../build/build-stamp.js'
import { builtBefore, rememberBuild } from '../../build/build-stamp.js'
import type { WrittenPackage } from '../../build/package-writer.js'
import { PRODUCTS } from '../../support/kernel-units.js'
import { paintFor } from '../../support/colour.js'
import { hashParts } from '../../support/hash.js'
import { displayPath } from '../../support/paths.js'
import { userFile } from '../../trace/load.js'
import type { CompileFlags } from '../compile-options.js'
import { compileOptionsOf } from '../compile-options.js'
import type { ExitCode } from '../exit-codes.js'
import { exitCodes, UsageError } from '../exit-codes.js'
import { formatBytes, formatSeconds, printResult } from '../report.js'

export type BuildOptions = CompileFlags & {
  readonly out?: string
  readonly check: boolean
  readonly json: boolean
  readonly force: boolean
  readonly stopAfter?: string
}

type Built = {
  readonly name: string
  readonly folder: string
  /** False when the package was there already. */
  readonly written: boolean
  /** Sources that were compiled. */
  readonly compiled: number
  readonly seconds: number
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
}

export async function build(file: string, options: BuildOptions): Promise<ExitCode> {
  const started = performance.now()
  const entry = userFile(file)
  if (options.stopAfter !== undefined) return stopAfter(entry, options, options.stopAfter)
  const key = hashParts([options.out === undefined ? process.cwd() : path.resolve(options.out), JSON.stringify(compileOptionsOf(options))])
  const before = options.force ? null : builtBefore(entry, key)
  const packages = before === null ? await buildAll(entry, key, options) : before.map(unchangedPackage)
  const seconds = (performance.now() - started) / 1000
  printResult({ text: formatBuilt(packages, seconds), json: { upToDate: before !== null, seconds, packages } }, options.json)
  return exitCodes.ok
}

const unchangedPackage = ({ name, folder, files }: BuiltPackage): Built =>
  ({ name, folder, written: false, compiled: 0, seconds: 0, files: files.map(({ file, bytes }) => ({ path: file, bytes })) })

async function buildAll(entry: string, key: string, options: BuildOptions): Promise<readonly Built[]> {
  process.once('SIGINT', () => process.exit(exitCodes.interrupted))
  const { levels } = compileOptionsOf(options)
  const { warmUp } = await import('../../build/native.js')
  warmUp([PRODUCTS], levels)
  const { loadModels } = await import('../load-models.js')
  const { models, files } = await loadModels(entry, { check: options.check })
  if (options.out !== undefined && models.length > 1) {
    throw new UsageError(`${displayPath(entry)} exports ${models.length} models (${models.map((m) => m.exportName).join(', ')}), so --out must not be given.`)
  }
  const built: Built[] = []
  for (const { name, model } of models) built.push(await buildOne(name, model, options))
  rememberBuild(entry, key, files, built)
  return built
}

async function buildOne(name: string, model: import('../load-models.js').LoadedModel, options: BuildOptions): Promise<Built> {
  const started = performance.now()
  const compile = compileOptionsOf(options)
  const [{ emitModel }, { buildNative }, { writePackage }, { bundleRuntime }] = await Promise.all(
    [import('../emit-model.js'), import('../../build/native.js'), import('../../build/package-writer.js'), import('../../build/bundle-runtime.js')])
  const { emitted, manifest, weights } = await emitModel(name, model, compile)
  // The runtime is bundled into the cache while the compiler works in other processes.
  const [native] = await Promise.all([buildNative(emitted, { levels: compile.levels, device: compile.device, force: options.force }), bundleRuntime()])
  const folder = options.out === undefined ? path.resolve('dist', name) : path.resolve(options.out)
  const written: WrittenPackage = await writePackage({ name, folder, manifest, sources: [...emitted.files, ...emitted.device], native: native.file, weights })
  return { name, folder, written: written.written, compiled: native.compiled, seconds: (performance.now() - started) / 1000, files: written.files }
}

async function stopAfter(entry: string, options: BuildOptions, stage: string): Promise<ExitCode> {
  const [{ loadModels }, { stageText }] = await Promise.all([import('../load-models.js'), import('../emit-model.js')])
  const { models } = await loadModels(entry, { check: options.check })
  for (const { model, name } of models) process.stdout.write(await stageText(name, model, compileOptionsOf(options), stage))
  return exitCodes.ok
}

/** One line for each artefact, then the total. */
function formatBuilt(packages: readonly Built[], seconds: number): string {
  const paint = paintFor(process.stdout)
  const lines = packages.flatMap((built) => [
    `${displayPath(built.folder)}/`,
    ...artefacts(built).map(({ path: file, bytes }) => `  ${file.padEnd(24)}${paint('dim', formatBytes(bytes).padStart(10))}`),
  ])
  const compiled = packages.reduce((sum, built) => sum + built.compiled, 0)
  const what = packages.every((built) => !built.written) ? 'unchanged' : `built, ${compiled} ${compiled === 1 ? 'file' : 'files'} compiled`
  return `${lines.join('\n')}\n${paint('green', '✓')} ${what} in ${formatSeconds(seconds)}\n`
}

/** Files, with folders as one line each. */
function artefacts(built: Built): { path: string; bytes: number }[] {
  const sums = new Map<string, number>()
  for (const { path: file, bytes } of built.files) {
    const name = file.includes('/') ? `${file.slice(0, file.indexOf('/'))}/` : file
    sums.set(name, (sums.get(name) ?? 0) + bytes)
  }
  return [...sums].map(([name, bytes]) => ({ path: name, bytes }))
}
