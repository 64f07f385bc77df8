/** The `.npz` format of numpy: a zip of `.npy` files. Small enough to be read whole; zip64 is not supported. */
import { readFile } from 'node:fs/promises'
import { strFromU8, unzipSync, zipSync } from 'fflate'
import { FileFormatError } from '../../runtime/contract/errors.js'
import { writeFileAtomic } from '../support/files.js'
import type { FileArray } from './file-array.js'
import { readNpy, writeNpy } from './npy.js'

/** A member may not unpack to more than this, and not to more than this many times the archive. */
const LARGEST_MEMBER = 2 ** 31, LARGEST_RATIO = 1100
const LOCAL_HEADER = 0x04034b50, EMPTY_ARCHIVE = 0x06054b50

/** All arrays of an archive by name (without `.npy`). @throws FileFormatError naming `path`. */
export function readNpz(bytes: Uint8Array, path = 'the archive'): Record<string, FileArray> {
  const arrays: Record<string, FileArray> = {}
  for (const [file, content] of Object.entries(unzip(bytes, path))) {
    const name = file.replace(/\.npy$/, '')
    arrays[name] = readNpy(content, `${path}: ${name}`)
  }
  return arrays
}

function unzip(bytes: Uint8Array, path: string): Record<string, Uint8Array> {
  requireZip(bytes, path)
  const limit = Math.min(LARGEST_MEMBER, bytes.byteLength * LARGEST_RATIO)
  const sums = checksums(bytes, path)
  let members: Record<string, Uint8Array>
  try {
    members = unzipSync(bytes, {
      filter: (member) => {
        if (member.originalSize > limit) throw new FileFormatError(`${path}: ${member.name} declares ${member.originalSize} bytes, which is more than a file of ${bytes.byteLength} bytes can hold`)
        return member.name.endsWith('.npy')
      },
    })
  } catch (error) {
    if (error instanceof FileFormatError) throw error
    throw new FileFormatError(`${path}: damaged .npz file (${error instanceof Error ? error.message : String(error)})`)
  }
  for (const [name, content] of Object.entries(members)) verify(name, content, sums, path)
  return members
}

function requireZip(bytes: Uint8Array, path: string): void {
  const signature = bytes.byteLength < 22 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (signature !== LOCAL_HEADER && signature !== EMPTY_ARCHIVE) throw new FileFormatError(`${path}: not a .npz file (${bytes.byteLength} bytes)`)
}

type Sum = { readonly crc: number; readonly size: number }

/** CRC-32 and size of every member, from the zip's central directory (fflate does not check them). */
function checksums(bytes: Uint8Array, path: string): Map<string, Sum> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sums = new Map<string, Sum>()
  try {
    let end = bytes.byteLength - 22
    while (view.getUint32(end, true) !== EMPTY_ARCHIVE) end--
    let at = view.getUint32(end + 16, true)
    for (let left = view.getUint16(end + 10, true); left > 0; left--) {
      const nameLength = view.getUint16(at + 28, true)
      const name = strFromU8(bytes.subarray(at + 46, at + 46 + nameLength))
      sums.set(name, { crc: view.getUint32(at + 16, true), size: view.getUint32(at + 24, true) })
      at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    }
  } catch {
    throw new FileFormatError(`${path}: damaged .npz file (its directory cannot be read; was it cut off?)`)
  }
  return sums
}

function verify(name: string, content: Uint8Array, sums: Map<string, Sum>, path: string): void {
  const sum = sums.get(name)
  if (!sum || sum.size !== content.byteLength || sum.crc !== crc32(content)) throw new FileFormatError(`${path}: ${name} is damaged (checksum)`)
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc
})

/** The checksum of zip members. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** The arrays of an `.npz` file by name, as numpy saved them. @throws FileFormatError for a damaged file, the file system's error for a missing one. */
export const loadNpz = async (path: string): Promise<Record<string, FileArray>> => readNpz(await readFile(path), path)

/** The arrays as a `.npz` file, uncompressed as `numpy.savez` writes it. */
export function writeNpz(arrays: Readonly<Record<string, FileArray>>): Uint8Array {
  const members = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const)
  return zipSync(Object.fromEntries(members), { level: 0, mtime: new Date(1980, 0, 1) })
}

/** Written beside and renamed. */
export const saveNpz = (path: string, arrays: Readonly<Record<string, FileArray>>): void => writeFileAtomic(path, writeNpz(arrays))
