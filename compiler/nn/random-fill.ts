/** Arrays of random numbers from Philox, for first values of weights. A stream is a seed and a number. */
import { philox4x32 } from '../../runtime/contract/philox.js'

export type Stream = { readonly seed: number; readonly stream: number }

/**
 * Element `e` as `randomUniform` of the contract gives it at `step`: uniform in [0, 1) with 24 bits. Whole blocks are
 * computed once, which makes large weights four times faster.
 */
export function fillUniform(size: number, { seed, stream }: Stream, step = 0): Float64Array {
  const result = new Float64Array(size)
  for (let block = 0; block * 4 < size + 63; block++) {
    const words = philox4x32([block >>> 0, Math.floor(block / 0x100000000), step, 0], [seed, stream])
    const first = Math.floor(block / 16) * 64 + (block % 16)
    for (let word = 0; word < 4; word++) {
      const element = first + 16 * word
      if (element < size) result[element] = (words[word]! >>> 8) * 2 ** -24
    }
  }
  return result
}

/** Standard normal numbers by Box and Muller, from steps `2 * round` and `2 * round + 1` of the stream. */
export function fillNormal(size: number, stream: Stream, round = 0): Float64Array {
  const radius = fillUniform(size, stream, 2 * round)
  const angle = fillUniform(size, stream, 2 * round + 1)
  return radius.map((u, i) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * angle[i]!))
}

/** Standard normal numbers within two deviations: those outside are drawn again, as TensorFlow does. */
export function fillTruncatedNormal(size: number, stream: Stream): Float64Array {
  const result = fillNormal(size, stream)
  let open = [...result.keys()].filter((i) => Math.abs(result[i]!) > 2)
  for (let round = 1; open.length > 0; round++) {
    const again = fillNormal(open.length, stream, round)
    open.forEach((at, i) => { result[at] = again[i]! })
    open = open.filter((at) => Math.abs(result[at]!) > 2)
  }
  return result
}

/** Orthonormal columns (`rows >= columns`), by Gram-Schmidt done twice on a normal matrix. Column-major. */
export function orthonormalColumns(rows: number, columns: number, stream: Stream): Float64Array {
  const q = fillNormal(rows * columns, stream)
  const column = (i: number): Float64Array => q.subarray(i * rows, (i + 1) * rows)
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, x, k) => s + x * b[k]!, 0)
  for (let j = 0; j < columns; j++) {
    const v = column(j)
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const u = column(i)
        const along = dot(u, v)
        for (let k = 0; k < rows; k++) v[k] = v[k]! - along * u[k]!
      }
    }
    const norm = Math.sqrt(dot(v, v))
    for (let k = 0; k < rows; k++) v[k] = v[k]! / norm
  }
  return q
}
