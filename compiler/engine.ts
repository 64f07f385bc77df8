/**
 * Runs models of a script through the same compiled code as a package: the road from a model to a loaded module,
 * behind the interface that `nn/engine.ts` declares. With `index.ts` the only place that knows compiler and runtime.
 */
import { createRequire } from 'node:module'
import type { ModuleManifest } from '../runtime/contract/manifest.js'
import type { NativeAddon, NativeModule } from '../runtime/contract/native.js'
import { CompiledModel } from '../runtime/compiled-model.js'
import { buildNative, type NativeBuildOptions } from './build/native.js'
import type { Emitted } from './emit/sources.js'
import { setEngineFactory, type ModelEngine } from './nn/engine.js'
import type { Model } from './nn/model.js'
import { moduleSource } from './nn/module-source.js'
import { session } from './nn/session.js'
import { compileSources, defaultOptions, type PipelineOptions } from './pipeline.js'

const require = createRequire(import.meta.url)

/** A native file with its modules, ready to open. */
export type LoadedNative = { readonly addon: NativeAddon; readonly manifests: readonly ModuleManifest[]; readonly file: string }

/** Compiles sources (or finds them in the cache) and loads the file into this process. */
export async function loadEmitted(emitted: Emitted, options: NativeBuildOptions = {}): Promise<LoadedNative> {
  const { file } = await buildNative(emitted, options)
  return { addon: require(file) as NativeAddon, manifests: emitted.manifests, file }
}

export const openModule = (loaded: LoadedNative, index = 0): NativeModule => loaded.addon.open(loaded.manifests[index]!.name)

/** A model compiled and loaded, with variables of its own that still hold zeros. */
export async function compileAndLoad(model: Model, options: PipelineOptions = defaultOptions): Promise<CompiledModel> {
  const loaded = await loadEmitted(compileSources([moduleSource(model)], options))
  return new CompiledModel(openModule(loaded), loaded.manifests[0]!, { seed: session.claimSeed() })
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
