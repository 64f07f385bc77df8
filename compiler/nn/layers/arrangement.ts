/** Permute and RepeatVector: the same elements in another arrangement. */
import { ValueError } from '../../../runtime/contract/errors.js'
import { broadcastTo, expandDims, transpose } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import { integer, integers } from '../option.js'
import { tupleText } from '../python-text.js'
import type { KShape } from '../shape.js'

/** The permutation with the batch in front. @throws ValueError when an axis is missing or out of range. */
function permutation(dims: readonly number[], shape: KShape): number[] {
  const outside = dims.find((d) => d < 1 || d >= shape.length)
  if (outside !== undefined) throw new ValueError(`perm dim ${outside} is out of range of input rank ${shape.length}`, null, `expected: each of 1 to ${shape.length - 1} once, the batch not counted\nfound:    ${tupleText(dims)}`)
  if (new Set(dims).size !== dims.length) throw new ValueError(`${dims.find((d, i) => dims.indexOf(d) !== i)} is duplicated in perm.`)
  return [0, ...dims]
}

/** `Permute([2, 1])`: axis i of the result is axis `dims[i - 1]` of the input; the batch stays first. */
export const Permute = defineLayer({
  className: 'Permute',
  doc: 'The axes in another order: [B, 3, 4] becomes [B, 4, 3] by dims [2, 1].',
  positional: ['dims'],
  options: { dims: integers('axes of the input, counted from 1 after the batch') },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, [shape]) => {
    layer.inputSpec = { ndim: layer.dims.length + 1 }
    if (shape!.length === layer.dims.length + 1) permutation(layer.dims, shape!)
  },
  call: (layer, [x]) => transpose(x!, [0, ...layer.dims]),
  outputShape: (layer, [shape]) => permutation(layer.dims, shape!).map((axis) => shape![axis] ?? null),
})

/** `RepeatVector(n)`: each row n times. */
export const RepeatVector = defineLayer({
  className: 'RepeatVector',
  doc: '[B, features] to [B, n, features]: each row n times.',
  positional: ['n'],
  options: { n: integer('how many times', undefined, 0) },
  acceptsInputDim: false,
  inputSpec: { ndim: 2 },
  build: null,
  call: (layer, [x]) => {
    const [batch, features] = x!.type.shape
    return broadcastTo(expandDims(x!, 1), [batch!, layer.n, features!])
  },
  outputShape: (layer, [shape]) => [shape![0] ?? null, layer.n, shape![1] ?? null],
})
