/**
 * A sample of the op cases and of layers with windows built with AddressSanitizer and UndefinedBehaviorSanitizer: same results, and no report. The
 * calls run in a process of their own, whose runtime library the sanitizers replace.
 */
import { expect, test } from 'vitest'
import { checkCase } from './op-check.js'
import { emitTasks } from './native-functions.js'
import { compiledCases, emitCases, taskName } from './op-cases.js'
import { windowedCases } from './windowed/cases.js'
import { callsOf, checkRun, prepare, runOf, tasksOf } from './windowed/check.js'
import { buildSanitized, runSanitized, sanitizerLibrary } from './sanitized.js'
import { skipBecause } from '../skip-because.js'

/** Of every op its last two cases, which are the odd ones, and every ninth of all. */
const all = compiledCases()
const cases = all.filter((c, i) => i % 9 === 0 || all.findLastIndex((o) => o.op === c.op) - i < 2)

test(`${cases.length} op cases under sanitizers`, async ({ skip }) => {
  const library = sanitizerLibrary()
  if (library === null) return skipBecause(skip, 'the compiler has no libasan.so')
  const planned = emitCases('ops_sanitized', cases, [true])
  const calls = cases.flatMap((c) => [1, 2].flatMap((seed) => c.module.functions.map((graph) => ({
    task: taskName(c, graph, true), values: { inputs: c.inputs(seed), variables: c.variables(seed), scalars: c.scalars, seed, step: 3 },
  }))))
  const run = runSanitized(await buildSanitized(planned), library, planned, calls)
  expect(run.report).toBe('')
  expect(run.status).toBe(0)
  for (const c of cases) checkCase(run.results, c, true)
}, 600_000)

/** Every ninth layer with windows, of no sample and of several. */
const layers = windowedCases().filter((_, i) => i % 9 === 2).map(prepare)

test(`${layers.length} layers with windows under sanitizers`, async ({ skip }) => {
  const library = sanitizerLibrary()
  if (library === null) return skipBecause(skip, 'the compiler has no libasan.so')
  const planned = emitTasks('windowed_sanitized', layers.flatMap(tasksOf))
  const runs = layers.flatMap((p) => [0, 3].map((batch) => ({ p, values: runOf(p, batch) })))
  const run = runSanitized(await buildSanitized(planned), library, planned, runs.flatMap(({ p, values }) => callsOf(p, values)))
  expect(run.report).toBe('')
  expect(run.status).toBe(0)
  for (const { p, values } of runs) checkRun(run.results, p, values)
}, 600_000)
