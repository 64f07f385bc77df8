/** K functions, compiled. */
import { readFileSync } from 'node:fs'
import { readNpz } from '../../compiler/files/npz.js'
import { KTensor } from '../../compiler/nn/tensor.js'
import { backendFunctions, backendInputs, type BackendTensors } from './backend-functions.js'
import { Unsupported, type GoldenCase, type Prepared } from './case.js'
import type { Arrays } from './models-shared.js'
import type { FunctionGroup } from './native-batch.js'
import { groupedCases, leaf } from './small-cases.js'
import { jsonVector, vectorPath } from './vectors.js'

type Vectors = { readonly cases: readonly Case[]; readonly rtol: number; readonly atol: number }
type Case = { readonly key: string; readonly python: string; readonly shape: readonly number[] }

export function backendCases(): GoldenCase[] {
  const vectors = jsonVector<Vectors>('preprocessing', 'backend.json')
  let arrays: Arrays | null = null
  const read = (): Arrays => (arrays ??= readNpz(readFileSync(vectorPath('preprocessing', 'backend.npz')), 'backend.npz'))
  return groupedCases(vectors.cases, (c) => `backend: ${c.python}`, (c) => c.python in backendFunctions, (c, group) => prepare(c, vectors, read(), group))
}

function prepare(c: Case, tolerance: Vectors, arrays: Arrays, group: FunctionGroup): Prepared {
  const make = backendFunctions[c.python]
  if (!make) throw new Unsupported(/K\.\w+/.exec(c.python)?.[0] ?? c.python)
  const leaves = backendInputs.map((name) => leaf(name, arrays[`in_${name}`]!.shape))
  const { node } = make(Object.fromEntries(backendInputs.map((name, i) => [name, new KTensor(leaves[i]!)])) as BackendTensors)
  const call = group.add({ inputs: leaves, outputs: [{ name: 'value', node }] })
  return (check) => {
    check.same('shape', node.type.shape, c.shape)
    check.close('value', call(backendInputs.map((name) => arrays[`in_${name}`]!))['value'], arrays[c.key]!.data, tolerance)
  }
}
