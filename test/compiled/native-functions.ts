/**
 * Many small functions in one native file: each is planned by itself, all are functions of one module with one table of
 * variables, so that a few translation units serve hundreds of tests.
 */
import { createRequire } from 'node:module'
import { itemSize, type DType, type TypedArray } from '../../runtime/contract/dtype.js'
import type { ModuleManifest } from '../../runtime/contract/manifest.js'
import type { NativeAddon, NativeModule } from '../../runtime/contract/native.js'
import { buildNative, type NativeBuildOptions } from '../../compiler/build/native.js'
import { emitModules, type PlannedModule } from '../../compiler/emit/emit-modules.js'
import type { Emitted } from '../../compiler/emit/sources.js'
import { evaluateDim, type DimEnv } from '../../compiler/ir/dim.js'
import { parseDim } from '../../compiler/ir/dim-parse.js'
import { rewriteGraph, type Graph, type Module, type Variable } from '../../compiler/ir/graph.js'
import type { Values } from '../../compiler/ops/interpret.js'
import { specialize, type Sizes } from '../../compiler/passes/specialize.js'
import { expandComposed } from '../../compiler/passes/expand-composed.js'
import { dimsOf, layOutVariables, planGraph } from '../../compiler/pipeline.js'
import type { PlannedFunction } from '../../compiler/plan/plan-function.js'
import { cpu, type Target } from '../../compiler/schedule/target.js'
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
  const renamed = rewriteGraph(expandComposed(task.graph), (node, inputs) => (node.op === 'variable'
    ? { ...node, attrs: { ...node.attrs, name: owned(task, String(node.attrs['name'])) } } : { ...node, inputs }))
  return { ...renamed, name: task.name, updates: renamed.updates.map((u) => ({ ...u, variable: owned(task, u.variable) })) }
}

/** Functions in one module, which is one translation unit. */
const functionsPerModule = 100

export type EmitTasksOptions = {
  /** Headers cost more than a small kernel. */
  readonly kernelsPerUnit?: number
  /** The CPU by default. */
  readonly target?: Target
}

/** Plans every task and prints all of them as modules `<name>_0`, `<name>_1`, … of one file. */
export function emitTasks(name: string, tasks: readonly Task[], options: EmitTasksOptions = {}): PlannedTasks {
  const parts = Array.from({ length: Math.ceil(tasks.length / functionsPerModule) }, (_, i) => tasks.slice(i * functionsPerModule, (i + 1) * functionsPerModule))
  const target = options.target ?? cpu
  const modules = parts.map((part, i) => planTasks(`${name}_${i}`, part, target))
  const emitted = emitModules(modules, { target, templates: inPackage('templates'), version: '0', kernelsPerUnit: options.kernelsPerUnit ?? 120 })
  return { emitted, plans: new Map(modules.flatMap((m) => m.functions.map(({ general }) => [general.graph.name, general] as const))) }
}

function planTasks(name: string, tasks: readonly Task[], target: Target): PlannedModule {
  const graphs = tasks.map(isolate)
  const variables = tasks.flatMap((task) => task.variables.map((v) => ({ ...v, name: owned(task, v.name) })))
  const scalars = [...new Map(tasks.flatMap((t) => t.scalars).map((s) => [s.name, s])).values()]
  const module: Module = { name, variables, scalars, functions: graphs }
  const functions = tasks.map((task, i) => ({
    general: planGraph(graphs[i]!, { fuse: task.fuse, target }),
    fixed: (task.specialize ?? []).map((sizes) => ({ sizes, planned: planGraph(specialize(graphs[i]!, sizes), { fuse: task.fuse, target }) })),
  }))
  return { module, dims: dimsOf(module), functions: layOutVariables(functions, target), model: null }
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

/** One call as plain data, which can be sent to another process. */
export type CallRequest = {
  readonly module: string
  readonly fn: number
  readonly inputs: readonly TypedArray[]
  /** Written by the call. Full of a pattern at first, so that what is not written shows. */
  readonly outputs: readonly TypedArray[]
  readonly dims: readonly number[]
  readonly variables: readonly { readonly index: number; readonly value: TypedArray }[]
  readonly scalars: readonly { readonly index: number; readonly value: number }[]
  readonly random: { readonly seed: number; readonly step: number }
  /** Filled with the variables' values after the call. */
  readonly updated: readonly { readonly index: number; readonly into: TypedArray }[]
  /** Names of the outputs, then of the updated variables. */
  readonly names: readonly string[]
}

/** What tests call: a loaded file, or one in another process. */
export type Callable = { readonly call: (task: string, values: CallValues) => CallResults }

const sizeOf = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1)

/** @throws Error when no manifest has the function. */
export function requestOf(manifests: readonly ModuleManifest[], task: string, values: CallValues): CallRequest {
  const manifest = manifests.find((m) => m.functions.some((f) => f.name === task))
  if (!manifest) throw new Error(`no function ${task}`)
  const fn = manifest.functions.findIndex((f) => f.name === task), { inputs, outputs, updates } = manifest.functions[fn]!
  const dims = manifest.dims.map((name) => values.dims?.[name] ?? 0)
  const env = Object.fromEntries(manifest.dims.map((name, i) => [name, dims[i]!]))
  const variable = (name: string): number => manifest.variables.findIndex((v) => v.name === name)
  const updated = updates.map((name) => { const index = variable(name), { dtype, shape } = manifest.variables[index]!; return { index, into: unwritten(dtype, sizeOf(shape)) } })
  return {
    module: manifest.name, fn, dims, updated,
    inputs: inputs.map(({ name, dtype }) => arrayOf(dtype, values.inputs[name]!.data)),
    outputs: outputs.map(({ dtype, shape }) => unwritten(dtype, sizeOf(shape.map((d) => evaluateDim(typeof d === 'number' ? d : parseDim(d), env))))),
    variables: Object.entries(values.variables ?? {}).flatMap(([name, { data }]) => {
      const index = variable(`${task}/${name}`)
      return index < 0 ? [] : [{ index, value: arrayOf(manifest.variables[index]!.dtype, data) }]
    }),
    scalars: manifest.scalars.flatMap(({ name }, index) => { const value = values.scalars?.[name]; return value === undefined ? [] : [{ index, value }] }),
    random: { seed: values.seed ?? 0, step: values.step ?? 0 },
    names: [...outputs.map((o) => o.name), ...updates.map((name) => `new ${name.slice(task.length + 1)}`)],
  }
}

/** Carries out a request in this process. */
export function perform(module: NativeModule, request: CallRequest): void {
  for (const { index, value } of request.variables) module.setVariable(index, value)
  for (const { index, value } of request.scalars) module.setScalar(index, value)
  module.setRandom(request.random.seed, request.random.step)
  module.call(request.fn, request.inputs, request.outputs, request.dims)
  for (const { index, into } of request.updated) module.getVariable(index, into)
}

export const resultsOf = ({ names, outputs, updated }: CallRequest): CallResults => {
  const arrays = [...outputs, ...updated.map((u) => u.into)]
  return Object.fromEntries(names.map((name, i) => [name, arrays[i]!]))
}

/** The functions of a loaded file, called by name. */
export class NativeFunctions implements Callable {
  private readonly modules: ReadonlyMap<string, NativeModule>
  constructor(readonly addon: NativeAddon, private readonly manifests: readonly ModuleManifest[]) {
    this.modules = new Map(manifests.map(({ name }) => [name, addon.open(name)]))
  }

  /** Outputs and new values of updated variables, by name. */
  call(task: string, values: CallValues): CallResults {
    const request = requestOf(this.manifests, task, values)
    perform(this.modules.get(request.module)!, request)
    return resultsOf(request)
  }

  /** What `body` gives for each module. */
  each<T>(body: (module: NativeModule) => T): T[] { return [...this.modules.values()].map(body) }

  close(): void { for (const module of this.modules.values()) module.close() }
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
