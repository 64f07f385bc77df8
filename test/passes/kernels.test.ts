/** Golden cases of fusion: which values are computed together, which are stored and where. */
import { describe, expect, test } from 'vitest'
import { parseModule } from '../../compiler/ir/graph-parse.js'
import { verifyModule } from '../../compiler/ir/verify.js'
import { inferType } from '../../compiler/ops/type-rules.js'
import { isRepeatable } from '../../compiler/passes/choose-stores.js'
import { formKernels } from '../../compiler/passes/form-kernels.js'
import { planGraph } from '../../compiler/pipeline.js'
import { checkPlan } from '../fuzz/check-plan.js'
import { fuzzCases } from '../fuzz/fuzz-cases.js'
import { goldenFiles } from '../golden-files.js'
import { printKernels } from './kernel-graph-text.js'

describe('form-kernels', () => {
  goldenFiles(new URL('kernels/', import.meta.url).pathname, (before) => {
    const module = parseModule(before)
    verifyModule(module, inferType)
    return module.functions.map((graph) => {
      checkPlan(graph.name, planGraph(graph, { fuse: true }))
      return printKernels(graph, formKernels(graph))
    }).join('\n')
  })

  test('without fusion every kernel computes one op', () => {
    for (const c of fuzzCases(0, 60)) {
      for (const kernel of formKernels(c.optimized, { fuse: false }).kernels) expect(kernel.nodes.length, `seed ${c.seed}, ${kernel.name}`).toBe(1)
    }
  })

  test('every value is stored by one kernel, and computed by one unless it is cheap', () => {
    for (const c of fuzzCases(0, 200)) {
      const { kernels } = formKernels(c.optimized)
      for (const nodes of [kernels.flatMap((k) => k.stored), kernels.flatMap((k) => k.nodes).filter((node) => !isRepeatable(node))]) {
        expect(new Set(nodes).size, `seed ${c.seed}`).toBe(nodes.length)
      }
      checkPlan(`seed ${c.seed}`, planGraph(c.optimized, { fuse: true }))
    }
  })
})
