/**
 * Options, inputs and results of `fit`, `evaluate` and `predict`: types only, shared by the Keras front end (which
 * declares the methods), by the runtime (which carries them out) and by generated packages.
 */
import type { DType, TypedArray } from './dtype.js'

/** Every typed array that can hold samples; 64-bit integers are converted, with a check that they fit. */
export type AnyTypedArray =
  | TypedArray | Int8Array | Uint8ClampedArray | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array

/** Numbers in nested lists, all lists of one depth being of equal length. Booleans count as 0 and 1. */
export interface NestedArray extends ReadonlyArray<number | bigint | boolean | NestedArray> {}

/** Data with its shape, row-major. The runtime's `NDArray` is one. */
export type ShapedArray = { readonly data: AnyTypedArray; readonly shape: readonly number[]; readonly dtype?: DType }

/**
 * One array of samples, the first dimension counting them. A typed array without a shape takes the shape the model
 * expects: its length must be a multiple of the size of one sample.
 */
export type ArrayLike = AnyTypedArray | NestedArray | ShapedArray

/** The data of all inputs (or outputs): one array, a list in the model's order, or a dict by name. */
export type ArrayData = ArrayLike | readonly ArrayLike[] | { readonly [name: string]: ArrayLike }

/** What `predict` returns for one output: a view of data of its own. */
export interface ArrayResult {
  readonly data: TypedArray
  readonly shape: readonly number[]
  readonly dtype: DType
  toNested(): unknown
}

/** Weights of samples, one array for all outputs or one per output by position or by name; null means all ones. */
export type SampleWeight = ArrayLike | readonly (ArrayLike | null)[] | { readonly [output: string]: ArrayLike | null }

/** Weight of each class by its index. */
export type ClassWeight = { readonly [label: number]: number }
/** Class weights of the only output, or of several by position or by name. */
export type ClassWeights = ClassWeight | readonly (ClassWeight | null)[] | { readonly [output: string]: ClassWeight | null }

/** Values at the end of a batch or an epoch by name, in Keras' order. Callbacks may add to them. */
export type Logs = { [name: string]: number }

/** 0 prints nothing, 1 a progress bar, 2 one line per epoch. */
export type Verbose = 0 | 1 | 2

/** What callbacks are told once, before training. */
export type CallbackParams = {
  readonly batchSize: number | null
  readonly epochs: number
  readonly steps: number | null
  readonly samples: number | null
  readonly verbose: Verbose
  readonly doValidation: boolean
  /** Names of the values in the logs, with `val_` names when there is validation. */
  readonly metrics: readonly string[]
}

/** What a callback can rely on in the model it is given. */
export interface CallbackModel {
  /** Set to true to end training after the current epoch (or batch, when set by a batch hook). */
  stopTraining: boolean
}

export type Awaitable = void | Promise<void>

/**
 * The hooks of a callback, all optional, so that an object literal is one. Each is awaited. The presence of a batch
 * hook makes `fit` return to JavaScript after each batch.
 */
export interface CallbackHooks {
  setParams?(params: CallbackParams): void
  setModel?(model: CallbackModel): void
  onTrainBegin?(logs: Logs): Awaitable
  onTrainEnd?(logs: Logs): Awaitable
  onEpochBegin?(epoch: number, logs: Logs): Awaitable
  onEpochEnd?(epoch: number, logs: Logs): Awaitable
  onBatchBegin?(batch: number, logs: Logs): Awaitable
  onBatchEnd?(batch: number, logs: Logs): Awaitable
  onTrainBatchBegin?(batch: number, logs: Logs): Awaitable
  onTrainBatchEnd?(batch: number, logs: Logs): Awaitable
  onTestBegin?(logs: Logs): Awaitable
  onTestEnd?(logs: Logs): Awaitable
  onTestBatchBegin?(batch: number, logs: Logs): Awaitable
  onTestBatchEnd?(batch: number, logs: Logs): Awaitable
  onPredictBegin?(logs: Logs): Awaitable
  onPredictEnd?(logs: Logs): Awaitable
  onPredictBatchBegin?(batch: number, logs: Logs): Awaitable
  onPredictBatchEnd?(batch: number, logs: Logs): Awaitable
}

/** `[x, y]` or `[x, y, sampleWeight]`. */
export type ValidationData = readonly [ArrayData, ArrayData] | readonly [ArrayData, ArrayData, SampleWeight | null]

/**
 * Options of `fit`. The arrays of data, `validationData`, `sampleWeight` and what they are views of are not to be changed until `fit` has
 * settled, and nothing checks it. A callback that changes them between epochs is seen on the CPU, and where there is one epoch; a
 * GPU that keeps the data of several trains and validates on what they held at first. To train on other data, call `fit` once for each.
 */
export type FitOptions = {
  /** Samples per update; default 32. The last batch may be smaller. */
  readonly batchSize?: number | null
  /** Number of the last epoch; default 1. */
  readonly epochs?: number
  /** Epoch to start at, when resuming; default 0. */
  readonly initialEpoch?: number
  readonly verbose?: Verbose
  readonly callbacks?: readonly CallbackHooks[] | null
  /** Part of the samples held back from the end, before shuffling; in [0, 1), default 0. */
  readonly validationSplit?: number
  /** Takes precedence over `validationSplit`. */
  readonly validationData?: ValidationData | null
  /** Whether each epoch draws a new order; 'batch' shuffles whole batches. Default true. */
  readonly shuffle?: boolean | 'batch'
  readonly classWeight?: ClassWeights | null
  readonly sampleWeight?: SampleWeight | null
  /** Validate only after every nth epoch, or after the epochs listed (counting from 1); default 1. */
  readonly validationFreq?: number | readonly number[]
}

export type EvaluateOptions = {
  readonly batchSize?: number | null
  readonly verbose?: 0 | 1
  readonly sampleWeight?: SampleWeight | null
  readonly callbacks?: readonly CallbackHooks[] | null
}

export type PredictOptions = {
  readonly batchSize?: number | null
  readonly verbose?: 0 | 1
  readonly callbacks?: readonly CallbackHooks[] | null
}

export type TrainOnBatchOptions = {
  readonly sampleWeight?: SampleWeight | null
  readonly classWeight?: ClassWeights | null
  /** False continues the running metrics of earlier calls. Default true. */
  readonly resetMetrics?: boolean
}

export type TestOnBatchOptions = { readonly sampleWeight?: SampleWeight | null; readonly resetMetrics?: boolean }

/** The record `fit` returns. */
export interface History {
  /** Epochs run, counting from `initialEpoch`. */
  readonly epoch: readonly number[]
  /** Values of each epoch by name; names of validation come first, as in Keras 2.3. */
  readonly history: { readonly [name: string]: readonly number[] }
  readonly params: CallbackParams
}

/** `evaluate`'s result: the loss alone when the model has no metrics, else all values in the order of `metricsNames`. */
export type EvaluateResult = number | number[]
/** `predict`'s result: one array, or a list when the model has several outputs. */
export type PredictResult = ArrayResult | ArrayResult[]
