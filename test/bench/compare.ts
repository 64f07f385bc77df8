/** Whether two peers compute the same. */
import type { CheckAnswer } from './protocol.js'

export type Comparison = {
  readonly losses: readonly number[] | null
  /** Largest difference of a loss, relative to the loss; null of a peer that does not train. */
  readonly lossDifference: number | null
  /** Largest difference of a prediction, relative to the largest prediction. */
  readonly outputDifference: number
}

/**
 * Above these a peer does not compute what kcc does. Sums of float32 in another order differ by about 1e-6 of the largest
 * term in each layer. A relu whose input is 0 up to rounding lets a gradient through or not: with one such among 8 samples of
 * the autoencoder, losses differ by 5e-5 after four steps.
 */
export const OUTPUT_TOLERANCE = 1e-4, LOSS_TOLERANCE = 5e-4

const largest = (values: readonly number[]): number => values.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), 0)

export function comparison(found: CheckAnswer, wanted: CheckAnswer): Comparison {
  const { losses } = found, expected = wanted.losses
  const scale = largest(wanted.outputs.map(Math.abs))
  return {
    losses,
    lossDifference: losses === null || expected === null ? null : largest(losses.map((loss, i) => Math.abs(loss - expected[i]!) / Math.abs(expected[i]!))),
    outputDifference: found.outputs.length === wanted.outputs.length ? largest(found.outputs.map((v, i) => Math.abs(v - wanted.outputs[i]!))) / scale : Infinity,
  }
}

export const isSame = ({ lossDifference, outputDifference }: Comparison): boolean =>
  (lossDifference === null || lossDifference <= LOSS_TOLERANCE) && outputDifference <= OUTPUT_TOLERANCE
