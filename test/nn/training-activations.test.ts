/** Activations and their gradients against Keras, at the points where they bend too. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import type { Node } from '../../compiler/ir/graph.js'
import * as activations from '../../compiler/nn/activations.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { input } from '../../compiler/ops/build.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { evaluate, expectClose, golden, hasGolden } from './training-shared.js'

type Case = { python: string; x: unknown; y: unknown; dy_dx?: unknown }
const cases: Case[] = hasGolden ? (JSON.parse(readFileSync(join(golden, 'preprocessing', 'activations.json'), 'utf8')) as { cases: Case[] }).cases : []

const flat = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flat) : [Number(x)])
const shapeOf = (x: unknown): number[] => (Array.isArray(x) ? [x.length, ...shapeOf(x[0])] : [])

type Call = (x: KTensor, options?: unknown) => KTensor
/** `relu(x, max_value=3.)` as a function of a tensor. */
function parse(python: string): (x: KTensor) => KTensor {
  const [, name, rest] = /^(\w+)\(x(?:, (.*))?\)$/.exec(python)!
  const camel = (s: string): string => s.replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase())
  const f = (activations as unknown as Record<string, Call>)[camel(name!)]!
  const options = Object.fromEntries((rest ?? '').split(', ').filter((s) => s !== '').map((s) => { const [k, v] = s.split('='); return [camel(k!), Number(v)] }))
  if (name === 'relu') return (x) => f(x, options)
  return (x) => f(x, ...Object.values(options))
}

describe.skipIf(!hasGolden)('activations', () => {
  for (const c of cases) {
    const x: Tensor = { shape: shapeOf(c.x), data: Float64Array.from(flat(c.x)) }
    const leaf: Node = input('x', { dtype: 'float32', shape: x.shape })
    const y = (): Node => parse(c.python)(new KTensor(leaf)).node
    it(c.python, () => expectClose(evaluate(y(), { x }).data, flat(c.y), 1e-5, 1e-6, c.python))
    if (c.dy_dx === undefined) continue
    it(`gradient of ${c.python}`, () => {
      const node = y()
      const [gradient] = gradients(node, input('seed', node.type), [leaf])
      const seed: Tensor = { shape: x.shape, data: new Float64Array(x.data.length).fill(1) }
      expectClose(evaluate(gradient!, { x, seed }).data, flat(c.dy_dx), 1e-4, 1e-6, `gradient of ${c.python}`)
    })
  }
})
