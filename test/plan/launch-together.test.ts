/** Small kernels that do not wait for each other share a launch on a GPU, and nothing that waits does. */
import { expect, test } from 'vitest'
import type { Graph } from '../../compiler/ir/graph.js'
import { parseKernel } from '../../compiler/ir/loop-parse.js'
import { printKernel } from '../../compiler/ir/loop-text.js'
import { moduleSource } from '../../compiler/nn/module-source.js'
import * as b from '../../compiler/ops/build.js'
import { f32 } from '../../compiler/ops/samples.js'
import { assemble, cuda, defaultOptions, planGraph, planModule } from '../../compiler/pipeline.js'
import type { BoundKernel } from '../../compiler/plan/plan-function.js'
import { cases } from '../cuda/training-cases.js'

const kernelsOf = (outputs: Graph['outputs'], inputs: Graph['inputs']): readonly BoundKernel[] =>
  planGraph({ name: 'f', inputs, outputs, updates: [] }, { fuse: true, target: cuda }).kernels

/** Launches of each kernel. */
const shapes = (kernels: readonly BoundKernel[]): readonly (readonly [string, number])[] => kernels.map(({ program }) => [program.isAtOnce ? 'at once' : 'in turn', program.body.length])

const x = b.input('x', f32(8, 40)), y = b.input('y', f32(6, 40)), z = b.input('z', f32(3000, 2000)), u = b.input('u', f32(3000, 1000))

test('sums over different inputs are one launch', () => {
  const outputs = [x, y].map((input, i) => ({ name: `s${i}`, node: b.sum(input, [1]) }))
  const kernels = kernelsOf(outputs, [x, y])
  expect(shapes(kernels)).toEqual([['at once', 2]])
  const text = printKernel(kernels[0]!.program)
  expect(text).toContain(' beside teams of ')
  expect(printKernel(parseKernel(text))).toBe(text)
})

test('what waits for another is started after it', () => {
  const rows = b.sum(x, [1])
  const product = b.matmul(b.reshape(rows, [8, 1]), b.reshape(b.sum(y, [1]), [1, 6]))
  const kernels = kernelsOf([{ name: 'p', node: b.sum(product, [0]) }], [x, y])
  expect(shapes(kernels)).toEqual([['at once', 2], ['in turn', 1], ['in turn', 1]])
})

test('large ones have launches of their own', () => {
  const outputs = [z, u].map((input, i) => ({ name: `s${i}`, node: b.exp(input) }))
  expect(shapes(kernelsOf(outputs, [z, u]))).toEqual([['in turn', 1], ['in turn', 1]])
})

test('variables that wait for one norm are updated by one launch, and its terms do not wait for each other', () => {
  const source = moduleSource(cases['clipped']!.make())
  const step = planModule(assemble(source), source.model, { ...defaultOptions, target: cuda }).functions.at(-1)!.general
  const updates = step.kernels.filter(({ bindings }) => bindings.some(({ home, written }) => written && home.kind === 'variable' && home.name.startsWith('dense')))
  expect(updates.map(({ program }) => program.body.length)).toEqual([10])
  // After the last gradient of a weight: the last of the terms, their sum and what it makes of gradients, and the updates.
  const last = step.kernels.findLastIndex(({ program }) => program.body.some((s) => s.kind === 'contract'))
  expect(step.kernels.slice(last + 1).map(({ program }) => program.body.length)).toEqual([2, 1, 10])
})
