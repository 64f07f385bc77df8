/** `keras.utils.get_file`: a file from the cache in `~/.keras`, downloaded into it when it is not there. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { KccError, ValueError } from '../../../runtime/contract/errors.js'
import { writeFileAtomic } from '../../support/files.js'

export type GetFileOptions = {
  /** Hexadecimal checksum of the file: md5 (32 digits) or sha256 (64 digits). */
  readonly fileHash?: string | null
  /** Default `~/.keras`. */
  readonly cacheDir?: string
  /** Default `datasets`. */
  readonly cacheSubdir?: string
  /** Longest time for the server's answer and for the whole download, in milliseconds. */
  readonly answerMs?: number
  readonly downloadMs?: number
  /** Where progress is told; default: standard error, so that results on standard output stay clean. */
  readonly log?: (line: string) => void
}

/** A data set that is neither on this machine nor to be had from the network. */
export class DatasetUnavailable extends KccError {}

export const defaultCache = (): string => join(homedir(), '.keras')

/**
 * Path of the file `name` in the cache. A file that is there with another checksum is fetched again.
 * @throws DatasetUnavailable when the download fails or its checksum is wrong; the cache is as before
 */
export async function getFile(name: string, origin: string, options: GetFileOptions = {}): Promise<string> {
  if (name !== basename(name) || name === '' || name === '..') throw new ValueError(`a name without folders is expected, found ${JSON.stringify(name)}`)
  const path = join(options.cacheDir ?? defaultCache(), options.cacheSubdir ?? 'datasets', name)
  const log = options.log ?? ((line) => void process.stderr.write(`${line}\n`))
  if (existsSync(path)) {
    if (hashMatches(readFileSync(path), options.fileHash)) return path
    log('A local file was found, but it seems to be incomplete or outdated because the auto file hash does not match ' +
      `the original value of ${options.fileHash} so we will re-download the data.`)
  }
  log(`Downloading data from ${origin}`)
  writeFileAtomic(path, await download(origin, options))
  return path
}

async function download(origin: string, options: GetFileOptions): Promise<Uint8Array> {
  const stop = new AbortController()
  const watch = setTimeout(() => stop.abort(new Error('the server does not answer')), options.answerMs ?? 15_000)
  try {
    const response = await fetch(origin, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(options.downloadMs ?? 600_000)]) })
    clearTimeout(watch)
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (!hashMatches(bytes, options.fileHash)) throw new Error(`the checksum is not ${options.fileHash}`)
    return bytes
  } catch (error) {
    throw new DatasetUnavailable(`URL fetch failure on ${origin}: ${cause(error)}`)
  } finally {
    clearTimeout(watch)
  }
}

/** `fetch` hides the reason ("getaddrinfo ENOTFOUND …") in the cause. */
function cause(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

function hashMatches(bytes: Uint8Array, hash: string | null | undefined): boolean {
  if (hash === null || hash === undefined) return true
  return createHash(hash.length === 64 ? 'sha256' : 'md5').update(bytes).digest('hex') === hash.toLowerCase()
}
