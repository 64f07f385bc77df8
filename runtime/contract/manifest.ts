/**
 * What the compiler tells the runtime about a compiled module. Written as `manifest.json` in a package and passed in
 * memory by a script that compiles its own models. Raise `MANIFEST_FORMAT` with every incompatible change.
 */
import type { DType } from './dtype.js'

/** Version of `manifest.json`: a runtime reads packages of exactly this one. */
export const MANIFEST_FORMAT = 2

/** A dimension: a size, or the text of an expression over the module's symbols, such as "B", "4*B" or "floor_div(x_1+1,2)". */
export type ManifestDim = number | string

export type TensorManifest = { readonly name: string; readonly dtype: DType; readonly shape: readonly ManifestDim[] }

/** One entry of the table of variables the runtime owns: a weight, an optimizer slot, other state. */
export type VariableManifest = {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /**
   * Weights and the optimizer's slots are what files hold; `state` belongs to layers. A `metric` is what a running result
   * is made from: it is zero at the start of an epoch or an evaluation, and each of these has values of its own.
   */
  readonly role: 'weight' | 'slot' | 'state' | 'metric'
  readonly trainable: boolean
}

/** A float32 that the host may change between two calls: a learning rate, a loss weight. */
export type ScalarManifest = { readonly name: string; readonly value: number }

/** A size that only a call knows must leave room: where `room` is below 0, `layer` cannot do what it does. */
export type DimConstraint = {
  /** An expression over the symbols. */
  readonly room: string
  /** Path of the layer, such as "encoder/conv2d_1"; empty outside of layers. */
  readonly layer: string
  /** What would not fit: "windows that reach over 3 elements". */
  readonly what: string
}

/** Values of an input that name rows of a table: cut to integers, they must be in [0, `rows`). */
export type IndexLimit = {
  readonly input: string
  readonly rows: number
  /** Path of the layer with the table, such as "encoder/embedding_1"; empty outside of layers. */
  readonly layer: string
}

/** As an expression over the symbols, and its value at batch 1, 32 and 128 for people to read. */
export type ArenaBytes = { readonly expression: string; readonly at: Readonly<Record<string, number>> }

export type FunctionManifest = {
  /** `predict`, `evaluate`, `trainStep`, or a name of the caller's own. */
  readonly name: string
  readonly inputs: readonly TensorManifest[]
  readonly outputs: readonly TensorManifest[]
  /** Names of the variables this function changes. */
  readonly updates: readonly string[]
  /** What the sizes of a call must satisfy; absent where all will do. */
  readonly constraints?: readonly DimConstraint[]
  /** Inputs that hold indices; absent where there are none. */
  readonly indices?: readonly IndexLimit[]
  /** Bytes of the values between kernels, at their peak. */
  readonly arenaBytes: ArenaBytes
  /**
   * The same on a GPU, whose kernels are others; absent without code for one. Variables and batches on their way come on top. What
   * a call needs is compared with the memory that is free before it, or a `fit` around it, begins.
   */
  readonly gpuArenaBytes?: ArenaBytes
  readonly kernels: number
  /** Multiplications and additions of the contractions, as an expression over the symbols. */
  readonly flops: string
}

export type LossKind = 'sparse' | 'categorical' | 'other'

/** One output of a Keras model that is trained, in the order of the function's targets. */
export type TargetManifest = {
  /** Name of the output layer, used in messages and for dicts of targets. */
  readonly output: string
  readonly shape: readonly ManifestDim[]
  readonly dtype: DType
  readonly loss: string
  readonly kind: LossKind
  /** Classes the labels must stay below, for `sparse`. */
  readonly classes: number | null
}

/**
 * How the values of one entry of `metricsNames` are averaged over the batches of an epoch or an evaluation:
 * - `samples`: weighted by the size of each batch;
 * - `batches`: every batch counts once (Keras 2.3 keeps the losses of the single outputs this way);
 * - `weightsOf`: by the sum of the sample weights of that output (the weighted metrics: the function returns
 *   sum(weight * value) / sum(weight) of the batch);
 * - `running`: not at all: the function returns the value over everything since its `metric` variables were zero.
 */
export type Averaging = 'samples' | 'batches' | 'running' | { readonly weightsOf: string }

/** The Keras model behind the functions; absent for a module that is not a model. */
export type ModelManifest = {
  readonly name: string
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** `loss`, then per-output losses, then metrics: the names of `evaluate`'s and `trainStep`'s outputs in order. Empty when not compiled. */
  readonly metricsNames: readonly string[]
  /** One entry per name of `metricsNames`; when absent: `batches` for the per-output losses, `samples` otherwise. */
  readonly averaging?: readonly Averaging[]
  readonly targets: readonly TargetManifest[]
  /** Weights in the order of `model.weights`, by variable name. */
  readonly weights: readonly string[]
  /** Optimizer weights in Keras' order, by variable name. */
  readonly optimizerWeights: readonly string[]
  /** Keras' own description, as in an `.h5` file. */
  readonly config: unknown
  readonly trainingConfig: unknown
}

/**
 * What a module computes with: `float32` throughout; `tf32`, operands of products rounded to 11 digits (NVIDIA's TF32); or
 * `mixed_bfloat16` as in Keras: operands of products and what is stored between them rounded to 8 digits, all else float32.
 */
export const precisions = ['float32', 'tf32', 'mixed_bfloat16'] as const
export type Precision = (typeof precisions)[number]

/** The file of a package that says what was measured on GPUs (`runtime/tuned.ts`). */
export const TUNED_FILE = 'tuned.json'

/** The native file of a package, which is checked before it is loaded: a damaged one would end the process. */
export type NativeFileManifest = { readonly bytes: number; readonly sha256: string }

export type ModuleManifest = {
  readonly format: typeof MANIFEST_FORMAT
  readonly kcc: string
  readonly name: string
  /** Symbols in the order in which a call passes their values. */
  readonly dims: readonly string[]
  readonly variables: readonly VariableManifest[]
  readonly scalars: readonly ScalarManifest[]
  readonly functions: readonly FunctionManifest[]
  readonly model: ModelManifest | null
  /** Absent where it is `float32`. */
  readonly precision?: Precision
  /** Only in the `manifest.json` of a package. */
  readonly native?: NativeFileManifest
}
