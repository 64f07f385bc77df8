/** What is measured: two multilayer perceptrons, the same for every peer. */

export type Activation = 'relu' | 'softmax' | 'sigmoid'

export type Workload = {
  readonly name: 'mnist-mlp' | 'small-mlp'
  readonly title: string
  /** Sizes of the input and of all layers. */
  readonly sizes: readonly number[]
  readonly output: Activation
  /** Rate of the dropout after each hidden layer; 0 for none. */
  readonly dropout: number
  readonly loss: 'categorical_crossentropy' | 'binary_crossentropy'
  readonly batchSize: number
  /** Batches of the data set that training goes over again and again. */
  readonly batches: number
  /** File of the model for `kcc build`, and of the one without dropout for the comparison of losses. */
  readonly model: string
  readonly plainModel: string
}

export const workloads: readonly Workload[] = [
  {
    name: 'mnist-mlp', title: 'mnist-mlp 784-512-512-10, dropout 0.2, softmax, RMSprop', sizes: [784, 512, 512, 10], output: 'softmax', dropout: 0.2,
    loss: 'categorical_crossentropy', batchSize: 128, batches: 20, model: 'mnist-mlp', plainModel: 'mnist-mlp-plain',
  },
  {
    name: 'small-mlp', title: '100-32-1, sigmoid, RMSprop', sizes: [100, 32, 1], output: 'sigmoid', dropout: 0,
    loss: 'binary_crossentropy', batchSize: 32, batches: 1000, model: 'small-mlp', plainModel: 'small-mlp',
  },
]

export type TaskKind = 'train' | 'predict'
export type Task = { readonly kind: TaskKind; readonly workload: Workload }

export const tasks: readonly Task[] = (['train', 'predict'] as const).flatMap((kind) => workloads.map((workload) => ({ kind, workload })))

export const taskName = ({ kind, workload }: Task): string => `${kind}:${workload.name}`

/** Training steps whose losses are compared. */
export const CHECKED_STEPS = 4

/** Operations of one training step's matrix products; the gradient of the data is not needed. */
export function trainFlops({ sizes, batchSize }: Workload): number {
  const products = sizes.slice(1).map((size, i) => size * sizes[i]!)
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  return 2 * batchSize * (2 * sum(products) + sum(products.slice(1)))
}

/** Bytes of the weights that one prediction reads. */
export const weightBytes = ({ sizes }: Workload): number => 4 * sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i]! + 1), 0)
