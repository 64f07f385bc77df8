/**
 * What Keras keeps globally between two `clearSession()` calls: counters behind unique names, scopes of weight names,
 * the seed of initializers without one, and the run that is in progress while layers call each other.
 */
import type { Stream } from './random-fill.js'
import type { RunScope } from './run-scope.js'

/** `conv_lst_m2d` of `ConvLSTM2D`: the two substitutions of `keras.engine.base_layer._to_snake_case`, odd ones included. */
export function toSnakeCase(className: string): string {
  const intermediate = className.replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
  const snake = intermediate.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  return snake.startsWith('_') ? `private${snake}` : snake
}

/** Classes and functions of the user by the names that configurations use. */
export type CustomObjects = Readonly<Record<string, unknown>>

export class Session {
  private uids = new Map<string, number>()
  private scopes = new Map<string, number>()
  private scopePath = ''
  private seed: number = Math.floor(Math.random() * 0x100000000)
  private draws = 0
  private claimed: Stream | null = null
  private run: RunScope | null = null
  private custom: CustomObjects = {}

  /** 1, 2, … for each prefix. */
  uid(prefix: string): number {
    const next = (this.uids.get(prefix) ?? 0) + 1
    this.uids.set(prefix, next)
    return next
  }

  /** Name of a new layer of this class: `dense_1`, `dense_2`, … */
  layerName = (className: string): string => `${toSnakeCase(className)}_${this.uid(className)}`
  /** Name of a new model: Keras only lowers the case (`mymodel_1`). */
  modelName = (className: string): string => `${className.toLowerCase()}_${this.uid(className.toLowerCase())}`

  /**
   * Runs `body` in the name scope of a layer that is being built. As in TensorFlow, a scope that was used before gets
   * a suffix: the weights of a second layer `d` are `d_1/kernel:0`.
   */
  inScope<T>(name: string, body: () => T): T {
    const outer = this.scopePath
    this.scopePath = this.uniqueScope(outer === '' ? name : `${outer}/${name}`)
    try {
      return body()
    } finally {
      this.scopePath = outer
    }
  }

  private uniqueScope(wanted: string): string {
    const used = this.scopes.get(wanted) ?? 0
    this.scopes.set(wanted, used + 1)
    if (used === 0) return wanted
    let suffix = used
    while (this.scopes.has(`${wanted}_${suffix}`)) suffix++
    this.scopes.set(`${wanted}_${suffix}`, 1)
    return `${wanted}_${suffix}`
  }

  /** Full name of a weight made now: `dense_1/kernel:0`. */
  weightName = (name: string): string => (this.scopePath === '' ? `${name}:0` : `${this.scopePath}/${name}:0`)

  /** Makes every initializer without a seed of its own reproducible from here on. */
  setSeed(seed: number): void {
    this.seed = seed >>> 0
    this.draws = 0
  }

  /** Seed of one model's shuffling and random layers: another for each model, the same in each run after `setSeed`. */
  claimSeed = (): number => (this.seed + Math.imul(0x9e3779b9, ++this.draws)) >>> 0

  /** The stream for a weight that will be drawn later. */
  claimDraw = (): Stream => ({ seed: this.seed, stream: ++this.draws })

  /** Initializers called by `body` without a seed of their own use `stream`. */
  withDraw<T>(stream: Stream, body: () => T): T {
    const outer = this.claimed
    this.claimed = stream
    try {
      return body()
    } finally {
      this.claimed = outer
    }
  }

  /** Seed and stream of one initializer; an explicit seed always gives the same numbers, as in Keras. */
  nextDraw = (seed: number | null): Stream => (seed === null ? (this.claimed ?? this.claimDraw()) : { seed: seed >>> 0, stream: 0 })

  /** The run in progress: layers called inside another layer's `call` take part in it. */
  get currentRun(): RunScope | null { return this.run }

  /** Runs `body` as part of `run`. Not for async bodies. */
  withRun<T>(run: RunScope, body: () => T): T {
    const outer = this.run
    this.run = run
    try {
      return body()
    } finally {
      this.run = outer
    }
  }

  get customObjects(): CustomObjects { return this.custom }

  /** `CustomObjectScope`: `objects` are known by name while `body` runs. */
  withCustomObjects<T>(objects: CustomObjects, body: () => T): T {
    const outer = this.custom
    this.custom = { ...outer, ...objects }
    try {
      return body()
    } finally {
      this.custom = outer
    }
  }

  /** `K.clearSession()`: names count from 1 again. */
  clear(): void {
    this.uids = new Map()
    this.scopes = new Map()
    this.scopePath = ''
    this.draws = 0
  }
}

/** The session of this process; Keras' API has no other place for it. */
export const session = new Session()
/** Starts names from 1 again, as `K.clear_session()`. Models made before stay usable. */
export const clearSession = (): void => session.clear()

/** Makes initial weights, shuffling and dropout of everything made from here on the same in each run. */
export const setSeed = (seed: number): void => session.setSeed(seed)
