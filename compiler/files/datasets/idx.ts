/** IDX, the format of the original MNIST files: a magic number, sizes in big-endian order, bytes. Source: http://yann.lecun.com/exdb/mnist/ */
import { gunzipSync } from 'fflate'
import { FileFormatError } from '../../../runtime/contract/errors.js'
import type { FileArray } from '../file-array.js'

/** An array of bytes with `rank` axes from a gzipped file. @throws FileFormatError for anything else */
export function readIdx(file: Uint8Array, rank: number, path: string): FileArray {
  const bytes = gunzip(file, path)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = 4 + 4 * rank
  if (bytes.length < head || view.getUint32(0) !== 0x0800 + rank) throw new FileFormatError(`${path}: expected an IDX file of bytes with ${rank} axes`)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const data = bytes.subarray(head), wanted = shape.reduce((n, d) => n * d, 1)
  if (data.length !== wanted) throw new FileFormatError(`${path}: expected ${wanted} bytes for the shape (${shape.join(', ')}), found ${data.length}`)
  return { dtype: 'uint8', shape, data }
}

/** @throws FileFormatError when the file is not gzip or is cut */
export function gunzip(file: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(file)
  } catch (error) {
    throw new FileFormatError(`${path}: not a gzip file: ${(error as Error).message}`)
  }
}
