/** Random functions with the forms in which each is compiled. */
import type { Graph, Module } from '../../compiler/ir/graph.js'
import { printModule } from '../../compiler/ir/graph-text.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import { Observer } from '../../compiler/observer.js'
import { inferType } from '../../compiler/ops/type-rules.js'
import { optimize } from '../../compiler/pipeline.js'
import type { Task } from '../compiled/native-functions.js'
import { randomFunction, type RandomFunction } from './random-function.js'

export type FuzzCase = RandomFunction & { readonly optimized: Graph; readonly module: Module }

/** The batch size that specialized functions have kernels for. */
export const fixedBatch = 3

export const fuzzCases = (first: number, count: number, random: (seed: number) => RandomFunction = randomFunction): FuzzCase[] =>
  Array.from({ length: count }, (_, i) => fuzzCase(random(first + i)))

function fuzzCase(made: RandomFunction): FuzzCase {
  const module = optimize({ name: 'm', variables: made.variables, scalars: made.scalars, functions: [made.graph] }, new Observer('m', (m) => verifyModule(m, inferType), printModule))
  return { ...made, module, optimized: module.functions[0]! }
}

export const forms = ['fused', 'unfused', 'fixed'] as const
export type Form = (typeof forms)[number]
export const nameOf = (c: FuzzCase, form: Form): string => `f${c.seed}_${form}`

/** Every fourth function also with fixed kernels. */
export const formsOf = (c: FuzzCase): readonly Form[] => (c.seed % 4 === 0 ? forms : ['fused', 'unfused'])

export const tasksOf = (c: FuzzCase): Task[] => formsOf(c).map((form): Task => ({
  name: nameOf(c, form), graph: c.optimized, variables: c.module.variables, scalars: c.module.scalars,
  fuse: form !== 'unfused', specialize: form === 'fixed' ? [{ B: fixedBatch }] : [],
}))
