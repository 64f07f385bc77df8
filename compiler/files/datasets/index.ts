/** The data sets, returning the caller's kind of array. */
import type { FileArray } from '../file-array.js'
import { loadCifar10 } from './cifar10.js'
import { loadFashionMnist } from './fashion-mnist.js'
import { loadMnist } from './mnist.js'
import type { Digits } from './mnist.js'
import type { DatasetOptions } from './places.js'
import { syntheticDigits } from './synthetic-digits.js'
import type { SyntheticOptions } from './synthetic-digits.js'

export type Datasets<A> = {
  /** Handwritten digits: images (n, 28, 28) and labels (n,), uint8. */
  readonly mnist: { loadData(options?: DatasetOptions): Promise<Digits<A>> }
  /** Clothes, in the form of MNIST. */
  readonly fashionMnist: { loadData(options?: DatasetOptions): Promise<Digits<A>> }
  /** Colour pictures (n, 32, 32, 3) in ten classes, labels (n, 1), uint8. */
  readonly cifar10: { loadData(options?: DatasetOptions): Promise<Digits<A>> }
  /** Stroke-drawn digits in the form of MNIST, for machines without it. */
  readonly syntheticDigits: { loadData(options?: SyntheticOptions): Digits<A> }
}

/** `toArray` makes the arrays that users see from those that files hold. */
export function createDatasets<A>(toArray: (array: FileArray) => A): Datasets<A> {
  const converted = (digits: Digits): Digits<A> =>
    ({ xTrain: toArray(digits.xTrain), yTrain: toArray(digits.yTrain), xTest: toArray(digits.xTest), yTest: toArray(digits.yTest) })
  return {
    mnist: { loadData: async (options) => converted(await loadMnist(options)) },
    fashionMnist: { loadData: async (options) => converted(await loadFashionMnist(options)) },
    cifar10: { loadData: async (options) => converted(await loadCifar10(options)) },
    syntheticDigits: { loadData: (options) => converted(syntheticDigits(options)) },
  }
}
