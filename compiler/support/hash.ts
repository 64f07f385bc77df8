/** Content hashes: cache keys and the stamps of incremental builds. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Hex SHA-256 of bytes or text. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Hex SHA-256 of a file's bytes, or null when it cannot be read. */
export function hashFile(file: string): string | null {
  try {
    return sha256(readFileSync(file))
  } catch {
    return null
  }
}

/**
 * One key for several parts. Each part is preceded by its length, so that moving text from one part to the next
 * changes the key. 160 bits: short enough for a file name, long enough to never collide.
 */
export function hashParts(parts: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest('hex').slice(0, 40)
}
