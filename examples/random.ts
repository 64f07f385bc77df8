/** The dummy data of the Keras guides, `np.random.random((1000, 20))` and its kin, the same at every run. */
import { NDArray } from 'kcc'

let state = 1337

/** A number in [0, 1): the generator `mulberry32`. */
export function uniform(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

/** Numbers in [0, 1). */
export const random = (shape: readonly number[]): NDArray => new NDArray(Float32Array.from({ length: size(shape) }, uniform), shape)

/** Whole numbers from 0 up to `high`, without it. */
export const randint = (high: number, shape: readonly number[]): NDArray =>
  new NDArray(Int32Array.from({ length: size(shape) }, () => Math.floor(high * uniform())), shape)

/** Numbers with the normal distribution around `loc` (Box and Muller's method). */
export const normal = (shape: readonly number[], { loc = 0, scale = 1 } = {}): NDArray =>
  new NDArray(Float32Array.from({ length: size(shape) }, () => loc + scale * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())), shape)
