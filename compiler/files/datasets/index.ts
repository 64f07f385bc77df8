/** The data sets, returning the caller's kind of array. */
import type { FileArray } from '../file-array.js'
import { loadMnist } from './mnist.js'
import type { Digits, MnistOptions } from './mnist.js'
import { syntheticDigits } from './synthetic-digits.js'
import type { SyntheticOptions } from './synthetic-digits.js'

export type Datasets<A> = {
  readonly mnist: { loadData(options?: MnistOptions): Promise<Digits<A>> }
  /** Stroke-drawn digits in the form of MNIST, for machines without it. */
  readonly syntheticDigits: { loadData(options?: SyntheticOptions): Digits<A> }
}

/** `toArray` makes the arrays that users see from those that files hold. */
export function createDatasets<A>(toArray: (array: FileArray) => A): Datasets<A> {
  const converted = (digits: Digits): Digits<A> =>
    ({ xTrain: toArray(digits.xTrain), yTrain: toArray(digits.yTrain), xTest: toArray(digits.xTest), yTest: toArray(digits.yTest) })
  return {
    mnist: { loadData: async (options) => converted(await loadMnist(options)) },
    syntheticDigits: { loadData: (options) => converted(syntheticDigits(options)) },
  }
}
