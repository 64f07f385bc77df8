/**
 * Random networks of convolutions, pooling and what stands between them, with their gradients and updates: compiled fused,
 * unfused and for a fixed batch, against the interpreter; the same bits with any number of threads. `KCC_NETWORKS=<count>`
 * tests more, `KCC_NETWORK_FIRST=<seed>` others, `KCC_NETWORK_SEED=<seed>` one alone and prints it.
 */
import { expect, test } from 'vitest'
import { specialize } from '../../compiler/passes/specialize.js'
import { planGraph } from '../../compiler/pipeline.js'
import { arenaBytes } from '../../compiler/plan/plan-memory.js'
import { emptyTally, failures, prepare, tallyText } from './fuzz-batch.js'
import { fixedBatch, formsOf, type FuzzCase } from './fuzz-cases.js'
import { randomNetwork } from './random-network.js'

process.env['KCC_POISON'] = '1'

const only = process.env['KCC_NETWORK_SEED']
const size = only === undefined ? Number(process.env['KCC_NETWORKS'] ?? 100) : 1
const first = Number(only ?? process.env['KCC_NETWORK_FIRST'] ?? 0)

test(`${size} random networks`, async () => {
  const total = emptyTally()
  const ready = await prepare({ prefix: 'networks', first, size, random: randomNetwork, batches: [1, 3] })
  const found = failures(ready, total, 'KCC_NETWORK_SEED', only !== undefined)
  ready.native.close()
  process.stdout.write(tallyText(total))
  expect(found).toBe('')
  // Some of those just called had more room to ask for than the general function has.
  if (only === undefined) expect(ready.cases.filter((c) => formsOf(c).includes('fixed')).some(needsMoreWhenFixed)).toBe(true)
  // Where roundings decide which of two elements is the largest of a whole image, its gradient has no bound.
  expect(total.unknown).toBeLessThan(total.elements / 50)
}, 900_000)

/** Who shares memory is decided for each plan: one for a fixed batch may need more than the general one at that batch. */
const needsMoreWhenFixed = ({ optimized }: FuzzCase): boolean => {
  const dims = { B: fixedBatch }, bytes = (graph: FuzzCase['optimized']): number => arenaBytes(planGraph(graph, { fuse: true }).memory, dims)
  return bytes(specialize(optimized, dims)) > bytes(optimized)
}
