/** Activations and their gradients. */
import * as activations from '../../compiler/nn/activations.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import type { Node } from '../../compiler/ir/graph.js'
import { input } from '../../compiler/ops/build.js'
import { gradients } from '../../compiler/ops/gradients.js'
import type { GoldenCase, Prepared } from './case.js'
import type { FunctionGroup } from './native-batch.js'
import { camelOptions, parseCall, type PythonValue } from './python-call.js'
import { arrayOf, defaultTolerance, exported, groupedCases, leaf } from './small-cases.js'
import { flatNumbers, jsonVector } from './vectors.js'

type Case = { readonly python: string; readonly x: unknown; readonly y: unknown; readonly dy_dx?: unknown }
type Activation = (x: KTensor, option?: PythonValue | object) => KTensor

export const activationCases = (): GoldenCase[] =>
  groupedCases(jsonVector<{ cases: Case[] }>('preprocessing', 'activations.json').cases, (c) => `activations: ${c.python}`, () => true, prepare)

function prepare(c: Case, group: FunctionGroup): Prepared {
  const array = arrayOf(c.x)
  const x = leaf('x', array.shape)
  const y = apply(c.python, x)
  const seedNode = input('seed', y.type)
  const [slope] = gradients(y, seedNode, [x])
  const seed = { ...array, data: new Float32Array(array.data.length).fill(1) }
  const outputs = [{ name: 'y', node: y }, ...(slope ? [{ name: 'slope', node: slope }] : [])]
  const call = group.add({ inputs: [x, seedNode], outputs })
  return (check) => {
    const got = call([array, seed])
    check.close('y', got['y'], flatNumbers(c.y), defaultTolerance)
    if (c.dy_dx !== undefined) check.close('dy/dx', got['slope'], flatNumbers(c.dy_dx), defaultTolerance)
  }
}

/** `relu` takes its options in an object, the others their only one by itself. */
function apply(python: string, x: Node): Node {
  const { call, options } = parseCall(python)
  const f = exported<Activation>(activations, 'activation', call)
  const given = camelOptions(options)
  return (call === 'relu' ? f(new KTensor(x), given) : f(new KTensor(x), ...Object.values(given).slice(0, 1))).node
}
