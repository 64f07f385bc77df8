/** What the tests of losses, metrics and training share: Keras' vectors, and small helpers around the plain evaluation. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { FileArray } from '../../compiler/files/file-array.js'
import type { Graph, Node } from '../../compiler/ir/graph.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { interpret } from '../../compiler/ops/interpret.js'

const here = dirname(fileURLToPath(import.meta.url))
/** The vectors written by Keras: `KCC_SHARED`, or the folder `shared` beside the repository. */
export const golden = join(process.env['KCC_SHARED'] ?? resolve(here, '../../../shared'), 'golden')
export const hasGolden = existsSync(golden)
if (!hasGolden) console.log(`skipped: tests against Keras' vectors, because ${golden} does not exist (set KCC_SHARED)`)

export const toTensor = (a: FileArray): Tensor => ({ shape: a.shape, data: Float64Array.from(a.data) })

/** Value of one node whose inputs are bound by name. */
export function evaluate(node: Node, inputs: Readonly<Record<string, Tensor>>, precision: 'f32' | 'f64' = 'f32'): Tensor {
  const graph: Graph = { name: 'test', inputs: [], outputs: [{ name: 'y', node }], updates: [] }
  return interpret(graph, { inputs, precision }).outputs['y']!
}

/** |got - want| <= atol + rtol |want| for every element. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, rtol: number, atol: number, what: string): void {
  expect(got.length, `${what}: number of elements`).toBe(want.length)
  const worst = Math.max(0, ...Array.from(want, (w, i) => (Object.is(w, got[i]) || (Number.isNaN(w) && Number.isNaN(got[i]!)) ? 0 : Math.abs(got[i]! - w) / (atol + rtol * Math.abs(w)))))
  expect(worst, `${what}: largest error in units of the tolerance; got ${Array.from(got).slice(0, 4).join(', ')}, want ${Array.from(want).slice(0, 4).join(', ')}`).toBeLessThanOrEqual(1)
}
