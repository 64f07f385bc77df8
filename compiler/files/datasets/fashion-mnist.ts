/** `keras.datasets.fashion_mnist`: 70,000 grey pictures of clothes in ten classes, in the form of MNIST. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileArray } from '../file-array.js'
import { getFile } from './get-file.js'
import { readIdx } from './idx.js'
import type { Digits } from './mnist.js'
import { datasetFolders, downloaded, firstFile, type DatasetOptions } from './places.js'

const ORIGIN = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/'
const FOLDER = 'fashion-mnist'

/**
 * Images (n, 28, 28) and labels (n,), all uint8, from Keras' four files in the folder `fashion-mnist`.
 * @throws DatasetUnavailable saying where it was looked for; FileFormatError for a damaged file
 */
export async function loadFashionMnist(options: DatasetOptions = {}): Promise<Digits> {
  const read = async (name: string, rank: number): Promise<FileArray> => {
    const path = await find(`${name}-ubyte.gz`, options)
    return readIdx(readFileSync(path), rank, path)
  }
  return {
    xTrain: await read('train-images-idx3', 3), yTrain: await read('train-labels-idx1', 1),
    xTest: await read('t10k-images-idx3', 3), yTest: await read('t10k-labels-idx1', 1),
  }
}

async function find(name: string, options: DatasetOptions): Promise<string> {
  const folders = datasetFolders(options).map((folder) => join(folder, FOLDER))
  return firstFile(...folders.map((folder) => join(folder, name)))
    ?? downloaded('Fashion-MNIST', folders, () => getFile(name, ORIGIN + name, { ...options, cacheSubdir: join(options.cacheSubdir ?? 'datasets', FOLDER) }))
}
