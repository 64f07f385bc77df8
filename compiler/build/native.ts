/** From emitted sources to one native file that Node can load. */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { ToolchainError } from '../../runtime/contract/errors.js'
import type { Emitted, SourceFile } from '../emit/sources.js'
import { enabled } from '../support/env.js'
import { hashParts } from '../support/hash.js'
import { BuildCache } from './cache.js'
import { compileUnit, linkedFile, objectFile, runProject, writeProject } from './cmake-project.js'
import type { ProjectResult } from './cmake-project.js'
import type { Level } from './levels.js'
import { defaultLevels } from './levels.js'
import type { Toolchain } from './toolchain.js'
import { compilerIdentity, findToolchain } from './toolchain.js'
import type { Unit } from './units.js'
import type { DeviceBuild } from './cuda.js'
import { findCudaTools } from './cuda.js'
import type { DeviceUnits } from './units.js'
import { linkFlags, linkLibraries, sharedUnits, unitsOf } from './units.js'

export type NativeBuildOptions = {
  /** Default: `defaultLevels`. */
  readonly levels?: readonly Level[]
  readonly cache?: BuildCache
  /** Compile everything again. */
  readonly force?: boolean
  /** Compiler flags after kcc's own, for generated sources: tests of much code trade its speed for that of the build. */
  readonly flags?: readonly string[]
  /** How the sources for GPUs are built; they are left out without it. */
  readonly device?: DeviceBuild | null
}

export type NativeBuild = {
  /** Path of the native file, inside the cache. It is never changed: another build has another path. */
  readonly file: string
  readonly key: string
  /** Units compiled now; 0 when all came from the cache. */
  readonly compiled: number
  readonly units: number
  /** Whether a compiler or linker was started. */
  readonly cached: boolean
  readonly seconds: number
}

/**
 * Builds the native file, or finds it in the cache.
 * @throws ToolchainError when a tool is missing or the compiler fails; the sources are kept and named.
 */
export async function buildNative(emitted: Emitted, options: NativeBuildOptions = {}): Promise<NativeBuild> {
  const started = performance.now()
  const cache = options.cache ?? new BuildCache()
  const tools = findToolchain()
  const device = deviceOf(options.device)
  const units = unitsOf(emitted, options.levels ?? defaultLevels(), compilerIdentity(tools.cxx), options.flags, device)
  const libraries = linkLibraries(device)
  const key = hashParts([...units.map((unit) => unit.key), ...linkFlags(), ...libraries])
  const result = (file: string, compiled: number, cached: boolean): NativeBuild =>
    ({ file, key, compiled, units: units.length, cached, seconds: (performance.now() - started) / 1000 })
  const found = options.force === true ? null : cache.get('native', key)
  if (found !== null) return result(found, 0, true)
  const missing = await compileAndLink({ units, libraries, key, cache, tools, force: options.force === true })
  return result(missing.file, missing.compiled, false)
}

/** Compilations of the addon that this process has started, by key. */
const warming = new Map<string, Promise<void>>()

/**
 * Compiles in the background what every model has, the addon and `sources`, as far as the cache lacks it, while the model
 * is being checked and traced. A failure is left to `buildNative`, which meets it again and reports it.
 */
export function warmUp(sources: readonly SourceFile[], levels: readonly Level[] = defaultLevels(), cache: BuildCache = new BuildCache()): void {
  try {
    const tools = findToolchain()
    for (const unit of sharedUnits(sources, levels, compilerIdentity(tools.cxx))) {
      if (warming.has(unit.key) || cache.get('object', unit.key) !== null) continue
      warming.set(unit.key, compileAlone(unit, cache, tools).catch(() => undefined))
    }
  } catch {
    // No tools: `buildNative` says which, if it comes to that.
  }
}

async function compileAlone(unit: Unit, cache: BuildCache, tools: Toolchain): Promise<void> {
  const folder = cache.workFolder()
  try {
    const object = await compileUnit(folder, unit, tools)
    if (object !== null) cache.put('object', unit.key, object)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const deviceOf = (build: DeviceBuild | null = null): DeviceUnits | null =>
  (build === null ? null : { build, tools: build.kind === 'nvcc' ? findCudaTools() : null })

type Linking = { readonly units: readonly Unit[]; readonly libraries: readonly string[]; readonly key: string; readonly cache: BuildCache; readonly tools: Toolchain; readonly force: boolean }

async function compileAndLink({ units, libraries, key, cache, tools, force }: Linking): Promise<{ file: string; compiled: number }> {
  await Promise.all(units.map((unit) => warming.get(unit.key)))
  const objects = new Map(units.map((unit) => [unit, force ? null : cache.get('object', unit.key)]))
  const missing = units.filter((unit) => objects.get(unit) === null)
  const folder = cache.workFolder()
  writeProject({ folder, units: missing, cached: [...objects.values()].filter((file) => file !== null), libraries })
  const result = await runProject(folder, tools)
  for (const unit of missing) {
    const object = objectFile(folder, unit)
    if (fs.existsSync(object)) cache.put('object', unit.key, object)
  }
  if (!result.ok) throw failure(result, folder, missing, tools)
  const file = cache.put('native', key, linkedFile(folder))
  if (enabled('KCC_KEEP')) process.stderr.write(`kcc: build folder kept: ${folder}\n`)
  else fs.rmSync(folder, { recursive: true, force: true })
  return { file, compiled: missing.length }
}

/** The command, the first error, the kept source, and what to do next. */
function failure(result: ProjectResult, folder: string, missing: readonly Unit[], tools: Toolchain): ToolchainError {
  const lines = result.output.split('\n')
  const first = lines.find((line) => /\b(?:fatal )?error:|nvcc fatal|undefined reference|CMake Error|Killed/.test(line))?.trim()
  const unit = missing.find((u) => first?.includes(`src/${u.source.name}`) ?? false)
  const source = path.join(folder, 'src', unit?.source.name ?? '')
  const message = [
    result.timedOut ? 'The C++ compiler did not end in time.' : 'The C++ compiler failed.',
    ...(first === undefined ? [] : [`  first error:  ${first}`]),
    ...(unit === undefined ? [] : [`  command:      ${unit.group.nvcc ?? tools.cxx} ${unit.group.flags.join(' ')} -c ${source}`]),
    `  source kept:  ${source}`,
    `  next step:    ${nextStep(first, unit)}`,
  ]
  return new ToolchainError(message.join('\n'), result.output)
}

function nextStep(first: string | undefined, unit: Unit | undefined): string {
  if (first?.includes('Killed') ?? false) return 'the compiler ran out of memory: give it more, or build fewer CPU levels at once'
  if (unit === undefined) return 'run `kcc doctor` to check the tools'
  return 'this is a bug in kcc unless the compiler is very old (`kcc doctor` shows it): please report it with the source above'
}
