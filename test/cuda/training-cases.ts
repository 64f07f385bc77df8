/** Models whose training steps are compared between targets and precisions, and data for them. */
import {
  Activation, BatchNormalization, Conv2D, Dense, Dropout, Embedding, Flatten, GlobalAveragePooling1D, MaxPooling2D, NDArray, SGD, Sequential,
} from '../../compiler/index.js'
import type { Model } from '../../compiler/nn/model.js'

export type Case = { readonly make: () => Model; readonly input: readonly number[]; readonly classes: number; readonly batches: readonly number[]; readonly words?: number }

export const cases: Readonly<Record<string, Case>> = {
  'small-mlp': { make: smallMlp, input: [100], classes: 1, batches: [32, 32, 5] },
  'mnist-mlp': { make: mnistMlp, input: [784], classes: 10, batches: [64, 37] },
  convolutions: { make: convolutions, input: [12, 10, 3], classes: 5, batches: [9, 4] },
  pooled: { make: pooled, input: [12, 12, 8], classes: 5, batches: [9, 4] },
  clipped: { make: clipped, input: [20], classes: 3, batches: [16, 16, 5] },
  words: { make: words, input: [7], classes: 3, batches: [11, 6], words: 50 },
}

function smallMlp(): Model {
  const model = Sequential([Dense(32, { activation: 'relu', inputShape: [100] }), Dense(1, { activation: 'sigmoid' })])
  model.compile({ optimizer: 'rmsprop', loss: 'binary_crossentropy', metrics: ['accuracy'] })
  return model
}

/** Of `examples/mnist-mlp`. */
function mnistMlp(): Model {
  const model = Sequential([Dense(512, { activation: 'relu', inputShape: [784] }), Dropout(0.2), Dense(512, { activation: 'relu' }), Dropout(0.2), Dense(10, { activation: 'softmax' })])
  model.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

/** The layers of `examples/cifar10-cnn`, and the statistics of batches. */
function convolutions(): Model {
  const model = Sequential([
    Conv2D(8, 3, { padding: 'same', inputShape: [12, 10, 3] }), BatchNormalization(), Activation('relu'), Conv2D(8, [2, 3], { strides: 2, activation: 'relu' }),
    MaxPooling2D(), Dropout(0.25), Flatten(), Dense(5, { activation: 'softmax' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

/** Pooling at the end of a product: four of its rows are finished together. */
function pooled(): Model {
  const model = Sequential([Conv2D(16, 3, { padding: 'same', activation: 'relu', inputShape: [12, 12, 8] }), MaxPooling2D(), Flatten(), Dense(5, { activation: 'softmax' })])
  model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy' })
  return model
}

/** All gradients wait for their norm, and all variables are updated after it. */
function clipped(): Model {
  const model = Sequential([...[24, 16, 12, 20].map((units, i) => Dense(units, { activation: 'tanh', ...(i === 0 ? { inputShape: [20] } : {}) })), Dense(3, { activation: 'softmax' })])
  model.compile({ optimizer: SGD({ lr: 0.1, momentum: 0.9, clipnorm: 0.5 }), loss: 'categorical_crossentropy', metrics: ['accuracy'] })
  return model
}

function words(): Model {
  const model = Sequential([Embedding(50, 9, { inputLength: 7 }), GlobalAveragePooling1D(), Dense(3, { activation: 'softmax' })])
  model.compile({ optimizer: 'sgd', loss: 'categorical_crossentropy' })
  return model
}

/** Repeatable numbers from -1 to 1. */
const numbers = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((((i + 1) * 7919 + seed * 104729) % 2003) - 1001) / 1001)
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export function samples({ input, classes, words }: Case, count: number, seed: number): { x: NDArray; y: NDArray } {
  const shape = [count, ...input], drawn = numbers(sizeOf(shape), seed)
  const x = words === undefined ? drawn : drawn.map((v) => Math.floor(((v + 1) / 2.001) * words))
  const label = (i: number): number => (i * 31 + seed) % Math.max(classes, 2)
  const y = Float32Array.from({ length: count * classes }, (_, i) => (classes === 1 ? label(i) : Number(label(Math.floor(i / classes)) === i % classes)))
  return { x: new NDArray(x, shape), y: new NDArray(y, [count, classes]) }
}

export const listOf = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value] : value)
export const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0)
