/**
 * The JavaScript face of the native addon (`native/addon`). One `.node` file holds the kernels of one or more modules,
 * each for one or more CPU levels; `open` makes an instance with variables of its own.
 */
import type { TypedArray } from './dtype.js'

export type NativeAddon = {
  readonly abi: number
  /** CPU levels in the file, best first, and the one chosen at load. */
  readonly levels: readonly string[]
  readonly level: string
  readonly modules: readonly string[]
  /**
   * An instance on a device, `cpu` or `cuda:0`; by default the CPU when the file has code for it.
   * @throws Error when there is no such module or device, or the device cannot run the file.
   */
  open(module: string, device?: string): NativeModule
  /** How many GPUs there are for the code in this file; none with the reason. */
  gpus(): { readonly count: number; readonly why: string | null }
  /** Size of the process-wide thread pool; 0 chooses by the cgroup quota. Returns the size in force. */
  setThreads(count: number): number
}

/** A column of samples: row `i` starts at byte `i * rowBytes`. */
export type Column = { readonly data: TypedArray; readonly rowBytes: number }

/**
 * Many calls of one function over slices of a data set, without JavaScript between them.
 * Batch `b` covers samples `[b * batchSize, min((b + 1) * batchSize, end))`, looked up through `order` when given.
 */
export type LoopPlan = {
  readonly fn: number
  readonly inputs: readonly Column[]
  /** Outputs written per sample (predict); empty when the outputs are scalars. */
  readonly outputs: readonly Column[]
  /** Scalar outputs of batch `b` go to `logs[b * scalarOutputs + k]`; null when outputs are per sample. */
  readonly logs: Float32Array | null
  readonly scalarOutputs: number
  /**
   * Not 0: a device may keep the scalars, under this number of the caller's, until the loop that runs the last batch of all
   * brings them into `logs`; those of a run that ends before are had by `readLog`. 0: they are in `logs` when the loop ends.
   */
  readonly log: number
  /**
   * Not 0: a device may keep the inputs, under this number of the caller's, and gather batches there; a number means the same
   * inputs, which nobody changes, until `forgetData`. 0: batches are copied as they come.
   */
  readonly data: number
  /** Permutation of the samples, or null for their own order. */
  readonly order: Int32Array | null
  readonly samples: number
  readonly batchSize: number
  readonly firstBatch: number
  readonly lastBatch: number
  /** Return after this many milliseconds at a batch boundary; Infinity runs to `lastBatch`. */
  readonly budgetMs: number
  /** Values of the module's symbols; the entry at `batchDim` is replaced by the size of each batch. */
  readonly dims: readonly number[]
  readonly batchDim: number
}

export type NativeModule = {
  /** Copies the array's bytes into variable `index`. */
  setVariable(index: number, value: TypedArray): void
  /** Copies variable `index` into `into`. */
  getVariable(index: number, into: TypedArray): void
  setScalar(index: number, value: number): void
  getScalar(index: number): number
  /** Random streams: the seed, and the number of random steps taken so far (both below 2^53). */
  setRandom(seed: number, step: number): void
  getRandom(): { seed: number; step: number }
  /** Runs function `fn` on the calling thread (plus the pool). Sizes of arrays were checked by the caller. */
  call(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): void
  /**
   * Prepares calls of `fn` on these very arrays and sizes: `callBound` of the returned number then costs little more than
   * the kernels. The arrays are held for as long as the module and must never be detached.
   */
  bind(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): number
  callBound(bound: number): void
  /** `call` off the main thread; rejects as `call` throws. Arrays must not be changed before it settles. */
  callAsync(fn: number, inputs: readonly TypedArray[], outputs: readonly TypedArray[], dims: readonly number[]): Promise<void>
  /** Runs batches `[firstBatch, …)` off the main thread; resolves to the first batch not run. */
  loop(plan: LoopPlan): Promise<number>
  /**
   * Makes room on a device for calls of `fn` with these sizes, so that they cannot fail for want of memory. The CPU makes room
   * when it runs them. @throws Error when the device has too little, before anything has run.
   */
  reserve(fn: number, dims: readonly number[]): void
  /** The first `count` scalars that a device has kept under a number; what the CPU has computed is in `logs` already. */
  readLog(log: number, logs: Float32Array, count: number): void
  /** Nobody wants the scalars under this number any more. */
  forgetLog(log: number): void
  /** No more batches of the inputs under this number will come. */
  forgetData(data: number): void
  /** Name and compute capability of the GPU, as in `NVIDIA H200, 9.0`; null on the CPU. */
  describe(): string | null
  /**
   * What computes each product where a library of the GPU's vendor could, as text that `choices` gave. Kernels of kcc compute those it
   * does not name. @throws Error for text that is none
   */
  readChoices(text: string): void
  /** All choices as text; '' on the CPU. `measure`: from now on products that have none are measured when room is made for their function. */
  choices(measure: boolean): string
  /** Bytes held: variables and arenas. */
  bytes(): number
  /** Frees everything; later calls throw. */
  close(): void
}
