/** The cases of the op records as functions to compile. */
import type { Graph } from '../../compiler/ir/graph.js'
import type { Sample } from '../../compiler/ops/define-op.js'
import { registry } from '../../compiler/ops/registry.js'
import { f32 } from '../../compiler/ops/samples.js'
import { opCase, opCases, type OpCase } from '../ops/cases.js'
import { emitTasks, type EmitTasksOptions, type PlannedTasks, type Task } from './native-functions.js'

export type CompiledCase = OpCase & { readonly scalars: Readonly<Record<string, number>> }

/** The records' own cases, and sizes at which compiled code changes its way: vectors of 4 and 8 lanes ± 1, tiles of products ± 1. */
export const compiledCases = (): CompiledCase[] =>
  [...opCases(), ...vectorCases(), ...tileCases()].map((c) => ({ ...c, scalars: Object.fromEntries(c.module.scalars.map((s) => [s.name, s.value])) }))

const vectorSizes = [4, 5, 7, 8, 9]

function vectorCases(): OpCase[] {
  return registry.filter((op) => op.lowering.kind === 'pointwise').flatMap((op) => {
    const [first] = op.samples
    return vectorSizes.map((size, i) => opCase(op, { ...first!, inputs: first!.inputs.map((type) => ({ ...type, shape: [size] })) }, 100 + i))
  })
}

/** Rows, columns and terms around the tiles of every level. */
const products: readonly (readonly [m: number, n: number, k: number])[] = [
  [5, 31, 16], [6, 32, 17], [7, 33, 15], [8, 47, 1], [12, 48, 2], [13, 49, 64], [14, 64, 63], [15, 65, 3], [24, 17, 129], [33, 9, 31], [2, 100, 40], [70, 7, 5],
]

function tileCases(): OpCase[] {
  const op = registry.find((o) => o.lowering.kind === 'contract')!
  return products.map(([m, n, k], i) => {
    const transposeA = i % 2 === 1, transposeB = i % 4 > 1
    const sample: Sample = { inputs: [transposeA ? f32(k, m) : f32(m, k), transposeB ? f32(n, k) : f32(k, n)], attrs: { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }) }, ulp: 64 }
    return opCase(op, sample, 100 + i)
  })
}

export const taskName = (c: OpCase, graph: Graph, fuse: boolean): string => `${c.name}_${graph.name}${fuse ? '' : '_unfused'}`

/** Not simplified first: a simplification would hide the op itself. */
export const emitCases = (name: string, cases: readonly CompiledCase[], forms: readonly boolean[] = [true, false], options: EmitTasksOptions = {}): PlannedTasks =>
  emitTasks(name, cases.flatMap((c) => c.module.functions.flatMap((graph) => forms.map((fuse): Task => ({
    name: taskName(c, graph, fuse), graph, fuse, variables: c.module.variables, scalars: c.module.scalars,
  })))), options)
