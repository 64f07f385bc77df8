/** Which results may take the place of a value that their kernel reads. */
import { expect, test } from 'vitest'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { f32 } from '../../compiler/ops/samples.js'
import { planGraph } from '../../compiler/pipeline.js'
import { replaceable } from '../../compiler/plan/in-place.js'

const x = b.input('x', f32(48, 48)), w = b.input('w', f32(48, 48))

/** Is `value`, which two products read, in the place of the first of them plus something? */
function isReplaced(plus: (product: Node, value: Node) => Node, product: (value: Node) => Node = (value) => b.matmul(b.matmul(value, w), w)): boolean {
  const value = b.exp(b.matmul(x, w)), sum = plus(product(value), value)
  const { kernels, memory } = planGraph({ name: 'f', inputs: [x, w], outputs: [{ name: 'y', node: b.matmul(sum, w) }], updates: [] }, { fuse: true })
  const at = kernels.findIndex((kernel) => [...replaceable(kernel).values()].some((values) => values.size > 0))
  if (at < 0) return false
  const [[result, values]] = [...replaceable(kernels[at]!)].filter(([, of]) => of.size > 0) as [[Node, ReadonlySet<Node>]]
  expect(memory.slotOf.get(result)).toBe(memory.slotOf.get([...values][0]!))
  return true
}

test('a sum takes the place of the value that a product is added to', () => {
  expect(isReplaced((product, value) => b.relu(b.add(product, value)))).toBe(true)
})

test('not where the value is read at other places, or by the product itself', () => {
  expect(isReplaced((product, value) => b.add(product, b.transpose(value)))).toBe(false)
  expect(isReplaced((product, value) => b.add(b.add(product, value), b.reverse(value, [0])))).toBe(false)
  expect(isReplaced((product, value) => b.add(product, value), (value) => b.matmul(value, w))).toBe(false)
})
