/**
 * Planned modules as source files and manifests. Kernels with equal text are emitted once, whatever function or module
 * they belong to, and spread over a few translation units so that they compile in parallel and are cached apart.
 */
import type { DimConstraint, IndexLimit, ModelManifest, Precision } from '../../runtime/contract/manifest.js'
import { itemSize } from '../../runtime/contract/dtype.js'
import type { Module } from '../ir/graph.js'
import type { PlannedFunction } from '../plan/plan-function.js'
import type { Target } from '../schedule/target.js'
import { constantText, identifier } from './c-expr.js'
import { functionIdentifier, functionView, type Tables } from './emit-function.js'
import { digestOf, emitKernel, type EmittedKernel } from './emit-kernel.js'
import { moduleManifest } from './manifest.js'
import { loadTemplates } from './render.js'
import type { Emitted, SourceFile } from './sources.js'
import type { FunctionView, KernelsUnitView, KernelView, ModuleView, RegistryView } from './views.js'

/** A function for all sizes, and variants for fixed ones that are tried first. */
export type PlannedVariants = {
  readonly general: PlannedFunction
  readonly fixed: readonly { readonly sizes: Readonly<Record<string, number>>; readonly planned: PlannedFunction }[]
  /** What the sizes of a call must satisfy. */
  readonly constraints?: readonly DimConstraint[]
  /** Inputs whose values name rows of a table. */
  readonly indices?: readonly IndexLimit[]
}
export const plansOf = ({ general, fixed }: PlannedVariants): PlannedFunction[] => [general, ...fixed.map((f) => f.planned)]
export type PlannedModule = { readonly module: Module; readonly dims: readonly string[]; readonly functions: readonly PlannedVariants[]; readonly model: ModelManifest | null; readonly precision?: Precision }

export type EmitOptions = {
  readonly target: Target
  readonly templates: string
  readonly version: string
  /** Kernels in one translation unit. The default is few enough to use all cores, and enough to share the cost of the headers. */
  readonly kernelsPerUnit?: number
  /** Functions write how long each kernel took: for `kcc inspect --fusion`, never in a package. */
  readonly timed?: boolean
}

const defaultKernelsPerUnit = 6

export function emitModules(modules: readonly PlannedModule[], options: EmitOptions): Emitted {
  const render = loadTemplates(options.templates)
  const pool = new KernelPool(options.target, render)
  const views = modules.map((planned) => moduleView(planned, pool, options))
  const registry: RegistryView = { modules: views.map((v) => ({ identifier: v.identifier })) }
  const files = [
    ...pool.sources(),
    ...pool.units(render, options.kernelsPerUnit ?? defaultKernelsPerUnit),
    ...views.map((view) => perLevel(`module_${view.identifier}.cc`, render('module.cc', view))),
    perLevel('registry.cc', render('registry.cc', registry)),
  ]
  const manifests = modules.map((planned) => moduleManifest(planned, options.version))
  if (options.target.name === 'cpu') return { files, device: [], manifests }
  return { files: [], device: files.map((file) => ({ ...file, name: `${options.target.name}_${file.name}` })), manifests }
}

/** What the names of a function's kernels end in, whatever other kernel of the same text they are named after. */
export function kernelDigests(planned: PlannedFunction, { target, templates }: Pick<EmitOptions, 'target' | 'templates'>): readonly string[] {
  const render = loadTemplates(templates)
  return planned.kernels.map(({ program }) => digestOf(emitKernel(program, target, render).hash))
}

const perLevel = (name: string, text: string): SourceFile => ({ name, text, perLevel: true })

class KernelPool {
  private readonly byHash = new Map<string, EmittedKernel>()
  constructor(private readonly target: Target, private readonly render: (template: string, view: object) => string) {}

  add(planned: PlannedFunction): KernelView[] {
    return planned.kernels.map(({ program }) => {
      const { hash, named } = emitKernel(program, this.target, this.render)
      const known = this.byHash.get(hash) ?? named(`${program.name}_${digestOf(hash)}`)
      this.byHash.set(hash, known)
      return known.view
    })
  }

  /** Units the kernels' own emitters ask for, each once. */
  sources(): SourceFile[] {
    return [...new Map([...this.byHash.values()].flatMap((k) => k.sources).map((s) => [s.name, s])).values()]
  }

  units(render: (template: string, view: object) => string, kernelsPerUnit: number): SourceFile[] {
    const kernels = [...this.byHash.values()]
    const count = Math.ceil(kernels.length / kernelsPerUnit)
    return Array.from({ length: count }, (_, i) => kernels.filter((_, at) => at % count === i)).map((members, i) => perLevel(`kernels_${i}.${this.target.name === 'cuda' ? 'cu' : 'cc'}`, render('kernels.cc', unitView(members))))
  }
}

function unitView(kernels: readonly EmittedKernel[]): KernelsUnitView {
  return {
    includes: [...new Set(kernels.flatMap((k) => k.includes))],
    kernels: kernels.map((k) => k.view), texts: kernels.map((k) => k.text),
  }
}

function moduleView(planned: PlannedModule, pool: KernelPool, { target, timed = false }: EmitOptions): ModuleView {
  const { module, dims } = planned
  const tables: Tables = { module, dims, timed, target }
  const parts = planned.functions.map((variants) => variantViews(tables, variants, pool))
  const kernels = new Map(parts.flatMap((p) => p.kernels).map((view) => [view.name, view]))
  return {
    name: identifier(module.name), identifier: identifier(module.name), timing: timed ? [target.name === 'cpu' ? 'kcc/kernel-times.h' : 'kcc/cuda/lap.h'] : [], kernels: [...kernels.values()],
    functions: parts.flatMap((p) => p.functions),
    variableBytes: module.variables.map((v) => v.shape.reduce((a, b) => a * b, itemSize[v.dtype])),
    blockedColumns: blockedColumns(planned),
    scalars: module.scalars.map((s) => constantText(s.value, 'float32')),
    functionCount: module.functions.length, variableCount: module.variables.length, scalarCount: module.scalars.length, dimCount: dims.length,
  }
}

/** The plan has given every use of a variable the same layout. */
function blockedColumns({ module, functions }: PlannedModule): number[] {
  const bindings = functions.flatMap(plansOf).flatMap((f) => f.kernels).flatMap((k) => k.bindings)
  const blocked = new Set(bindings.flatMap(({ buffer, home }) => (buffer.blocked === true && home.kind === 'variable' ? [home.name] : [])))
  return module.variables.map(({ name, shape }) => (blocked.has(name) ? shape.at(-1)! : 0))
}

/** Variants come before the general function that tries them. */
function variantViews(tables: Tables, variants: PlannedVariants, pool: KernelPool): { functions: FunctionView[]; kernels: KernelView[] } {
  const fixed = variants.fixed.map(({ sizes, planned }) => {
    const suffix = Object.entries(sizes).map(([name, size]) => `_${name}${size}`).join('')
    const kernels = pool.add(planned)
    const condition = Object.entries(sizes).map(([name, size]) => `${name} == ${size}`).join(' && ')
    const special = { condition, function: functionIdentifier(tables.module.name, planned.graph.name, suffix) }
    return { kernels, special, view: functionView(tables, planned, kernels, false, suffix, []) }
  })
  const kernels = pool.add(variants.general)
  const general = functionView(tables, variants.general, kernels, true, '', fixed.map((f) => f.special))
  return { functions: [...fixed.map((f) => f.view), general], kernels: [...fixed.flatMap((f) => f.kernels), ...kernels] }
}
