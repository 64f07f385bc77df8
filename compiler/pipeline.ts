/**
 * THE list: every stage and pass a model goes through, in order. Each pass is checked by the verifier when
 * `KCC_VERIFY=1` (always in tests) and dumped to `KCC_DUMP=<dir>` as a numbered file when it changed something.
 */
import type { ModelManifest, Precision } from '../runtime/contract/manifest.js'
import { symbolsOf } from './ir/dim.js'
import { topological, rootsOf, type Graph, type Module } from './ir/graph.js'
import { printModule } from './ir/graph-text.js'
import type { KernelGraph } from './ir/kernel-graph.js'
import type { KernelProgram } from './ir/loop.js'
import { verifyKernel } from './ir/loop-verify.js'
import { verifyModule, type Infer } from './ir/verify.js'
import { scratchOf } from './emit/contract-kernel.js'
import { emitModules, kernelDigests, plansOf, type PlannedModule, type PlannedVariants } from './emit/emit-modules.js'
import type { Emitted } from './emit/sources.js'
import { opNamed } from './ops/registry.js'
import { lowerKernels } from './lower/lower-kernel.js'
import type { ModuleSource } from './nn/module-source.js'
import { attachOptimizer } from './passes/attach-optimizer.js'
import { computeInParts } from './passes/compute-in-parts.js'
import { eliminateCommon } from './passes/eliminate-common.js'
import { eliminateDead } from './passes/eliminate-dead.js'
import { expandComposed } from './passes/expand-composed.js'
import { foldAffine } from './passes/fold-affine.js'
import { foldConstants } from './passes/fold-constants.js'
import { formKernels, type FusionOptions } from './passes/form-kernels.js'
import { narrowProducts } from './passes/narrow-products.js'
import { orderByWindows } from './passes/order-by-windows.js'
import { pushIndexMaps } from './passes/push-index-maps.js'
import { recomputeCheap } from './passes/recompute-cheap.js'
import { indexLimits, runTimeDemands } from './passes/run-time-demands.js'
import { sinkViews } from './passes/sink-views.js'
import { simplify } from './passes/simplify.js'
import { roundProducts, type Rounding } from './passes/round-products.js'
import { launchTogether } from './plan/launch-together.js'
import { planFunction, type PlannedFunction } from './plan/plan-function.js'
import { blockedVariables, withBlocked } from './plan/variable-layout.js'
import { scheduleKernel } from './schedule/index.js'
import { cpu, cuda, type Target } from './schedule/target.js'
import { storeNarrowBorders } from './passes/store-narrow-borders.js'
import { splitSums } from './passes/split-sums.js'
import { thinProducts } from './passes/thin-products.js'
import { specialize } from './passes/specialize.js'
import { withDevice } from './emit/with-device.js'
import { enabled } from './support/env.js'
import { inPackage, kccVersion } from './support/paths.js'
import { Observer, timed } from './observer.js'

export { cpu, cuda }
export { whyStored } from './passes/why-stored.js'

export type PipelineOptions = FusionOptions & {
  readonly target?: Target
  /** `float32` by default. */
  readonly precision?: Precision
  /** Whether CPUs make sums over windows with fewer multiplications (`schedule/window-squares.ts`); they do by default. */
  readonly winograd?: boolean
  /** Sizes of symbols for which functions get fixed kernels beside the general ones. */
  readonly specialize?: readonly Readonly<Record<string, number>>[]
  readonly observer?: Observer
  /** See `EmitOptions`. */
  readonly timed?: boolean
}

export const defaultOptions: PipelineOptions = { fuse: true }

function targetOf({ target = cpu, winograd = true }: PipelineOptions): Target {
  return target.name === 'cpu' ? { ...target, sumsInSquares: target.sumsInSquares && winograd } : target
}

/** Graph passes, in order. */
export const graphPasses: readonly { readonly name: string; readonly run: (graph: Graph) => Graph }[] = [
  { name: 'expand-composed', run: expandComposed },  // first: all after it is in ops that become loops
  { name: 'simplify', run: simplify },               // before the others: local algebra exposes constants and equal nodes
  { name: 'fold-constants', run: foldConstants },    // after simplify, which moves constants together
  { name: 'split-sums', run: splitSums },            // before eliminate-common: sums of the parts may be there already
  { name: 'eliminate-common', run: eliminateCommon }, // after folding: equal constants make equal nodes
  { name: 'fold-affine', run: foldAffine },          // after eliminate-common, which shows what has one reader; in all functions, so that they agree
  { name: 'narrow-products', run: narrowProducts },  // after sharing too: how many read a product
  { name: 'thin-products', run: thinProducts },      // the same of places between strides
  { name: 'simplify-again', run: simplify },         // sharing and narrowing enable rules on equal operands and on slices
  { name: 'store-narrow-borders', run: storeNarrowBorders }, // last: simplification moves borders and takes from them
]

/** What products are rounded to, after all else is settled: passes before it may count on exact arithmetic. */
const roundings: Readonly<Record<Precision, Rounding | null>> = {
  float32: null,
  tf32: { format: 'tfloat32', between: false },
  mixed_bfloat16: { format: 'bfloat16', between: true },
}

/** Stage 1: the model's functions as one module; the training step is differentiated and given its updates here. */
export function assemble(source: ModuleSource): Module {
  const functions = [source.predict, ...(source.evaluate ? [source.evaluate] : []), ...(source.train ? [attachOptimizer(source.train.graph, source.train)] : [])]
  return { name: source.name, variables: source.variables, scalars: source.scalars, functions }
}

/** Stage 2: graph to graph. */
export function optimize(module: Module, observer: Observer, precision: Precision = 'float32'): Module {
  const rounding = roundings[precision]
  let current = observer.start(module, 'trace')
  for (const pass of [...graphPasses, ...(rounding ? [{ name: 'round-products', run: roundProducts(rounding) }] : [])]) {
    current = observer.step(pass.name, current, (m) => ({ ...m, functions: m.functions.map(pass.run) }))
  }
  // Last: drops variables and scalars that nothing reads or updates any more.
  return observer.step('eliminate-dead', current, eliminateDead)
}

const checked = (kernel: KernelProgram): KernelProgram => {
  if (enabled('KCC_VERIFY')) verifyKernel(kernel)
  return kernel
}

/** What makes values easier to fuse, and nothing else cheaper: left out where kernels are one op each. */
const fusionPasses: readonly ((graph: Graph) => Graph)[] = [
  computeInParts,
  simplify,          // after computeInParts, which takes operands apart
  recomputeCheap,
  pushIndexMaps,     // after recomputeCheap, which leaves more values with one reader
  sinkViews,         // last: what has become one kernel's work stays so
]

/** Stage 3. */
export function kernelsOf(graph: Graph, options: PipelineOptions): KernelGraph {
  const { rates, combinesInProducts, startsTogether } = targetOf(options)
  // First: the others see what meets in the new order.
  const passes = combinesInProducts ? [orderByWindows, ...fusionPasses] : fusionPasses
  const prepared = options.fuse ? timed(graph.name, 'prepare-fusion', () => passes.reduce((at, pass) => pass(at), graph)) : graph
  return timed(graph.name, 'form-kernels', () => formKernels(prepared, { fuse: options.fuse, rates, combinesInProducts, startsTogether }))
}

/** Stages 3 to 6: kernels, loops, schedule, memory. */
export function planGraph(graph: Graph, options: PipelineOptions): PlannedFunction {
  const target = targetOf(options)
  const kernels = kernelsOf(graph, options)
  const lowered = timed(graph.name, 'lower', () => lowerKernels(kernels))
  const bound = timed(graph.name, 'schedule', () => lowered.map(({ program, bindings }) => {
    const scheduled = checked(scheduleKernel(checked(program), target))
    return { program: scheduled, bindings, workspace: scratchOf(scheduled) }
  }))
  const launched = options.fuse && target.startsTogether ? launchTogether(bound, target).map((kernel) => ({ ...kernel, program: checked(kernel.program) })) : bound
  return timed(graph.name, 'plan', () => planFunction(kernels.graph, launched))
}

const inferred: Infer = (op, inputs, attrs) => opNamed(op).infer(inputs, attrs)

/** All stages up to planned functions. */
export function planModule(module: Module, model: ModelManifest | null, options: PipelineOptions): PlannedModule {
  const observer = options.observer ?? new Observer(module.name, (m) => verifyModule(m, inferred), printModule)
  const { precision = 'float32' } = options, optimized = optimize(module, observer, precision)
  const functions = optimized.functions.map((graph): PlannedVariants => ({
    general: planGraph(graph, options),
    constraints: runTimeDemands(graph), indices: indexLimits(graph),
    fixed: (options.specialize ?? []).map((sizes) => ({ sizes, planned: planGraph(specialize(graph, sizes), options) })),
  }))
  return { module: optimized, dims: dimsOf(optimized), functions: layOutVariables(functions, targetOf(options)), model, precision }
}

/** Stage 7, over all functions of a module: how the variables they share are stored. */
export function layOutVariables(functions: readonly PlannedVariants[], target: Target): readonly PlannedVariants[] {
  if (!target.readsBlocks) return functions
  const blocked = blockedVariables(functions.flatMap(plansOf))
  const stored = (planned: PlannedFunction): PlannedFunction => withBlocked(planned, blocked)
  return functions.map(({ general, fixed, ...rest }) => ({ ...rest, general: stored(general), fixed: fixed.map((f) => ({ ...f, planned: stored(f.planned) })) }))
}

/** Symbols of all functions, in the order in which calls pass them. */
export function dimsOf(module: Module): string[] {
  const nodes = module.functions.flatMap((graph) => topological([...graph.inputs, ...rootsOf(graph)]))
  return [...new Set(nodes.flatMap((node) => node.type.shape.flatMap(symbolsOf)))].sort()
}

/** The whole road from modules to sources. */
export const emit = (modules: readonly PlannedModule[], options: PipelineOptions): Emitted =>
  timed(modules.map(({ module }) => module.name).join(', '), 'emit', () =>
    emitModules(modules, { target: targetOf(options), templates: inPackage('templates'), version: kccVersion, timed: options.timed ?? false }))

/** Ends of the names of a function's kernels in what `emit` gives, in launch order. */
export const digestsOf = (planned: PlannedFunction, target: Target): readonly string[] => kernelDigests(planned, { target, templates: inPackage('templates') })

export const compileSources = (sources: readonly ModuleSource[], options: PipelineOptions = defaultOptions): Emitted =>
  emit(sources.map((source) => planModule(assemble(source), source.model, options)), options)

/** Code for GPUs beside that for CPUs, so that the file runs where there is no GPU. */
export const compileForBoth = (sources: readonly ModuleSource[], options: PipelineOptions = defaultOptions): Emitted =>
  withDevice(compileSources(sources, { ...options, target: cpu }), compileSources(sources, { ...options, target: cuda }))
