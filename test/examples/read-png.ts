/** Reads back grey PNG files without filters, checking every chunk. */
import { createRequire } from 'node:module'
import { inflateSync } from 'node:zlib'

const { crc32 } = createRequire(import.meta.url)('node:zlib') as { crc32?: (data: Uint8Array) => number }

export type Picture = { readonly width: number; readonly height: number; mean(x: number, y: number, width: number, height: number): number }

/** @throws Error when it is no PNG, a chunk is damaged, or a row has a filter */
export function readPng(file: Uint8Array): Picture {
  const bytes = Buffer.from(file)
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('no signature')
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at), body = bytes.subarray(at + 4, at + 8 + length)
    // Newer versions of Node have the checksum themselves.
    if (crc32 && crc32(body) !== bytes.readUInt32BE(at + 8 + length)) throw new Error('a chunk has a wrong checksum')
    chunks.set(body.subarray(0, 4).toString('latin1'), body.subarray(4))
    at += 12 + length
  }
  const header = chunks.get('IHDR')!, width = header.readUInt32BE(0), height = header.readUInt32BE(4)
  if (!chunks.has('IEND') || [...header.subarray(8)].join() !== '8,0,0,0,0') throw new Error('not a whole grey picture of 8 bits')
  const rows = inflateSync(chunks.get('IDAT')!)
  if (rows.length !== height * (width + 1) || Array.from({ length: height }, (_, y) => rows[y * (width + 1)]).some((filter) => filter !== 0)) throw new Error('rows of another size or with filters')
  const pixel = (x: number, y: number): number => rows[y * (width + 1) + 1 + x]!
  return {
    width, height,
    mean: (left, top, w, h) => Array.from({ length: w * h }, (_, i) => pixel(left + (i % w), top + Math.floor(i / w))).reduce((sum, p) => sum + p, 0) / (w * h),
  }
}
