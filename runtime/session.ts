/** What the calls of one model share: the program, the lock around native work, the state of the random shuffles. */
import { RuntimeError } from './contract/errors.js'
import type { ModelManifest } from './contract/manifest.js'
import type { Device } from './device.js'
import type { Program, ProgramFunction } from './program.js'
import { processScreen } from './progbar-logger.js'
import type { Screen } from './progbar-logger.js'
import { ReadWriteLock } from './read-write-lock.js'
import { batchPermutation, permutation } from './shuffle.js'

export type SessionOptions = {
  /** Seed of shuffles and of the model's random ops; drawn at random when absent. */
  readonly seed?: number
  /** Where progress is printed and by which clock; the process's standard output by default. */
  readonly screen?: Screen
  /** Where the native module was opened; the CPU when absent. */
  readonly device?: Device
}

export class Session {
  readonly lock = new ReadWriteLock()
  readonly screen: Screen
  readonly model: ModelManifest
  readonly device: Device
  #fitting = false
  #closed = false
  #seed = 0
  #shuffles = 0
  #numbers = 0

  /** @throws RuntimeError for a module that is not a Keras model. */
  constructor(readonly program: Program, options: SessionOptions = {}) {
    const { model } = program.manifest
    if (model === null) throw new RuntimeError(`The module ${program.manifest.name} is not a model`)
    this.model = model
    this.screen = options.screen ?? processScreen
    this.device = options.device ?? { name: 'cpu', reason: 'the module was opened there' }
    this.setSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32))
  }

  get closed(): boolean { return this.#closed }
  get fitting(): boolean { return this.#fitting }

  /** Restarts all random numbers. @param seed integer in [0, 2^32). */
  setSeed(seed: number): void {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new RuntimeError(`A seed is an integer in [0, 2^32), found ${seed}`)
    this.#seed = seed
    this.#shuffles = 0
    this.program.native.setRandom(seed, 0)
  }

  /** The order of samples of the next epoch, or null for their own order. */
  nextOrder(samples: number, batchSize: number, shuffle: boolean | 'batch'): Int32Array | null {
    if (shuffle === false) return null
    const draw = this.#shuffles++
    return shuffle === 'batch' ? batchPermutation(samples, batchSize, this.#seed, draw) : permutation(samples, this.#seed, draw)
  }

  /** A number for what native code may keep until it is forgotten: the scalars of one run, or the inputs of several. */
  newNumber(): number { return ++this.#numbers }

  predictFunction(): ProgramFunction { return this.#function('predict', 'The model has no function `predict`') }
  evaluateFunction(): ProgramFunction { return this.#function('evaluate', NOT_COMPILED) }
  trainFunction(): ProgramFunction { return this.#function('trainStep', NOT_COMPILED) }

  #function(name: string, absent: string): ProgramFunction {
    this.checkOpen()
    const fn = this.program.find(name)
    if (fn === null) throw new RuntimeError(absent)
    return fn
  }

  checkOpen(): void {
    if (this.#closed) throw new RuntimeError(`The model ${this.model.name} has been closed`)
  }

  /** @throws RuntimeError while native code works on the variables, so that no half-written value is seen or made. */
  checkIdle(action: string, writes: boolean): void {
    this.checkOpen()
    if (writes ? this.lock.busy : this.lock.writing) {
      throw new RuntimeError(`${action} is not possible while the model is ${this.lock.writing ? 'being trained' : 'predicting'}: await the call in progress, or do it in a callback`)
    }
  }

  /** Runs `body` as the only fit of the model. @throws RuntimeError when another is in progress. */
  async exclusively<T>(body: () => Promise<T>): Promise<T> {
    if (this.#fitting) throw new RuntimeError('This model is already being trained: await the first fit before starting another')
    this.#fitting = true
    try {
      return await body()
    } finally {
      this.#fitting = false
    }
  }

  /** Refuses new work, waits for native work in progress and frees the module. Closing twice is allowed. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.lock.run(true, async () => this.program.native.close())
  }
}

const NOT_COMPILED = 'You must compile a model before training/testing. Use `model.compile(optimizer, loss)`.'
