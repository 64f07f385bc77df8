/** A sequence of random numbers from Philox: the same for the same seed and stream, on every machine. */
import { philox4x32 } from '../../../runtime/contract/philox.js'

export class RandomSequence {
  private drawn = 0
  private words: readonly number[] = []

  constructor(private readonly seed: number, private readonly stream: number) {}

  /** The next 32 random bits. */
  bits(): number {
    const word = this.drawn % 4
    if (word === 0) this.words = philox4x32([this.drawn / 4, 0, 0, 0], [this.seed >>> 0, this.stream >>> 0])
    this.drawn++
    return this.words[word]!
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.bits() / 2 ** 32)
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform(0, count))
  }

  /** Normal with mean 0 and the given deviation (Box-Muller, one of the pair). */
  normal(deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(0, 1)))
    return deviation * radius * Math.cos(this.uniform(0, 2 * Math.PI))
  }
}
