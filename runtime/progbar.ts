/** Keras' progress bar, character for character: the text depends only on the updates, the clock and whether a terminal shows it. */
import type { Verbose } from './contract/fit-types.js'
import { formatExponent, formatFixed } from './python-text.js'

/** Where progress is written. `process.stdout` is one. */
export type TextOutput = { write(text: string): unknown; readonly isTTY?: boolean }

/** Seconds since some fixed moment. */
export type Clock = () => number
export const monotonicClock: Clock = () => performance.now() / 1000

export type ProgbarOptions = {
  readonly output: TextOutput
  readonly clock: Clock
  readonly verbose?: Verbose
  /** Characters between the brackets; default 30. */
  readonly width?: number
  /** Least number of seconds between two updates on the screen; default 0.05. */
  readonly interval?: number
  /** Names whose values are shown as they are; all others are averaged over the steps. */
  readonly statefulMetrics?: readonly string[]
}

export type ProgbarValues = readonly (readonly [string, number])[]

/** Keras' progress bar, to the character. */
export class Progbar {
  readonly #target: number | null
  readonly #options: Required<ProgbarOptions>
  readonly #stateful: ReadonlySet<string>
  readonly #values = new Map<string, { sum: number; weight: number }>()
  readonly #start: number
  #seen = 0
  #totalWidth = 0
  #lastUpdate = -Infinity

  /** @param target number of steps, or null when unknown. */
  constructor(target: number | null, options: ProgbarOptions) {
    this.#target = target
    this.#options = { verbose: 1, width: 30, interval: 0.05, statefulMetrics: [], ...options }
    this.#stateful = new Set(this.#options.statefulMetrics)
    this.#start = options.clock()
  }

  /** Takes in the values of the steps since the last call without showing anything. */
  absorb(current: number, values: ProgbarValues): void {
    const steps = current - this.#seen
    for (const [name, value] of values) {
      const known = this.#values.get(name)
      if (this.#stateful.has(name)) this.#values.set(name, { sum: value, weight: 1 })
      else if (known === undefined) this.#values.set(name, { sum: value * steps, weight: steps })
      else { known.sum += value * steps; known.weight += steps }
    }
    this.#seen = current
  }

  /** Takes in values and shows them, unless the last update was less than the interval ago. */
  update(current: number, values: ProgbarValues = []): void {
    this.absorb(current, values)
    const now = this.#options.clock()
    if (this.#options.verbose === 1) {
      if (now - this.#lastUpdate < this.#options.interval && this.#target !== null && current < this.#target) return
      this.#draw(current, now - this.#start)
    } else if (this.#options.verbose === 2 && this.#finished(current)) {
      this.#options.output.write(` - ${formatFixed(now - this.#start, 0)}s${this.#averages((x) => x > 1e-3)}\n`)
    }
    this.#lastUpdate = now
  }

  #finished(current: number): boolean { return this.#target === null || current >= this.#target }

  /** One write per update, so that lines of several processes do not mix. */
  #draw(current: number, elapsed: number): void {
    const before = this.#totalWidth
    const head = this.#options.output.isTTY === true ? '\b'.repeat(before) + '\r' : '\n'
    const bar = this.#bar(current)
    let info = this.#timing(current, elapsed) + this.#averages((x) => Math.abs(x) > 1e-3)
    this.#totalWidth = bar.length + info.length
    if (before > this.#totalWidth) info += ' '.repeat(before - this.#totalWidth)
    if (this.#target !== null && current >= this.#target) info += '\n'
    this.#options.output.write(head + bar + info)
  }

  #bar(current: number): string {
    const target = this.#target
    if (target === null) return `${String(current).padStart(7)}/Unknown`
    const { width } = this.#options
    const filled = Math.floor(width * (current / target))
    const arrow = filled > 0 ? '='.repeat(filled - 1) + (current < target ? '>' : '=') : ''
    return `${String(current).padStart(String(target).length)}/${target} [${arrow}${'.'.repeat(Math.max(0, width - filled))}]`
  }

  #timing(current: number, elapsed: number): string {
    const perStep = current > 0 ? elapsed / current : 0
    if (this.#target !== null && current < this.#target) return ` - ETA: ${remaining(perStep * (this.#target - current))}`
    return ` - ${formatFixed(elapsed, 0)}s ${perStepText(perStep)}/step`
  }

  #averages(plain: (average: number) => boolean): string {
    let text = ''
    for (const [name, { sum, weight }] of this.#values) {
      const average = sum / Math.max(1, weight)
      text += ` - ${name}: ${plain(average) ? formatFixed(average, 4) : formatExponent(average, 4)}`
    }
    return text
  }
}

const two = (n: number): string => String(n).padStart(2, '0')

function remaining(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.floor(seconds % 60)]
  if (seconds > 3600) return `${h}:${two(m)}:${two(s)}`
  return seconds > 60 ? `${Math.floor(seconds / 60)}:${two(s)}` : `${Math.floor(seconds)}s`
}

function perStepText(seconds: number): string {
  if (seconds >= 1) return `${formatFixed(seconds, 0)}s`
  return seconds >= 1e-3 ? `${formatFixed(seconds * 1e3, 0)}ms` : `${formatFixed(seconds * 1e6, 0)}us`
}
