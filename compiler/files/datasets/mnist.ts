/** `keras.datasets.mnist`: 70,000 handwritten digits. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FileFormatError } from '../../../runtime/contract/errors.js'
import { setting } from '../../support/env.js'
import type { FileArray } from '../file-array.js'
import { loadNpz } from '../npz.js'
import { DatasetUnavailable, defaultCache, getFile } from './get-file.js'
import type { DatasetOptions } from './places.js'

/** Images (n, 28, 28) and labels (n,), all uint8; 0 is background, 255 ink. */
export type Digits<A = FileArray> = { readonly xTrain: A; readonly yTrain: A; readonly xTest: A; readonly yTest: A }

const ORIGIN = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz'
const SHA256 = '731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1'


/**
 * MNIST from, in this order, `mnist.npz` or `mnist/mnist.npz` in the folder `KCC_DATASETS`, `~/.keras/datasets`, the network.
 * @throws DatasetUnavailable saying where it was looked for; FileFormatError for a damaged file
 */
export async function loadMnist(options: DatasetOptions = {}): Promise<Digits> {
  const places = localPlaces(options)
  const local = places.find((path) => existsSync(path))
  return readDigits(local ?? (await fetched(options, places)))
}

function localPlaces(options: DatasetOptions): string[] {
  const folder = options.datasets === undefined ? setting('KCC_DATASETS') : options.datasets
  const own = folder === undefined || folder === null ? [] : [join(folder, 'mnist.npz'), join(folder, 'mnist', 'mnist.npz')]
  return [...own, join(options.cacheDir ?? defaultCache(), options.cacheSubdir ?? 'datasets', 'mnist.npz')]
}

async function fetched(options: DatasetOptions, places: readonly string[]): Promise<string> {
  try {
    return await getFile('mnist.npz', ORIGIN, { fileHash: SHA256, ...options })
  } catch (error) {
    if (!(error instanceof DatasetUnavailable)) throw error
    throw new DatasetUnavailable(`MNIST is not on this machine (looked for ${places.join(', ')}; KCC_DATASETS names a folder to look in) and could not be downloaded: ${error.message}`)
  }
}

async function readDigits(path: string): Promise<Digits> {
  const arrays = await loadNpz(path)
  const images = (name: string, count: number): FileArray => requireArray(arrays, name, [count, 28, 28], path)
  const labels = (name: string, count: number): FileArray => requireArray(arrays, name, [count], path)
  return { xTrain: images('x_train', 60000), yTrain: labels('y_train', 60000), xTest: images('x_test', 10000), yTest: labels('y_test', 10000) }
}

function requireArray(arrays: Readonly<Record<string, FileArray>>, name: string, shape: readonly number[], path: string): FileArray {
  const array = arrays[name]
  const found = array === undefined ? 'nothing' : `${array.dtype} of shape (${array.shape.join(', ')})`
  if (array === undefined || array.dtype !== 'uint8' || array.shape.join() !== shape.join()) {
    throw new FileFormatError(`${path}: not the MNIST data set: expected ${name} to be uint8 of shape (${shape.join(', ')}), found ${found}`)
  }
  return array
}
