/** Prints the progress of `fit`: Keras' `ProgbarLogger`. */
import { Callback } from './callbacks.js'
import type { Logs } from './contract/fit-types.js'
import { monotonicClock, Progbar } from './progbar.js'
import type { Clock, TextOutput } from './progbar.js'

export type Screen = { readonly output: TextOutput; readonly clock: Clock }
export const processScreen: Screen = { output: process.stdout, clock: monotonicClock }

/** The callback that prints progress as Keras does; `fit` adds it by itself unless `verbose` is 0. */
export class ProgbarLogger extends Callback {
  #bar: Progbar | null = null
  #seen = 0
  #values: (readonly [string, number])[] = []

  /** @param statefulMetrics names whose batch values are running values already: all but the loss. */
  constructor(readonly statefulMetrics: readonly string[] = [], readonly screen: Screen = processScreen) { super() }

  override onEpochBegin(epoch: number): void {
    const { verbose, epochs, samples } = this.params
    this.#seen = 0
    this.#values = []
    this.#bar = verbose === 0 ? null : new Progbar(samples, { ...this.screen, verbose, statefulMetrics: this.statefulMetrics })
    if (verbose !== 0) this.screen.output.write(`Epoch ${epoch + 1}/${epochs}\n`)
  }

  override onBatchEnd(_batch: number, logs: Logs): void { this.#advance(logs, true) }

  /** The end of a batch that will not be shown, because a later one already ended. */
  absorb(logs: Logs): void { this.#advance(logs, false) }

  /**
   * The last batch is left to the end of the epoch. Its loss is then taken in together with that of the epoch, both
   * with the weight of the last batch: Keras does the same, and the final number shown depends on it.
   */
  #advance(logs: Logs, show: boolean): void {
    if (this.#bar === null) return
    this.#seen += logs['size'] ?? 0
    this.#values = this.#shown(logs)
    if (this.#seen >= (this.params.samples ?? Infinity)) return
    if (show) this.#bar.update(this.#seen, this.#values)
    else this.#bar.absorb(this.#seen, this.#values)
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.#bar?.update(this.#seen, [...this.#values, ...this.#shown(logs)])
  }

  #shown(logs: Logs): (readonly [string, number])[] {
    return this.params.metrics.flatMap((name) => (logs[name] === undefined ? [] : [[name, logs[name]] as const]))
  }
}
