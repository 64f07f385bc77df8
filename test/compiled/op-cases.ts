/** The cases of the op records as functions to compile. */
import type { Graph } from '../../compiler/ir/graph.js'
import { opCases, type OpCase } from '../ops/cases.js'
import { emitTasks, type PlannedTasks, type Task } from './native-functions.js'

export type CompiledCase = OpCase & { readonly scalars: Readonly<Record<string, number>> }

export const compiledCases = (): CompiledCase[] =>
  opCases().map((c) => ({ ...c, scalars: Object.fromEntries(c.module.scalars.map((s) => [s.name, s.value])) }))

export const taskName = (c: OpCase, graph: Graph, fuse: boolean): string => `${c.name}_${graph.name}${fuse ? '' : '_unfused'}`

/** Not simplified first: a simplification would hide the op itself. */
export const emitCases = (name: string, cases: readonly CompiledCase[], forms: readonly boolean[] = [true, false]): PlannedTasks =>
  emitTasks(name, cases.flatMap((c) => c.module.functions.flatMap((graph) => forms.map((fuse): Task => ({
    name: taskName(c, graph, fuse), graph, fuse, variables: c.module.variables, scalars: c.module.scalars,
  })))))
