/** Handwritten digits as images: the first ones of MNIST, or drawn ones where it cannot be had. */
import { NDArray } from 'kcc'
import { mnistOrDrawn } from './mnist-mlp/data.js'

export type Images = {
  /** Pixels in 0…1, (n, 28, 28, 1). */
  readonly x: NDArray
  /** Which digit each image shows. */
  readonly labels: readonly number[]
}

/** Read or drawn once for all programs of a process. */
let loaded: ReturnType<typeof mnistOrDrawn> | undefined

/** As many images as there are, at most `train` and `test`. */
export async function loadImages({ train, test }: { readonly train: number; readonly test: number }): Promise<{ train: Images; test: Images }> {
  const { source, digits } = await (loaded ??= mnistOrDrawn())
  console.log(source)
  return { train: images(digits.xTrain, digits.yTrain, train), test: images(digits.xTest, digits.yTest, test) }
}

function images(x: NDArray, y: NDArray, most: number): Images {
  const n = Math.min(most, x.shape[0]!)
  return {
    x: new NDArray(Float32Array.from(x.rows(0, n).data, (pixel) => pixel / 255), [n, 28, 28, 1]),
    labels: Array.from(y.rows(0, n).data),
  }
}

/** The images at these places, one after another. */
export function pick(x: NDArray, places: readonly number[]): NDArray {
  const picked = new Float32Array(places.length * x.rowSize)
  places.forEach((place, i) => picked.set(x.rows(place, place + 1).data as Float32Array, i * x.rowSize))
  return new NDArray(picked, [places.length, ...x.shape.slice(1)])
}

/**
 * Pairs of images by their places, in turn of one digit (label 1) and of two digits (label 0), as the siamese network
 * of the Keras examples makes them.
 */
export function createPairs(labels: readonly number[], random: () => number): { first: number[]; second: number[]; same: number[] } {
  const places = Array.from({ length: 10 }, (_, d) => labels.flatMap((label, i) => (label === d ? [i] : [])))
  const n = Math.min(...places.map((p) => p.length)) - 1
  const pairs = places.flatMap((own, d) => Array.from({ length: Math.max(0, n) }, (_, i) => {
    const other = places[(d + 1 + Math.floor(9 * random())) % 10]!
    return [[own[i]!, own[i + 1]!, 1], [own[i]!, other[i]!, 0]] as const
  }).flat())
  return { first: pairs.map(([a]) => a), second: pairs.map(([, b]) => b), same: pairs.map(([, , same]) => same) }
}
