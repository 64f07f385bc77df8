/** Opens the package of a compiled model: manifest, native file and weights, each checked before anything runs. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { FileFormatError, RuntimeError } from './contract/errors.js'
import { MANIFEST_FORMAT, TUNED_FILE } from './contract/manifest.js'
import type { ModuleManifest, NativeFileManifest } from './contract/manifest.js'
import type { NativeAddon } from './contract/native.js'
import { CompiledModel } from './compiled-model.js'
import { openOn } from './device.js'
import type { DeviceChoice } from './device.js'
import type { SessionOptions } from './session.js'
import { applyTuned } from './tuned.js'
import { loadVariables } from './weights.js'

/** Version of the interface between the runtime and the native file: `KCC_ABI` of `native/include/kcc/abi.h`. */
export const RUNTIME_ABI = 6

export type LoadOptions = Omit<SessionOptions, 'device'> & {
  /** Threads of the pool that all models of the process share; 0 chooses by the CPUs this process may use. */
  readonly threads?: number
  /** Where the model runs: `auto` (the default), `cpu` or a GPU such as `cuda:0`; `model.device` says what was taken and why. */
  readonly device?: DeviceChoice
}

/**
 * Loads `manifest.json`, `model.node` and `weights.safetensors` of a folder. Every call gives a model with weights of
 * its own; the native file is loaded once.
 * @throws FileFormatError for a damaged or foreign package, RuntimeError when the native file cannot run here.
 */
export function loadPackage(folder: string, options: LoadOptions = {}): CompiledModel {
  const manifest = readManifest(path.join(folder, 'manifest.json'))
  const addon = loadAddon(path.resolve(folder, 'model.node'), manifest.native)
  return loadPackageFrom(addon, manifest, path.join(folder, 'weights.safetensors'), options, path.join(folder, TUNED_FILE))
}

/** The same from parts at hand. @param weights a safetensors file, or null to leave all variables zero. @param tuned what was measured on GPUs; null: nothing */
export function loadPackageFrom(addon: NativeAddon, manifest: ModuleManifest, weights: string | null, options: LoadOptions = {}, tuned: string | null = null): CompiledModel {
  checkManifest(manifest, 'the manifest')
  checkAddon(addon, manifest)
  if (options.threads !== undefined) addon.setThreads(options.threads)
  const { native, device } = openOn(addon, manifest.name, options.device)
  try {
    const libraries = tuned === null ? null : applyTuned(native, tuned)
    const model = new CompiledModel(native, manifest, { ...options, device: libraries === null ? device : { ...device, libraries } })
    if (weights !== null) loadVariables(model.program, weights, model.weightNames)
    return model
  } catch (error) {
    native.close()
    throw error
  }
}

function readManifest(file: string): ModuleManifest {
  if (!existsSync(file)) throw new FileFormatError(`${path.dirname(file)} is not a package of kcc: it has no manifest.json`)
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new FileFormatError(`${file} is damaged: ${(error as Error).message}`)
  }
  checkManifest(manifest, file)
  return manifest
}

/** The parts every use relies on; names and shapes are checked where they are used. */
function checkManifest(manifest: unknown, file: string): asserts manifest is ModuleManifest {
  const { format, name, dims, variables, scalars, functions } = (manifest ?? {}) as Partial<ModuleManifest>
  if (format !== MANIFEST_FORMAT) {
    throw new FileFormatError(`${file} has format ${String(format)}, but this runtime reads format ${MANIFEST_FORMAT}. Build the package again with a kcc of the same version as the runtime.`)
  }
  if (typeof name !== 'string' || ![dims, variables, scalars, functions].every(Array.isArray)) throw new FileFormatError(`${file} is damaged: it lacks a name or one of its tables`)
}

function loadAddon(file: string, wanted: NativeFileManifest | undefined): NativeAddon {
  if (!existsSync(file)) throw new FileFormatError(`the native file ${file} is missing. Build the package again with \`kcc build\`.`)
  const require = createRequire(file)
  // Once it is loaded, it is no longer read from the disk.
  if (wanted !== undefined && require.cache[file] === undefined) checkFile(file, wanted)
  try {
    return require(file) as NativeAddon
  } catch (error) {
    throw new RuntimeError(`the native file ${file} cannot be loaded on ${process.platform} ${process.arch} with Node ${process.version}: ${(error as Error).message}. ` +
      'It runs on the kind of machine it was built for: build the package there, or with `--cpu` for the levels needed.')
  }
}

/** A part of a native file would be mapped into memory all the same, and end the process at the first use of the rest. */
function checkFile(file: string, { bytes, sha256 }: NativeFileManifest): void {
  const content = readFileSync(file)
  if (content.byteLength === bytes && createHash('sha256').update(content).digest('hex') === sha256) return
  throw new FileFormatError(`the native file ${file} is damaged or of another build: expected ${bytes} bytes with the SHA-256 ${sha256}, ` +
    `found ${content.byteLength} bytes${content.byteLength === bytes ? ' with another' : ''}. Build the package again with \`kcc build\`.`)
}

function checkAddon(addon: NativeAddon, manifest: ModuleManifest): void {
  if (addon.abi !== RUNTIME_ABI) {
    throw new RuntimeError(`the native file of ${manifest.name} has interface version ${String(addon.abi)}, but this runtime needs ${RUNTIME_ABI}. Build the package again.`)
  }
  if (!addon.level) {
    throw new RuntimeError(`the native file of ${manifest.name} was built for ${addon.levels.join(', ')}, and this CPU supports none of these. Build it with a lower level, such as \`--cpu x86-64-v2\`.`)
  }
  if (!addon.modules.includes(manifest.name)) {
    throw new FileFormatError(`the native file holds ${addon.modules.join(', ') || 'no modules'}, not ${manifest.name}: manifest.json and model.node are of different builds`)
  }
}
