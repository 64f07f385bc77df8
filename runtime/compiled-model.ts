/**
 * A compiled Keras model: what a package exports, and what runs behind a model built in a script.
 *
 * Overlapping calls: predictions and evaluations may run at the same time. A training step waits for those in
 * progress and holds up new ones, so that no call ever sees half-updated weights; `fit` lets waiting calls in every
 * 50 ms. An evaluation with metrics that keep a state, such as AUC, takes turns with other calls in the same way; each has
 * counts of its own. `predictSync` is let in by native code between any two steps. A second `fit` of a model that is being
 * trained is refused; so are calls that cannot wait and would mix the weights of several steps (`getWeights`,
 * `setWeights`, …) while steps are in progress. Inside a callback everything but a second `fit` is allowed.
 */
import { MetricAverages } from './metric-averages.js'
import { CallbackList } from './callback-list.js'
import type { History } from './callbacks.js'
import type { TypedArray } from './contract/dtype.js'
import { ValueError } from './contract/errors.js'
import type {
  ArrayData, CallbackModel, EvaluateOptions, EvaluateResult, FitOptions, PredictOptions, TestOnBatchOptions, TrainOnBatchOptions,
} from './contract/fit-types.js'
import type { ModuleManifest, Precision } from './contract/manifest.js'
import type { NativeModule } from './contract/native.js'
import type { Device } from './device.js'
import { evaluateData } from './evaluate.js'
import { fit } from './fit.js'
import { NDArray } from './ndarray.js'
import { predict } from './predict.js'
import { SyncPredictor } from './predict-sync.js'
import type { PredictSyncOptions } from './predict-sync.js'
import { Program } from './program.js'
import { Session } from './session.js'
import type { SessionOptions } from './session.js'
import { oneOrAll, testOnBatch, trainOnBatch } from './train-on-batch.js'
import { checkWholeBatches, chooseBatchSize, standardizeTraining } from './training-data.js'
import { choicesOf } from './tuned.js'
import type { TunedGpu } from './tuned.js'
import { loadVariables, saveVariables, setWeights } from './weights.js'
import type { WeightValues } from './weights.js'

/** A compiled model: `fit`, `evaluate`, `predict` and `predictSync` over native code, weights, and `close`. */
export class CompiledModel implements CallbackModel {
  readonly program: Program
  readonly #session: Session
  readonly #sync: SyncPredictor
  readonly #batchAverages: MetricAverages
  /** Set to true to end `fit` after the batches in progress. */
  stopTraining = false
  /** The record of the latest `fit`. */
  history: History | null = null

  constructor(native: NativeModule, manifest: ModuleManifest, options: SessionOptions = {}) {
    this.program = new Program(native, manifest)
    this.#session = new Session(this.program, options)
    this.#sync = new SyncPredictor(this.#session)
    this.#batchAverages = new MetricAverages(this.program, this.#session.model)
  }

  get name(): string { return this.#session.model.name }
  get inputNames(): readonly string[] { return this.#session.model.inputNames }
  get outputNames(): readonly string[] { return this.#session.model.outputNames }
  /** Names of the values of `evaluate`; empty for a model that was not compiled with a loss. */
  get metricsNames(): readonly string[] { return this.#session.model.metricsNames }
  get weightNames(): readonly string[] { return this.#session.model.weights }
  /** Where the model runs, `cpu` or a GPU such as `cuda:0`, and why. */
  get device(): Device { return this.#session.device }
  /**
   * What computes its products on a GPU where a library could, with what was measured; null on the CPU. Those of functions that have
   * not run yet are as `tuned.json` has them: that a library is missing or refuses is found when it is first asked.
   */
  get products(): TunedGpu | null { this.#session.checkOpen(); return choicesOf(this.program.native) }
  /** What the model computes with; `float32` unless it was built with `--precision`. */
  get precision(): Precision { return this.program.manifest.precision ?? 'float32' }
  /** Bytes of variables and working memory held by native code. */
  get memoryBytes(): number { this.#session.checkOpen(); return this.program.native.bytes() }
  get closed(): boolean { return this.#session.closed }

  /**
   * Trains for a number of epochs. Arrays must not be changed before it settles, by callbacks neither: a GPU may keep them from the
   * first epoch on, and then trains on what they held at that time, without a word (`FitOptions`).
   * @param owner the model that callbacks are given; this one unless another stands in front of it.
   * @throws ValueError for data that do not fit, RuntimeError without a loss or during another `fit`.
   */
  async fit(x: ArrayData, y: ArrayData, options: FitOptions = {}, owner: CallbackModel = this): Promise<History> {
    this.history = await fit(this.#session, x, y, options, owner)
    return this.history
  }

  /** The loss, or all of `metricsNames`, over a data set. */
  async evaluate(x: ArrayData, y: ArrayData, options: EvaluateOptions = {}, owner: CallbackModel = this): Promise<EvaluateResult> {
    const session = this.#session, fn = session.evaluateFunction(), verbose = options.verbose ?? 1
    const data = standardizeTraining(session.model, fn, x, y, options.sampleWeight)
    const batchSize = chooseBatchSize(options.batchSize, fn)
    checkWholeBatches(data.samples, fn)
    const callbacks = new CallbackList(options.callbacks ?? [], owner, {
      batchSize, epochs: 1, steps: null, samples: data.samples, verbose, doValidation: false, metrics: session.model.metricsNames,
    })
    return oneOrAll(await evaluateData(session, data, batchSize, callbacks, verbose))
  }

  /** The outputs for a data set: one array, or a list when the model has several outputs. */
  async predict(x: ArrayData, options: PredictOptions = {}, owner: CallbackModel = this): Promise<NDArray | NDArray[]> {
    const outputs = await predict(this.#session, x, options, owner)
    return outputs.length === 1 ? outputs[0]! : outputs
  }

  /** The outputs for all samples as one batch. */
  async predictOnBatch(x: ArrayData): Promise<NDArray | NDArray[]> {
    return this.predict(x, { batchSize: this.#session.predictFunction().fixedBatch ?? Number.MAX_SAFE_INTEGER })
  }

  /**
   * Predicts on the calling thread: the shortest way for a few samples. A Float32Array of whole samples is passed on
   * without a copy; `into` receives the result without an allocation of its size.
   */
  predictSync(x: ArrayData, options?: PredictSyncOptions): NDArray | NDArray[] { return this.#sync.predict(x, options) }

  /** One step of training; the loss of the batch, or all of `metricsNames`. */
  async trainOnBatch(x: ArrayData, y: ArrayData, options: TrainOnBatchOptions = {}): Promise<EvaluateResult> {
    return trainOnBatch(this.#session, this.#batchAverages, x, y, options)
  }

  async testOnBatch(x: ArrayData, y: ArrayData, options: TestOnBatchOptions = {}): Promise<EvaluateResult> {
    return testOnBatch(this.#session, this.#batchAverages, x, y, options)
  }

  /** Runs a prediction on zeros, so that memory is allocated and code is paged in before the first request. */
  async warmup(batchSize = 1): Promise<void> {
    const fn = this.#session.predictFunction()
    const samples = fn.fixedBatch ?? batchSize
    await this.predict(Object.fromEntries(fn.manifest.inputs.map(({ name, dtype, shape }) =>
      [name, NDArray.zeros(shape.map((d, i) => (i === 0 ? samples : typeof d === 'number' ? d : 1)), dtype)])), { batchSize: samples })
  }

  /** Copies of the weights in the order of `weightNames`. */
  getWeights(): NDArray[] {
    this.#session.checkIdle('getWeights', false)
    return this.weightNames.map((name) => this.program.readVariable(name))
  }

  /** Sets all weights from a list in the order of `weightNames`, or some by name. @throws ValueError and sets nothing when one does not fit. */
  setWeights(values: WeightValues): void {
    this.#session.checkIdle('setWeights', true)
    setWeights(this.program, this.name, this.weightNames, values)
  }

  /** A copy of a variable: a weight, or a slot of the optimizer. */
  readVariable(name: string): TypedArray {
    this.#session.checkIdle('readVariable', false)
    return this.program.readVariable(name).data
  }

  writeVariable(name: string, value: TypedArray): void {
    this.#session.checkIdle('writeVariable', true)
    this.program.writeVariable(name, value)
  }

  /** A value that may change between two steps, such as `lr`. */
  getScalar(name: string): number { this.#session.checkOpen(); return this.program.getScalar(name) }
  setScalar(name: string, value: number): void {
    this.#session.checkOpen()
    if (!Number.isFinite(value)) throw new ValueError(`\`${name}\` must be a finite number, found ${value}`)
    this.program.setScalar(name, value)
  }

  /** Restarts shuffling and the random ops of the model from a seed in [0, 2^32). */
  setSeed(seed: number): void {
    this.#session.checkIdle('setSeed', true)
    this.#session.setSeed(seed)
  }

  /** Writes the weights to a safetensors file, which is replaced in one step. @param options.optimizer also the state of the optimizer. */
  async saveWeights(file: string, options: { readonly optimizer?: boolean } = {}): Promise<void> {
    const names = options.optimizer === true ? this.program.variableNames.filter((name) => this.program.variable(name).role !== 'metric') : this.weightNames
    await this.#session.lock.run(false, async () => {
      this.#session.checkOpen()
      await saveVariables(this.program, file, names)
    })
  }

  /** Sets the weights from a safetensors file, and the state of the optimizer when the file has it. @throws FileFormatError and sets nothing when the file does not fit. */
  async loadWeights(file: string): Promise<void> {
    await this.#session.lock.run(true, async () => {
      this.#session.checkOpen()
      loadVariables(this.program, file, this.weightNames)
    })
  }

  /** Waits for calls in progress and frees everything; later calls are refused. */
  async close(): Promise<void> {
    this.stopTraining = true
    await this.#session.close()
  }
}
