/**
 * Many small functions in one native file: each is planned by itself, all are functions of one module with one table of
 * variables, so that a few translation units serve hundreds of tests.
 */
import { createRequire } from 'node:module'
import { itemSize, type DType, type TypedArray } from '../../runtime/contract/dtype.js'
import type { FunctionManifest, ModuleManifest } from '../../runtime/contract/manifest.js'
import type { NativeAddon, NativeModule } from '../../runtime/contract/native.js'
import { buildNative, type NativeBuildOptions } from '../../compiler/build/native.js'
import { emitModules, type PlannedModule } from '../../compiler/emit/emit-modules.js'
import type { Emitted } from '../../compiler/emit/sources.js'
import { evaluateDim, parseDim, type DimEnv } from '../../compiler/ir/dim.js'
import { rewriteGraph, type Graph, type Module, type Variable } from '../../compiler/ir/graph.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { specialize, type Sizes } from '../../compiler/passes/specialize.js'
import { dimsOf, planGraph } from '../../compiler/pipeline.js'
import type { PlannedFunction } from '../../compiler/plan/plan-function.js'
import { cpu } from '../../compiler/schedule/target.js'
import { inPackage } from '../../compiler/support/paths.js'

const require = createRequire(import.meta.url)

/** A function to compile, with the variables and scalars it names. */
export type Task = {
  /** Unique in its file, and an identifier. */
  readonly name: string
  readonly graph: Graph
  readonly variables: readonly Variable[]
  readonly scalars: Module['scalars']
  readonly fuse: boolean
  readonly specialize?: readonly Sizes[]
}

export type PlannedTasks = { readonly emitted: Emitted; readonly plans: ReadonlyMap<string, PlannedFunction> }

const owned = (task: Task, variable: string): string => `${task.name}/${variable}`

/** The function under the task's name, over variables of its own. */
function isolate(task: Task): Graph {
  const renamed = rewriteGraph(task.graph, (node, inputs) => (node.op === 'variable'
    ? { ...node, attrs: { ...node.attrs, name: owned(task, String(node.attrs['name'])) } } : { ...node, inputs }))
  return { ...renamed, name: task.name, updates: renamed.updates.map((u) => ({ ...u, variable: owned(task, u.variable) })) }
}

/** Functions in one module, which is one translation unit. */
const functionsPerModule = 100

export type EmitTasksOptions = {
  /** Headers cost more than a small kernel. */
  readonly kernelsPerUnit?: number
}

/** Plans every task and prints all of them as modules `<name>_0`, `<name>_1`, … of one file. */
export function emitTasks(name: string, tasks: readonly Task[], options: EmitTasksOptions = {}): PlannedTasks {
  const parts = Array.from({ length: Math.ceil(tasks.length / functionsPerModule) }, (_, i) => tasks.slice(i * functionsPerModule, (i + 1) * functionsPerModule))
  const modules = parts.map((part, i) => planTasks(`${name}_${i}`, part))
  const emitted = emitModules(modules, { target: cpu, templates: inPackage('templates'), version: '0', kernelsPerUnit: options.kernelsPerUnit ?? 120 })
  return { emitted, plans: new Map(modules.flatMap((m) => m.functions.map(({ general }) => [general.graph.name, general] as const))) }
}

function planTasks(name: string, tasks: readonly Task[]): PlannedModule {
  const graphs = tasks.map(isolate)
  const variables = tasks.flatMap((task) => task.variables.map((v) => ({ ...v, name: owned(task, v.name) })))
  const scalars = [...new Map(tasks.flatMap((t) => t.scalars).map((s) => [s.name, s])).values()]
  const module: Module = { name, variables, scalars, functions: graphs }
  const functions = tasks.map((task, i) => ({
    general: planGraph(graphs[i]!, { fuse: task.fuse }),
    fixed: (task.specialize ?? []).map((sizes) => ({ sizes, planned: planGraph(specialize(graphs[i]!, sizes), { fuse: task.fuse }) })),
  }))
  return { module, dims: dimsOf(module), functions, model: null }
}

/** Values a call is given; names as in the task. */
export type CallValues = { readonly inputs: Values; readonly variables?: Values; readonly scalars?: Readonly<Record<string, number>>; readonly dims?: DimEnv; readonly seed?: number; readonly step?: number }
export type CallResults = Readonly<Record<string, TypedArray>>

const arrayOf = (dtype: DType, values: ArrayLike<number>): TypedArray => {
  switch (dtype) {
    case 'float32': return Float32Array.from(values)
    case 'int32': return Int32Array.from(values)
    case 'bool': case 'uint8': return Uint8Array.from(values)
    case 'float64': return Float64Array.from(values)
  }
}

type Entry = { readonly fn: FunctionManifest; readonly at: number; readonly manifest: ModuleManifest; readonly module: NativeModule }

/** The functions of a loaded file, called by name. */
export class NativeFunctions {
  private readonly entries: ReadonlyMap<string, Entry>
  constructor(readonly addon: NativeAddon, manifests: readonly ModuleManifest[]) {
    const opened = manifests.map((manifest) => ({ manifest, module: addon.open(manifest.name) }))
    this.entries = new Map(opened.flatMap((open) => open.manifest.functions.map((fn, at) => [fn.name, { ...open, fn, at }])))
  }

  /** Outputs and new values of updated variables, by name. Outputs start full of a pattern, so that what is not written shows. */
  call(task: string, values: CallValues): CallResults {
    const entry = this.entries.get(task)
    if (!entry) throw new Error(`no function ${task}`)
    const { fn, at, manifest, module } = entry
    const env = values.dims ?? {}
    const sizes = manifest.dims.map((name) => env[name] ?? 0)
    const all = Object.fromEntries(manifest.dims.map((name, i) => [name, sizes[i]!]))
    this.bind(entry, task, values)
    const inputs = fn.inputs.map(({ name, dtype }) => arrayOf(dtype, values.inputs[name]!.data))
    const outputs = fn.outputs.map(({ dtype, shape }) => unwritten(dtype, shape.reduce<number>((p, d) => p * evaluateDim(typeof d === 'number' ? d : parseDim(d), all), 1)))
    module.call(at, inputs, outputs, sizes)
    const results: Record<string, TypedArray> = Object.fromEntries(fn.outputs.map(({ name }, i) => [name, outputs[i]!]))
    for (const name of fn.updates) results[`new ${name.slice(task.length + 1)}`] = this.variable(entry, name)
    return results
  }

  close(): void { for (const module of new Set([...this.entries.values()].map((e) => e.module))) module.close() }

  private bind(entry: Entry, task: string, values: CallValues): void {
    for (const [name, tensor] of Object.entries(values.variables ?? {})) this.setVariable(entry, `${task}/${name}`, tensor)
    for (const [name, value] of Object.entries(values.scalars ?? {})) {
      const at = entry.manifest.scalars.findIndex((s) => s.name === name)
      if (at >= 0) entry.module.setScalar(at, value)
    }
    entry.module.setRandom(values.seed ?? 0, values.step ?? 0)
  }

  private setVariable({ manifest, module }: Entry, name: string, { data }: Tensor): void {
    const at = manifest.variables.findIndex((v) => v.name === name)
    if (at >= 0) module.setVariable(at, arrayOf(manifest.variables[at]!.dtype, data))
  }

  private variable({ manifest, module }: Entry, name: string): TypedArray {
    const at = manifest.variables.findIndex((v) => v.name === name)
    const { dtype, shape } = manifest.variables[at]!
    const into = arrayOf(dtype, { length: shape.reduce((p, d) => p * d, 1) })
    module.getVariable(at, into)
    return into
  }
}

/** An array of bytes 0xa5: an unlikely float, an unlikely integer, no bool. */
function unwritten(dtype: DType, count: number): TypedArray {
  const bytes = new Uint8Array(count * itemSize[dtype]).fill(0xa5)
  switch (dtype) {
    case 'float32': return new Float32Array(bytes.buffer)
    case 'int32': return new Int32Array(bytes.buffer)
    case 'bool': case 'uint8': return bytes
    case 'float64': return new Float64Array(bytes.buffer)
  }
}

export const loadFunctions = (file: string, manifests: readonly ModuleManifest[]): NativeFunctions =>
  new NativeFunctions(require(file) as NativeAddon, manifests)

/** Builds (or finds in the cache) and loads. */
export async function compileTasks(planned: PlannedTasks, options: NativeBuildOptions = {}): Promise<NativeFunctions> {
  const { file } = await buildNative(planned.emitted, options)
  return loadFunctions(file, planned.emitted.manifests)
}
