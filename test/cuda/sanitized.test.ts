/** A sample of the op cases as kernels for a GPU, executed by the host with AddressSanitizer and UndefinedBehaviorSanitizer: no thread leaves its buffers. */
import { expect, test } from 'vitest'
import { checkCase } from '../compiled/op-check.js'
import { compiledCases, emitCases, taskName } from '../compiled/op-cases.js'
import { buildSanitized, runSanitized, sanitizerLibrary } from '../compiled/sanitized.js'
import { skipBecause } from '../skip-because.js'
import { onSmallScale } from './device.js'

/** Of every op its last case, which is an odd one, and every thirtieth of all. */
const all = compiledCases()
const cases = all.filter((c, i) => i % 30 === 0 || all.findLastIndex((o) => o.op === c.op) === i)

test(`${cases.length} of ${all.length} op cases under sanitizers`, async ({ skip }) => {
  const library = sanitizerLibrary()
  if (library === null) return skipBecause(skip, 'the compiler has no libasan.so')
  const planned = emitCases('cuda_sanitized', cases, [true], { target: onSmallScale, kernelsPerUnit: 60 })
  const calls = cases.flatMap((c) => [1, 2].flatMap((seed) => c.module.functions.map((graph) => ({
    task: taskName(c, graph, true), values: { inputs: c.inputs(seed), variables: c.variables(seed), scalars: c.scalars, seed, step: 3 },
  }))))
  const run = runSanitized(await buildSanitized(planned, [], { kind: 'host' }), library, planned, calls)
  expect(run.report).toBe('')
  expect(run.status).toBe(0)
  for (const c of cases) checkCase(run.results, c, true)
})
