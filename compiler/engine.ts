/**
 * Runs models of a script through the same compiled code as a package: the road from a model to a loaded module,
 * behind the interface that `nn/engine.ts` declares. With `index.ts` the only place that knows compiler and runtime.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ModuleManifest, Precision } from '../runtime/contract/manifest.js'
import type { NativeAddon, NativeModule } from '../runtime/contract/native.js'
import { CompiledModel } from '../runtime/compiled-model.js'
import { openOn, type DeviceChoice, type Opened } from '../runtime/device.js'
import { applyTuned } from '../runtime/tuned.js'
import { BuildCache } from './build/cache.js'
import type { DeviceBuild } from './build/cuda.js'
import { buildNative, type NativeBuildOptions } from './build/native.js'
import type { Emitted } from './emit/sources.js'
import { setEngineFactory, type ModelEngine } from './nn/engine.js'
import type { Model } from './nn/model.js'
import { moduleSource } from './nn/module-source.js'
import { session } from './nn/session.js'
import { compileForBoth, compileSources, defaultOptions, type PipelineOptions } from './pipeline.js'

const require = createRequire(import.meta.url)

/** A native file with its modules, ready to open. */
export type LoadedNative = { readonly addon: NativeAddon; readonly manifests: readonly ModuleManifest[]; readonly file: string }

/** Compiles sources (or finds them in the cache) and loads the file into this process. */
export async function loadEmitted(emitted: Emitted, options: NativeBuildOptions = {}): Promise<LoadedNative> {
  const { file } = await buildNative(emitted, options)
  return { addon: require(file) as NativeAddon, manifests: emitted.manifests, file }
}

export const openModule = (loaded: LoadedNative, index = 0): NativeModule => loaded.addon.open(loaded.manifests[index]!.name)

/** Where models of this process run, how the code for it is built, and what it computes with. */
export type RunTarget = { readonly build: DeviceBuild; readonly device: DeviceChoice; readonly precision: Precision }

let runTarget: RunTarget | null = null
const told = new Set<string>()

/** Models that are compiled from now on have code for GPUs too, and run where `device` says; null: on the CPU alone. */
export const runOn = (target: RunTarget | null): void => { runTarget = target }

/** A model compiled and loaded, with variables of its own that still hold zeros. */
export async function compileAndLoad(model: Model, options: PipelineOptions = defaultOptions): Promise<CompiledModel> {
  const { opened, manifest } = runTarget === null ? await openOnCpu(model, options) : await openOnTarget(model, options, runTarget)
  return new CompiledModel(opened.native, manifest, { seed: session.claimSeed(), device: opened.device })
}

type OpenedModule = { readonly opened: Opened; readonly manifest: ModuleManifest }

async function openOnCpu(model: Model, options: PipelineOptions): Promise<OpenedModule> {
  const loaded = await loadEmitted(compileSources([moduleSource(model)], options))
  return { opened: { native: openModule(loaded), device: { name: 'cpu', reason: 'no code for GPUs was asked for' } }, manifest: loaded.manifests[0]! }
}

/** What was measured for models of scripts, which have no package to keep it in. */
export const tunedFile = (): string => new BuildCache().tunedFile

/** Says once what was taken, and why. */
async function openOnTarget(model: Model, options: PipelineOptions, { build, device, precision }: RunTarget): Promise<OpenedModule> {
  const { addon, manifests } = await loadEmitted(compileForBoth([moduleSource(model)], { ...options, precision }), { device: build })
  const { native, device: taken } = openOn(addon, manifests[0]!.name, device), libraries = applyTuned(native, tunedFile()), computes = precision === 'float32' ? '' : ` in ${precision}`
  const text = `kcc: runs on ${taken.name}${computes}: ${taken.reason}${libraries === null || !existsSync(tunedFile()) ? '' : `; ${libraries}`}\n`
  if (!told.has(text)) process.stderr.write(text)
  told.add(text)
  return { opened: { native, device: libraries === null ? taken : { ...taken, libraries } }, manifest: manifests[0]! }
}

/** Makes `fit`, `evaluate` and `predict` of models in this process run compiled code. Called once, by the facade. */
export function installEngine(): void {
  setEngineFactory(startEngine)
}

const startEngine = async (model: Model): Promise<ModelEngine> => engineOf(model, await compileAndLoad(model))

/** `model` run by its compiled code. */
export function engineOf(model: Model, compiled: CompiledModel): ModelEngine {
  // Code that never reads a scalar does not have it: the learning rate of a model without trainable weights.
  const idle = new Map((model.training?.optimizer.scalars() ?? []).filter(({ name }) => !compiled.program.hasScalar(name)).map(({ name, value }) => [name, value]))
  // Callbacks see the model the user made, not the one behind it.
  return {
    fit: (x, y, options) => compiled.fit(x, y, options, model),
    evaluate: (x, y, options) => compiled.evaluate(x, y, options, model),
    predict: (x, options) => compiled.predict(x, options, model),
    trainOnBatch: (x, y, options) => compiled.trainOnBatch(x, y, options),
    testOnBatch: (x, y, options) => compiled.testOnBatch(x, y, options),
    predictOnBatch: (x) => compiled.predictOnBatch(x),
    readVariable: (name) => compiled.readVariable(name),
    writeVariable: (name, value) => compiled.writeVariable(name, value),
    getScalar: (name) => idle.get(name) ?? compiled.getScalar(name),
    setScalar: (name, value) => void (idle.has(name) ? idle.set(name, value) : compiled.setScalar(name, value)),
    close: () => { void compiled.close() },
  }
}
