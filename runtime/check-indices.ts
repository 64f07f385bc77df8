/**
 * Checks of inputs that name rows of a table, such as the words of an Embedding. Native code reads nothing outside a table
 * whatever it is given; but zeros for an unknown word are not what anybody meant.
 */
import { ValueError } from './contract/errors.js'
import type { FunctionManifest, IndexLimit } from './contract/manifest.js'
import type { NDArray } from './ndarray.js'

/** @param arrays in the order of the function's inputs. @throws ValueError naming the input, the layer, the value and its place. */
export function checkIndices({ inputs, indices = [] }: FunctionManifest, arrays: readonly NDArray[]): void {
  for (const limit of indices) {
    const at = inputs.findIndex(({ name }) => name === limit.input)
    if (at >= 0) checkArray(limit, arrays[at]!)
  }
}

/** As in Keras, a value is cut to an integer first: 2.7 names row 2, and -0.5 row 0. NaN names none. */
function checkArray({ input, rows, layer }: IndexLimit, { data }: NDArray): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    if (value > -1 && value < rows) continue
    const owner = layer === '' ? '' : ` of ${layer}`
    throw new ValueError(`Error when checking input: the indices${owner} in ${input} must be in [0, ${rows}), but got ${Number.isNaN(value) ? 'nan' : value} at element ${i}`)
  }
}
