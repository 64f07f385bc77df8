/**
 * How far sums that are made in squares may be from the exact ones. What is rounded are numbers as large as the transforms of
 * magnitudes, so that for four results of a square and one piece of the windows (`native/include/kcc/gemm-square-transforms.h` has
 * the matrices)
 *
 *   |error| <= roundings * unit * |At| [ sum of (|G| |g| |Gt|) * (|Bt| |d| |B|) ] |A|
 *
 * and for the gradient of a filter the same of the transposed transforms. Roundings: one for each term of the sum, those of the
 * three transforms, and one for each further piece. (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3, applied to
 * each step.)
 */
import { piecesOf } from '../../../compiler/ir/loop.js'
import type { Tensor } from '../../../compiler/ops/define-op.js'

type Matrix = readonly (readonly number[])[]
/** |Bt|, |G| and |At|. */
type Magnitudes = { readonly pixels: Matrix; readonly filter: Matrix; readonly products: Matrix }

const ofTaps: Readonly<Record<number, Magnitudes>> = {
  3: { pixels: [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]], filter: [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]], products: [[1, 1, 1, 0], [0, 1, 1, 1]] },
  2: { pixels: [[1, 1, 0], [0, 1, 0], [0, 1, 1]], filter: [[1, 0], [1, 1], [0, 1]], products: [[1, 1, 0], [0, 1, 1]] },
}

/** Taps of a window: from (line, pixel) on, with the transforms of both directions. */
type Piece = { readonly line: number; readonly pixel: number; readonly down: Magnitudes; readonly across: Magnitudes }

const startsOf = (taps: readonly number[]): { readonly at: number; readonly of: Magnitudes }[] => taps.map((piece, i) => ({ at: taps.slice(0, i).reduce((sum, t) => sum + t, 0), of: ofTaps[piece]! }))
const piecesIn = (lines: number, pixels: number): Piece[] => startsOf(piecesOf(lines)).flatMap((down) => startsOf(piecesOf(pixels)).map((across) => ({ line: down.at, pixel: across.at, down: down.of, across: across.of })))

const unit = 2 ** -24
/** Two additions for a pixel, four for a filter, four for a result or a gradient, and the product. */
const roundingsOfTransforms = 11

const transposed = (m: Matrix): Matrix => m[0]!.map((_, j) => m.map((row) => row[j]!))
const times = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)))
/** a x bt. */
const both = (a: Matrix, x: Matrix, b: Matrix): Matrix => times(times(a, x), transposed(b))
/** A matrix for `a` and `b` to multiply. */
const grid = (a: Matrix, b: Matrix, at: (i: number, j: number) => number): Matrix => a[0]!.map((_, i) => b[0]!.map((__, j) => at(i, j)))

/** The magnitude of element [sample, y, x, channel] of a picture, 0 past its border. */
function magnitudes({ shape, data }: Tensor): (n: number, y: number, x: number, channel: number) => number {
  const [, height, width, channels] = shape as [number, number, number, number]
  return (n, y, x, channel) => (y < 0 || y >= height || x < 0 || x >= width ? 0 : Math.abs(data[((n * height + y) * width + x) * channels + channel]!))
}

/** Bounds of a convolution of `x`, whose first window begins `before` pixels before its border, with results of shape [samples, height, width, filters]. */
export function convolutionBounds(x: Tensor, kernel: Tensor, before: readonly number[], [samples, height, width, filters]: readonly number[]): Float64Array {
  const [lines, taps, inputs] = kernel.shape as [number, number, number], [above, left] = before as [number, number], pieces = piecesIn(lines, taps)
  const bounds = new Float64Array(samples! * height! * width! * filters!), roundings = inputs + roundingsOfTransforms + pieces.length - 1
  for (const { line, pixel, down, across } of pieces) {
    const transformed = Array.from({ length: inputs * filters! }, (_, pair) => both(down.filter, grid(down.filter, across.filter, (i, j) => Math.abs(kernel.data[((line + i) * taps + pixel + j) * inputs * filters! + pair]!)), across.filter))
    eachSquare(samples!, height!, width!, (n, y, c) => {
      const pixels = pixelsOf(x, down, across, (i, j) => [n, y + i + line - above, c + j + pixel - left])
      for (let f = 0; f < filters!; f++) {
        const sums = transformed[f]!.map((row, i) => row.map((_, j) => pixels.reduce((sum, p, channel) => sum + p[i]![j]! * transformed[channel * filters! + f]![i]![j]!, 0)))
        both(down.products, sums, across.products).forEach((row, i) => row.forEach((result, j) => {
          if (y + i < height! && c + j < width!) bounds[((n * height! + y + i) * width! + c + j) * filters! + f]! += roundings * unit * result
        }))
      }
    })
  }
  return bounds
}

/** Bounds of the gradient by the kernel, [lines, pixels, inputs, filters], of that convolution, of the results' gradients `slopes`. */
export function filterGradientBounds(x: Tensor, slopes: Tensor, before: readonly number[], [lines, taps, inputs, filters]: readonly number[]): Float64Array {
  const [samples, height, width] = slopes.shape as [number, number, number], [above, left] = before as [number, number], slope = magnitudes(slopes)
  const bounds = new Float64Array(lines! * taps! * inputs! * filters!), squares = samples * Math.ceil(height / 2) * Math.ceil(width / 2)
  for (const { line, pixel, down, across } of piecesIn(lines!, taps!)) {
    const sums = Array.from({ length: inputs! * filters! }, () => down.filter.map(() => across.filter.map(() => 0))), [spread, widened] = [transposed(down.products), transposed(across.products)]
    eachSquare(samples, height, width, (n, y, c) => {
      const pixels = pixelsOf(x, down, across, (i, j) => [n, y + i + line - above, c + j + pixel - left])
      const gradients = Array.from({ length: filters! }, (_, f) => both(spread, grid(spread, widened, (i, j) => slope(n, y + i, c + j, f)), widened))
      pixels.forEach((p, channel) => gradients.forEach((g, f) => p.forEach((row, i) => row.forEach((value, j) => { sums[channel * filters! + f]![i]![j]! += value * g[i]![j]! }))))
    })
    const [gathered, narrowed] = [transposed(down.filter), transposed(across.filter)]
    sums.forEach((sum, pair) => both(gathered, sum, narrowed).forEach((row, i) => row.forEach((bound, j) => {
      bounds[((line + i) * taps! + pixel + j) * inputs! * filters! + pair] = (squares + roundingsOfTransforms) * unit * bound
    })))
  }
  return bounds
}

function eachSquare(samples: number, height: number, width: number, body: (n: number, y: number, x: number) => void): void {
  for (let n = 0; n < samples; n++) for (let y = 0; y < height; y += 2) for (let x = 0; x < width; x += 2) body(n, y, x)
}

/** Transformed magnitudes of the pixels under a square, for each channel. */
function pixelsOf(x: Tensor, down: Magnitudes, across: Magnitudes, place: (i: number, j: number) => readonly [number, number, number]): Matrix[] {
  const at = magnitudes(x)
  return Array.from({ length: x.shape[3]! }, (_, channel) => both(down.pixels, grid(down.pixels, across.pixels, (i, j) => at(...place(i, j), channel)), across.pixels))
}
