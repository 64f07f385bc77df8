/**
 * A CMake project for the units that are not cached, built through cmake-js. Its generated package.json declares a
 * Node-API version, which is what makes cmake-js use the headers of node-api-headers instead of downloading Node's.
 * cmake-js runs as a program of its own because as a library it changes the working folder of the whole process.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import * as path from 'node:path'
import { execa } from 'execa'
import Handlebars from 'handlebars'
import { writeFileAtomic } from '../support/files.js'
import { inPackage } from '../support/paths.js'
import type { Toolchain } from './toolchain.js'
import type { Unit } from './units.js'
import { includeFolders, linkFlags } from './units.js'

/** Compilers at work at once; two on one core, too, because they wait for files. */
const JOBS = Math.max(2, availableParallelism())
/** A compiler that runs for longer than this has met something kcc must not emit. */
const TIMEOUT_MS = 15 * 60 * 1000

export type ProjectInput = {
  readonly folder: string
  readonly units: readonly Unit[]
  /** Paths of cached objects to link with. */
  readonly cached: readonly string[]
  /** To link with after all objects, by name or path. */
  readonly libraries: readonly string[]
}

export type ProjectResult = { readonly ok: boolean; readonly output: string; readonly timedOut: boolean }

/** A CMake bracket argument: no character in it has a meaning. */
const quote = (text: string): string => `[==[${text}]==]`

/** Writes sources, CMakeLists.txt and package.json. */
export function writeProject(input: ProjectInput): void {
  mkdirSync(path.join(input.folder, 'src'), { recursive: true })
  for (const unit of input.units) writeFileAtomic(path.join(input.folder, 'src', unit.source.name), unit.source.text)
  writeFileAtomic(path.join(input.folder, 'CMakeLists.txt'), cmakeLists(input))
  writeFileAtomic(path.join(input.folder, 'package.json'), '{"name":"kcc-model","private":true,"binary":{"napi_versions":[8]}}\n')
}

function cmakeLists(input: ProjectInput): string {
  const template = Handlebars.create()
  template.registerHelper('quote', (text: string) => quote(text))
  const all = [...new Set(input.units.map((unit) => unit.group))].map((group) => ({
    id: group.id,
    flags: group.flags,
    nvcc: group.nvcc ?? null,
    sources: input.units.filter((unit) => unit.group === group).map((unit) => unit.source.name),
  }))
  const view = {
    includes: includeFolders(), groups: all.filter((g) => g.nvcc === null), byNvcc: all.filter((g) => g.nvcc !== null), cached: input.cached, linkFlags: linkFlags(), libraries: input.libraries,
  }
  return template.compile(readFileSync(inPackage('templates', 'CMakeLists.txt.hbs'), 'utf8'), { noEscape: true, strict: true })(view)
}

/** One unit without a project around it, because configuring one takes as long as many a unit. @returns the object, null when the compiler failed */
export async function compileUnit(folder: string, { source, group }: Unit, tools: Toolchain): Promise<string | null> {
  const file = path.join(folder, source.name), object = `${file}.o`
  writeFileAtomic(file, source.text)
  const folders = includeFolders().flatMap((include) => ['-I', include])
  const { exitCode } = await execa(tools.cxx, [...group.flags, ...folders, '-c', file, '-o', object], { reject: false, all: true, timeout: TIMEOUT_MS, cwd: folder, stdin: 'ignore' })
  return exitCode === 0 ? object : null
}

/** Configures and builds; `output` is all that the tools printed. */
export async function runProject(folder: string, tools: Toolchain): Promise<ProjectResult> {
  const cli = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js')
  const result = await execa(process.execPath, [
    cli, 'build', '--directory', folder, '--out', path.join(folder, 'out'), '--cmake-path', tools.cmake,
    '--generator', tools.generator, '--cc', tools.cxx, '--cxx', tools.cxx, `--CDCMAKE_MAKE_PROGRAM=${tools.make}`,
    '--parallel', String(JOBS), '--log-level', 'error',
  ], { reject: false, all: true, timeout: TIMEOUT_MS, cwd: folder, stdin: 'ignore' })
  return { ok: result.exitCode === 0, output: result.all ?? result.message ?? '', timedOut: result.timedOut }
}

/** Where the build leaves the linked file. */
export const linkedFile = (folder: string): string => path.join(folder, 'out', 'Release', 'model.node')

/** Where the build leaves the object of a unit. */
export const objectFile = (folder: string, unit: Unit): string => (unit.group.nvcc === undefined ? libraryObject(folder, unit) : path.join(folder, 'out', `${unit.source.name}.o`))

const libraryObject = (folder: string, unit: Unit): string =>
  path.join(folder, 'out', 'CMakeFiles', `${unit.group.id}.dir`, 'src', `${unit.source.name}.o`)
