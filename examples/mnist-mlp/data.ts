/** The digits for training and testing: MNIST, or drawn ones where it cannot be had. */
import { DatasetUnavailable, datasets, toCategorical } from 'kcc'

type Samples = { readonly data: Float32Array; readonly shape: readonly [count: number, size: number] }

export type Digits = {
  /** For people: which digits these are. */
  readonly source: string
  /** Pixels in 0…1, shape (n, 784). */
  readonly xTrain: Samples
  readonly xTest: Samples
  /** One-hot rows, shape (n, 10). */
  readonly yTrain: ReturnType<typeof toCategorical>
  readonly yTest: ReturnType<typeof toCategorical>
}

export async function loadDigits(): Promise<Digits> {
  const { source, digits } = await mnistOrDrawn()
  return {
    source,
    xTrain: pixels(digits.xTrain),
    xTest: pixels(digits.xTest),
    yTrain: toCategorical(digits.yTrain, 10),
    yTest: toCategorical(digits.yTest, 10),
  }
}

type Raw = ReturnType<typeof datasets.syntheticDigits.loadData>

/** MNIST, or drawn digits of the same form, and a sentence that says which. */
export async function mnistOrDrawn(): Promise<{ source: string; digits: Raw }> {
  try {
    return { source: 'MNIST: 60,000 handwritten digits to train on, 10,000 to test', digits: await datasets.mnist.loadData() }
  } catch (error) {
    if (!(error instanceof DatasetUnavailable)) throw error
    const digits = datasets.syntheticDigits.loadData({ train: 20_000, test: 4_000 })
    return { source: `digits drawn by the built-in generator (20,000 to train on, 4,000 to test), because ${error.message}`, digits }
  }
}

function pixels(images: { readonly data: ArrayLike<number>; readonly shape: readonly number[] }): Samples {
  const [count = 0, height = 0, width = 0] = images.shape
  return { data: Float32Array.from(images.data, (p) => p / 255), shape: [count, height * width] }
}
