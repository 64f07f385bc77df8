/** What is measured, the same for every peer. The networks are in `models/`. */

export type Workload = {
  readonly name: string
  readonly title: string
  /** File of the model in `models/`, and of the one without dropout for the comparison of losses. */
  readonly model: string
  readonly plainModel: string
  /** Samples of a training step; null for a network that only predicts. */
  readonly trainBatch: number | null
  /** Batches of the data set that training goes over again and again. */
  readonly batches: number
  /** Samples of a prediction, for each that is measured. */
  readonly predictBatches: readonly number[]
  /** Whether one thread can be as quick as two: then every peer is tried with both. */
  readonly small: boolean
  /** Whether kcc is also measured with one kernel for each op. */
  readonly unfused: boolean
  /** Whether the memory of a training step is measured. */
  readonly memory: boolean
}

type Settings = Partial<Omit<Workload, 'name' | 'title'>>

const convolutional = { unfused: true, memory: true } as const

const workload = (name: string, title: string, settings: Settings): Workload => ({
  name, title, model: name, plainModel: settings.model ?? name, trainBatch: null, batches: 2, predictBatches: [], small: false, unfused: false, memory: false, ...settings,
})

export const workloads: readonly Workload[] = [
  workload('mnist-mlp', 'mnist-mlp 784-512-512-10', { plainModel: 'mnist-mlp-plain', trainBatch: 128, batches: 20, predictBatches: [1, 32], small: true }),
  workload('small-mlp', 'MLP 100-32-1', { trainBatch: 32, batches: 1000, predictBatches: [1, 32], small: true }),
  workload('vgg', 'VGG-like, 100×100×3', { plainModel: 'vgg-plain', trainBatch: 32, ...convolutional }),
  workload('mnist-cnn', 'mnist CNN', { plainModel: 'mnist-cnn-plain', trainBatch: 128, batches: 4, ...convolutional }),
  workload('cifar10-cnn', 'CIFAR-10 CNN', { plainModel: 'cifar10-cnn-plain', trainBatch: 32, batches: 8, ...convolutional }),
  workload('autoencoder', 'denoising autoencoder', { trainBatch: 128, ...convolutional }),
  workload('conv1d', 'Conv1D classifier, 200×100', { plainModel: 'conv1d-plain', trainBatch: 16, batches: 16, small: true }),
  workload('inception', 'inception module, 128×128×3', { trainBatch: 4, ...convolutional }),
  workload('residual', 'residual block, 56×56×64', { trainBatch: 16, ...convolutional }),
  workload('separable', 'separable convolutions, 64×64', { trainBatch: 16, ...convolutional }),
  workload('mobilenet', 'MobileNet v1, 224×224', { predictBatches: [1, 8] }),
  workload('resnet50', 'ResNet-50, 224×224', { predictBatches: [1, 8] }),
  workload('pointwise', '29 pointwise layers on 16384', { trainBatch: 64, predictBatches: [64], unfused: true }),
  workload('dense-2048', 'Dense 2048-2048-2048', { trainBatch: 256 }),
]

/** Epochs of a GPU's short steps have more of them, so that the ends of epochs count as little as they do in training. */
export const gpuWorkloads: readonly Workload[] = [
  workload('gpu-mnist-mlp', 'mnist-mlp 784-512-512-10 on a GPU', { model: 'mnist-mlp', plainModel: 'mnist-mlp-plain', trainBatch: 128, batches: 200, unfused: true }),
  workload('gpu-mnist-mlp-4096', 'mnist-mlp 784-512-512-10 on a GPU, large batches', { model: 'mnist-mlp', plainModel: 'mnist-mlp-plain', trainBatch: 4096, batches: 10, unfused: true }),
  workload('gpu-vgg', 'VGG-like, 100×100×3 on a GPU', { model: 'vgg', plainModel: 'vgg-plain', trainBatch: 32, batches: 20, unfused: true }),
  workload('gpu-vgg-256', 'VGG-like, 100×100×3 on a GPU, large batches', { model: 'vgg', plainModel: 'vgg-plain', trainBatch: 256, batches: 4, unfused: true }),
  workload('gpu-autoencoder', 'denoising autoencoder on a GPU', { model: 'autoencoder', trainBatch: 128, batches: 20, unfused: true }),
  workload('gpu-cifar10-cnn', 'CIFAR-10 CNN on a GPU', { model: 'cifar10-cnn', plainModel: 'cifar10-cnn-plain', trainBatch: 32, batches: 100, unfused: true }),
  workload('gpu-resnet50', 'ResNet-50, 224×224 on a GPU', { model: 'resnet50', predictBatches: [1, 32], unfused: true }),
]

/** The same on as little as goes through everything. */
export const playedWorkloads: readonly Workload[] = gpuWorkloads.map((one) => ({ ...one, trainBatch: one.trainBatch === null ? null : 2, batches: 2, predictBatches: one.predictBatches.slice(0, 1) }))

/** Of the CPU and of a GPU; their names differ, or their batches. */
export const allWorkloads: readonly Workload[] = [...workloads, ...gpuWorkloads, ...playedWorkloads]

export type TaskKind = 'train' | 'predict'
/** A training step, or a prediction, of `batch` samples. */
export type Task = { readonly kind: TaskKind; readonly workload: Workload; readonly batch: number }

export const tasksOf = (workload: Workload): readonly Task[] => [
  ...(workload.trainBatch === null ? [] : [{ kind: 'train' as const, workload, batch: workload.trainBatch }]),
  ...workload.predictBatches.map((batch) => ({ kind: 'predict' as const, workload, batch })),
]

export const taskName = ({ kind, workload, batch }: Task): string => `${kind}:${workload.name}:${batch}`

/** Samples of the data set. */
export const samplesOf = ({ trainBatch, batches, predictBatches }: Workload): number => Math.max(CHECKED_SAMPLES, (trainBatch ?? 0) * batches, ...predictBatches)

/** Training steps whose losses are compared, and samples whose predictions are. */
export const CHECKED_STEPS = 4
export const CHECKED_SAMPLES = 2

/** Models whose builds are timed. */
export const TIMED_BUILDS: readonly string[] = ['mnist-mlp', 'vgg', 'resnet50']
