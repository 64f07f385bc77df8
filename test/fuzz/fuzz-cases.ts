/** Random functions with the forms in which each is compiled. */
import type { Precision } from '../../runtime/contract/manifest.js'
import type { Graph, Module } from '../../compiler/ir/graph.js'
import { printModule } from '../../compiler/ir/graph-text.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import { Observer } from '../../compiler/observer.js'
import { inferType } from '../../compiler/ops/type-rules.js'
import { optimize } from '../../compiler/pipeline.js'
import type { Task } from '../compiled/native-functions.js'
import { randomFunction, type RandomFunction } from './random-function.js'

/** `meaning` is what compiled code is compared with: the function as it was drawn, or where products are rounded, that with the roundings. */
export type FuzzCase = RandomFunction & { readonly optimized: Graph; readonly meaning: Graph; readonly module: Module }

/** The batch size that specialized functions have kernels for. */
export const fixedBatch = 3

export const fuzzCases = (first: number, count: number, random: (seed: number) => RandomFunction = randomFunction, precision: Precision = 'float32'): FuzzCase[] =>
  Array.from({ length: count }, (_, i) => fuzzCase(random(first + i), precision))

function fuzzCase(made: RandomFunction, precision: Precision): FuzzCase {
  const module = optimize({ name: 'm', variables: made.variables, scalars: made.scalars, functions: [made.graph] }, new Observer('m', (m) => verifyModule(m, inferType), printModule), precision)
  const optimized = module.functions[0]!
  return { ...made, module, optimized, meaning: precision === 'float32' ? made.graph : optimized }
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
