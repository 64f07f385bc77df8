/**
 * `keras.datasets.cifar10`: small colour pictures in ten classes. Batches are read as Python's pickles, which Keras keeps
 * in `cifar-10-batches-py`, or in the binary form of the same site; a batch may be gzipped.
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FileFormatError } from '../../../runtime/contract/errors.js'
import type { FileArray } from '../file-array.js'
import { readCifarPickle } from './cifar-pickle.js'
import { getFile } from './get-file.js'
import { gunzip } from './idx.js'
import type { Digits } from './mnist.js'
import { datasetFolders, downloaded, firstFile, type DatasetOptions } from './places.js'
import { readTar } from './tar.js'

const ARCHIVE = 'cifar-10-binary.tar.gz'
const ORIGIN = `https://www.cs.toronto.edu/~kriz/${ARCHIVE}`
const MD5 = 'c32a1d4ab5d03f1284b67883e8d87530'
const FOLDERS = ['cifar-10-batches-py', 'cifar-10-batches-bin', 'cifar10']

const SIDE = 32, PIXELS = SIDE * SIDE, RECORD = 1 + 3 * PIXELS
const trainBatches = [1, 2, 3, 4, 5].map((k) => `data_batch_${k}`)

/** Pictures of one batch: bytes of a red, a green and a blue plane each, and classes from 0 to 9. */
export type CifarBatch = { readonly planes: Uint8Array; readonly labels: Uint8Array }

/**
 * Images (n, 32, 32, 3) and labels (n, 1), all uint8. All of `data_batch_1` to `data_batch_5` that are there are for
 * training: the whole set has 50,000 of them and 10,000 in `test_batch`.
 * @throws DatasetUnavailable saying where it was looked for; FileFormatError for a damaged file
 */
export async function loadCifar10(options: DatasetOptions = {}): Promise<Digits> {
  const folders = datasetFolders(options).flatMap((folder) => FOLDERS.map((name) => join(folder, name)))
  const folder = folders.find((path) => batchFile(path, 'test_batch') !== null && trainBatches.some((name) => batchFile(path, name) !== null))
  const read = folder === undefined ? await fromArchive(options, folders) : (name: string) => readBatch(folder, name)
  const train = trainBatches.map(read).filter((batch) => batch !== null), test = read('test_batch')
  if (train.length === 0 || test === null) throw new FileFormatError(`${folder ?? ARCHIVE}: not CIFAR-10: expected data_batch_1 to data_batch_5 and test_batch`)
  return { ...arrays('Train', train), ...arrays('Test', [test]) } as Digits
}

/** The file of a batch in whatever form it is there, or null. */
const batchFile = (folder: string, name: string): string | null =>
  firstFile(join(folder, name), join(folder, `${name}.bin`), join(folder, `${name}.bin.gz`))

function readBatch(folder: string, name: string): CifarBatch | null {
  const path = batchFile(folder, name)
  if (path === null) return null
  const bytes = readFileSync(path)
  if (path.endsWith('.gz')) return readRecords(gunzip(bytes, path), path)
  return path.endsWith('.bin') ? readRecords(bytes, path) : readCifarPickle(bytes, path)
}

/** Batches out of the archive of the site, which stays in Keras' cache as it is. */
async function fromArchive(options: DatasetOptions, folders: readonly string[]): Promise<(name: string) => CifarBatch | null> {
  const cached = join(datasetFolders(options).at(-1)!, ARCHIVE)
  const path = existsSync(cached) ? cached : await downloaded('CIFAR-10', folders, () => getFile(ARCHIVE, ORIGIN, { fileHash: MD5, ...options }))
  const files = readTar(gunzip(readFileSync(path), path), path)
  return (name) => {
    const found = [...files].find(([file]) => file.endsWith(`/${name}.bin`))
    return found ? readRecords(found[1], `${path}: ${found[0]}`) : null
  }
}

/** Records of a label and three planes. */
function readRecords(bytes: Uint8Array, path: string): CifarBatch {
  if (bytes.length === 0 || bytes.length % RECORD !== 0) throw new FileFormatError(`${path}: expected records of ${RECORD} bytes, found ${bytes.length} bytes`)
  const count = bytes.length / RECORD
  const planes = new Uint8Array(count * 3 * PIXELS), labels = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * RECORD]!
    planes.set(bytes.subarray(i * RECORD + 1, (i + 1) * RECORD), i * 3 * PIXELS)
  }
  const strange = labels.find((label) => label > 9)
  if (strange !== undefined) throw new FileFormatError(`${path}: not CIFAR-10: expected labels from 0 to 9, found ${strange}`)
  return { planes, labels }
}

function arrays(part: 'Train' | 'Test', batches: readonly CifarBatch[]): Record<string, FileArray> {
  const count = batches.reduce((sum, { labels }) => sum + labels.length, 0)
  const x = new Uint8Array(count * 3 * PIXELS), y = new Uint8Array(count)
  let at = 0
  for (const { planes, labels } of batches) {
    y.set(labels, at)
    interleave(planes, x.subarray(at * 3 * PIXELS))
    at += labels.length
  }
  return { [`x${part}`]: { dtype: 'uint8', shape: [count, SIDE, SIDE, 3], data: x }, [`y${part}`]: { dtype: 'uint8', shape: [count, 1], data: y } }
}

/** Three planes a picture as three bytes a pixel. */
function interleave(planes: Uint8Array, into: Uint8Array): void {
  for (let image = 0; image < planes.length; image += 3 * PIXELS) {
    for (let p = 0; p < PIXELS; p++) for (let c = 0; c < 3; c++) into[image + 3 * p + c] = planes[image + c * PIXELS + p]!
  }
}
