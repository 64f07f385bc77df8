/**
 * Golden cases, one file each: `golden/<pass>/<case>.kir` holds the module before and after, parted by a line `---`.
 * The files are found, not listed; `UPDATE=1 npx vitest run test/passes` rewrites the parts after, for review in the diff.
 * Besides the text, both modules must verify and compute the same. `#` starts a comment.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { printModule } from '../../compiler/ir/graph-text.js'
import type { Graph, Module } from '../../compiler/ir/graph.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import { broadcastTo, mul, scalar, sub } from '../../compiler/ops/build.js'
import { interpret } from '../../compiler/ops/interpret.js'
import { leafName } from '../../compiler/ops/leaf.js'
import type { OptimizerUpdate } from '../../compiler/ops/optimizer-update.js'
import { inferType } from '../../compiler/ops/type-rules.js'
import { attachOptimizer } from '../../compiler/passes/attach-optimizer.js'
import { computeInParts } from '../../compiler/passes/compute-in-parts.js'
import { differentiate } from '../../compiler/passes/differentiate.js'
import { eliminateCommon } from '../../compiler/passes/eliminate-common.js'
import { eliminateDead } from '../../compiler/passes/eliminate-dead.js'
import { foldAffine } from '../../compiler/passes/fold-affine.js'
import { expandComposed } from '../../compiler/passes/expand-composed.js'
import { foldConstants } from '../../compiler/passes/fold-constants.js'
import { orderByWindows } from '../../compiler/passes/order-by-windows.js'
import { narrowProducts } from '../../compiler/passes/narrow-products.js'
import { pushIndexMaps } from '../../compiler/passes/push-index-maps.js'
import { roundProducts } from '../../compiler/passes/round-products.js'
import { recomputeCheap } from '../../compiler/passes/recompute-cheap.js'
import { storeNarrowBorders } from '../../compiler/passes/store-narrow-borders.js'
import { sinkViews } from '../../compiler/passes/sink-views.js'
import { simplify } from '../../compiler/passes/simplify.js'
import { thinProducts } from '../../compiler/passes/thin-products.js'
import { splitSums } from '../../compiler/passes/split-sums.js'
import { errorInUlp, randomSource, randomTensor } from '../ops/values.js'

const root = new URL('golden/', import.meta.url).pathname

const perFunction = (pass: (graph: Graph) => Graph) => (module: Module): Module => ({ ...module, functions: module.functions.map(pass) })

const gradientDescent: OptimizerUpdate = (parameters) => parameters.map(({ variable, gradient }) =>
  ({ variable: leafName(variable), node: sub(variable, mul(gradient, broadcastTo(scalar('lr'), gradient.type.shape))) }))

/** Of the cases for passes that take options: differentiate "loss" by all trainable variables. */
const specOf = (module: Module): { loss: string; parameters: string[] } =>
  ({ loss: 'loss', parameters: module.variables.filter((v) => v.trainable).map((v) => v.name) })

const passes: Record<string, (module: Module) => Module> = {
  'expand-composed': perFunction(expandComposed),
  simplify: perFunction(simplify),
  'fold-constants': perFunction(foldConstants),
  'eliminate-common': perFunction(eliminateCommon),
  'fold-affine': perFunction(foldAffine),
  'split-sums': perFunction(splitSums),
  'sink-views': perFunction(sinkViews),
  'recompute-cheap': perFunction(recomputeCheap),
  'narrow-products': perFunction(narrowProducts),
  'thin-products': perFunction(thinProducts),
  'store-narrow-borders': perFunction(storeNarrowBorders),
  'order-by-windows': perFunction(orderByWindows),
  'compute-in-parts': perFunction(computeInParts),
  'push-index-maps': perFunction(pushIndexMaps),
  'round-operands': perFunction(roundProducts({ format: 'tfloat32', between: false })),
  'round-products': perFunction(roundProducts({ format: 'bfloat16', between: true })),
  'eliminate-dead': eliminateDead,
  differentiate: (module) => perFunction((graph) => differentiate(graph, specOf(module)))(module),
  'attach-optimizer': (module) => perFunction((graph) => attachOptimizer(graph, { ...specOf(module), update: gradientDescent }))(module),
}

/** Outputs and updates for seeded values; every symbol is 3. */
function results(graph: Graph, module: Module): Record<string, Float64Array> {
  const random = randomSource(4), dims = { B: 3, T: 2 }
  const inputs = Object.fromEntries(graph.inputs.map((n) => [leafName(n), randomTensor(n.type, random, [-2, 2], dims)]))
  const variables = Object.fromEntries(module.variables.map((v) => [v.name, randomTensor(v, random)]))
  const scalars = Object.fromEntries(module.scalars.map((s) => [s.name, s.value]))
  const { outputs, updates } = interpret(graph, { inputs, variables, scalars, dims, seed: 1, step: 2, precision: 'f64' })
  return Object.fromEntries([...Object.entries(outputs), ...Object.entries(updates)].map(([name, t]) => [name, t.data]))
}

/**
 * Largest difference in units of the last place of float32. Passes that round to p digits may change a product of a few factors, each of
 * which is off by 2^-p, and what is made of it: 8 such roundings.
 */
const toleranceOf = (pass: string): number => (pass === 'round-operands' ? 8 * 2 ** (24 - 11) : pass === 'round-products' ? 8 * 2 ** (24 - 8) : 1)

/** What `after` computes that `before` also does is the same. */
function expectSameResults(before: Module, after: Module, tolerance: number): void {
  before.functions.forEach((graph, i) => {
    const expected = results(graph, before), actual = results(after.functions[i]!, before)
    for (const output of graph.outputs) expect(errorInUlp(actual[output.name]!, expected[output.name]!), output.name).toBeLessThan(tolerance)
  })
}

const withoutTrailing = (text: string): string => `${text.trimEnd()}\n`

for (const [name, pass] of Object.entries(passes)) {
  describe(name, () => {
    const files = readdirSync(join(root, name)).filter((f) => f.endsWith('.kir')).sort()
    test('has cases', () => expect(files.length).toBeGreaterThan(0))
    test.each(files)('%s', (file) => {
      const path = join(root, name, file)
      const [beforeText, expected] = readFileSync(path, 'utf8').split('\n---\n') as [string, string?]
      const before = parseModule(beforeText)
      verifyModule(before, inferType)
      const after = pass(before)
      verifyModule({ ...after, scalars: before.scalars }, inferType)
      expectSameResults(before, after, toleranceOf(name))
      expect(printModule(parseModule(printModule(after)))).toBe(printModule(after))
      if (process.env['UPDATE']) writeFileSync(path, `${withoutTrailing(beforeText)}---\n${printModule(after)}`)
      else expect(printModule(after)).toBe(expected)
    })
  })
}

test('every folder of cases belongs to a pass', () => {
  expect(readdirSync(root).sort()).toEqual(Object.keys(passes).sort())
})
