/** All cases of a folder compiled into one native file: a build for each would take an hour. */
import type { TypedArray } from '../../runtime/contract/dtype.js'
import { allocate } from '../../runtime/contract/dtype.js'
import type { ModelManifest } from '../../runtime/contract/manifest.js'
import { CompiledModel } from '../../runtime/compiled-model.js'
import { NDArray, Program, type SessionOptions } from '../../runtime/index.js'
import { engineOf, loadEmitted, openModule, type LoadedNative } from '../../compiler/engine.js'
import type { PlannedModule } from '../../compiler/emit/emit-modules.js'
import type { FileArray } from '../../compiler/files/file-array.js'
import type { Graph, Module } from '../../compiler/ir/graph.js'
import { setEngineFactory } from '../../compiler/nn/engine.js'
import type { Model } from '../../compiler/nn/model.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import type { DeviceBuild } from '../../compiler/build/cuda.js'
import type { Level } from '../../compiler/build/levels.js'
import type { NativeBuildOptions } from '../../compiler/build/native.js'
import { assemble, cuda, defaultOptions, emit, planModule, type PipelineOptions } from '../../compiler/pipeline.js'

export type Values = Readonly<Record<string, TypedArray>>

/** How cases become native code: as for users by default, or as kernels for a GPU. */
export type Road = {
  readonly pipeline: PipelineOptions; readonly build: NativeBuildOptions
  /** Unit roundoff of what products read, where that is less exact than float32. */
  readonly unit?: number
}
export const cpuRoad: Road = { pipeline: defaultOptions, build: {} }
export const levelRoad = (levels: readonly Level[]): Road => ({ pipeline: defaultOptions, build: { levels } })
export const deviceRoad = (device: DeviceBuild): Road => ({ pipeline: { ...defaultOptions, target: cuda }, build: { device, flags: ['-O1'] } })

export class NativeBatch {
  private readonly planned: PlannedModule[] = []
  private readonly groups: FunctionGroup[] = []
  private loaded: LoadedNative | null = null

  /** @param prefix begins the names of the modules */
  constructor(private readonly prefix: string, private readonly road: Road = cpuRoad) {}

  get size(): number { return this.planned.length }

  add(module: Module, model: ModelManifest | null): CompiledCase {
    const index = this.planned.length
    this.planned.push(planModule({ ...module, name: `${this.prefix}_${index}` }, model, this.road.pipeline))
    return new CompiledCase(() => this.native, index)
  }

  /** A model's functions and `extra` ones over the same weights. */
  addModel(model: Model, extra: readonly Graph[] = []): CompiledCase {
    const source = moduleSource(model)
    const module = assemble(source)
    return this.add({ ...module, functions: [...module.functions, ...extra] }, source.model)
  }

  /** Functions without variables, together in one module. */
  group(): FunctionGroup {
    const made = new FunctionGroup()
    this.groups.push(made)
    return made
  }

  /** All that was handed over, asked for once. */
  modules(): readonly PlannedModule[] {
    for (const group of this.groups) group.plan(this)
    return this.planned
  }

  async build(): Promise<void> {
    const modules = this.modules()
    if (modules.length > 0) this.loaded = await loadEmitted(emit(modules, this.road.pipeline), this.road.build)
  }

  private get native(): LoadedNative {
    if (!this.loaded) throw new Error('the batch has not been built')
    return this.loaded
  }
}

/** One module of a batch. Each `open` has variables of its own. */
export class CompiledCase {
  constructor(private readonly native: () => LoadedNative, private readonly index: number) {}

  compiled(options: SessionOptions = {}): CompiledModel {
    const loaded = this.native()
    return new CompiledModel(openModule(loaded, this.index), loaded.manifests[this.index]!, { seed: 0, ...options })
  }

  program(): Program {
    const loaded = this.native()
    return new Program(openModule(loaded, this.index), loaded.manifests[this.index]!)
  }
}

/** Calls function `name`; results by the names of its outputs. */
export function callFunction(program: Program, name: string, inputs: readonly FileArray[]): Values {
  const fn = program.find(name)
  if (!fn) throw new Error(`the module has no function ${name}`)
  const arrays = fn.manifest.inputs.map(({ dtype }, i) => new NDArray(converted(inputs[i]!, dtype), inputs[i]!.shape, dtype))
  const dims = program.manifest.dims.length === 0 ? [] : program.dimsOf(fn, arrays)
  const outputs = fn.manifest.outputs.map((o) => allocate(o.dtype, program.shapeOf(o, dims).reduce((a, b) => a * b, 1)))
  program.native.call(fn.index, arrays.map((a) => a.data), outputs, dims)
  return Object.fromEntries(fn.manifest.outputs.map((o, i) => [o.name, outputs[i]!]))
}

function converted({ data, dtype: from }: FileArray, dtype: FileArray['dtype']): TypedArray {
  if (from === dtype) return data
  const result = allocate(dtype, data.length)
  result.set(data)
  return result
}

/** Functions of many small cases, each compiled under a number. */
export class FunctionGroup {
  private readonly graphs: Graph[] = []
  private opened: Program | null = null
  private module: CompiledCase | null = null

  /** The function, callable once the batch is built. */
  add(graph: Omit<Graph, 'name' | 'updates'>): (inputs: readonly FileArray[]) => Values {
    const name = `f${this.graphs.length}`
    this.graphs.push({ ...graph, name, updates: [] })
    return (inputs) => callFunction(this.program(), name, inputs)
  }

  plan(batch: NativeBatch): void {
    if (this.graphs.length > 0) this.module = batch.add({ name: '', variables: [], scalars: [], functions: this.graphs }, null)
  }

  private program(): Program {
    if (!this.module) throw new Error('the batch has not been built')
    return (this.opened ??= this.module.program())
  }
}

/** The compiled code of a model that is about to run. */
export type Served = { readonly compiled: () => CompiledModel }

const served = new WeakMap<Model, Served>()

/** From now on `model.fit`, `predict` and so on run this code; another model of the same structure may run it too. */
export function serve(model: Model, code: CompiledCase, options: SessionOptions = {}): Served {
  let opened: CompiledModel | null = null
  const entry: Served = { compiled: () => (opened ??= code.compiled(options)) }
  served.set(model, entry)
  return entry
}

/** Models run what `serve` gave them and compile nothing themselves. */
export function serveAllModels(): void {
  setEngineFactory(async (model) => {
    const entry = served.get(model)
    if (!entry) throw new Error(`the model ${model.name} was not handed over for compilation`)
    const engine = engineOf(model, entry.compiled())
    // Scalars of the code are those of the model it was made from.
    for (const { name, value } of model.training?.optimizer.scalars() ?? []) engine.setScalar(name, value)
    return engine
  })
}
