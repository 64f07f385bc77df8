/** Files of a tar archive. Source: POSIX 1003.1, pax, "ustar Interchange Format". */
import { FileFormatError } from '../../../runtime/contract/errors.js'

const BLOCK = 512

/** Plain files by their names. @throws FileFormatError for an archive that is cut */
export function readTar(bytes: Uint8Array, path: string): ReadonlyMap<string, Uint8Array> {
  const text = (at: number, length: number): string => Buffer.from(bytes.subarray(at, at + length)).toString('latin1').replace(/\0[^]*$/, '').trim()
  const files = new Map<string, Uint8Array>()
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const name = text(at, 100), size = Number.parseInt(text(at + 124, 12), 8), kind = text(at + 156, 1)
    const begin = at + BLOCK, end = begin + size
    if (!Number.isInteger(size) || end > bytes.length) throw new FileFormatError(`${path}: not a whole tar archive`)
    if (kind === '' || kind === '0') files.set(name, bytes.subarray(begin, end))
    at = begin + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}
