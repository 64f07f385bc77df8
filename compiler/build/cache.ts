/**
 * The content-addressed cache of objects and finished native files. An entry is a file named by its key and a file with
 * its SHA-256, which is checked before the entry is used: a native file is code that will run in this process. Entries
 * appear by rename and are never changed, so that processes may share the folder without locks.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { KccError } from '../../runtime/contract/errors.js'
import { TUNED_FILE } from '../../runtime/contract/manifest.js'
import { copyFileAtomic, writeFileAtomic } from '../support/files.js'
import { hashFile } from '../support/hash.js'
import { cacheFolder } from '../support/paths.js'

export type EntryKind = 'object' | 'native'

const extension: Readonly<Record<EntryKind, string>> = { object: '.o', native: '.node' }
const DAY = 24 * 3600 * 1000
/** Entries not used for this long are removed. */
const KEEP_FOR = 30 * DAY

export class BuildCache {
  constructor(readonly folder: string = cacheFolder()) {}

  /** What was measured on GPUs, of models that are in no package. */
  get tunedFile(): string { return path.join(this.folder, TUNED_FILE) }

  private file(kind: EntryKind, key: string): string {
    return path.join(this.folder, `${kind}s`, `${key}${extension[kind]}`)
  }

  /** The path of a sound entry, or null. A damaged one is removed. */
  get(kind: EntryKind, key: string): string | null {
    const file = this.file(kind, key)
    if (!fs.existsSync(file)) return null
    this.checkOwner()
    const expected = readDigest(`${file}.sha256`)
    if (expected === null || hashFile(file) !== expected) {
      fs.rmSync(file, { force: true })
      return null
    }
    touch(file)
    return file
  }

  /** Copies a file into the cache and returns the entry's path. The digest comes first: an entry without one is unsound. */
  put(kind: EntryKind, key: string, from: string): string {
    this.open()
    const file = this.file(kind, key)
    const digest = hashFile(from)
    if (digest === null) throw new KccError(`The build left no file ${from}`)
    writeFileAtomic(`${file}.sha256`, `${digest}\n`, 0o600)
    copyFileAtomic(from, file)
    return file
  }

  /** A new empty folder to build in. */
  workFolder(): string {
    this.open()
    this.prune()
    const parent = path.join(this.folder, 'work')
    fs.mkdirSync(parent, { recursive: true, mode: 0o700 })
    return fs.mkdtempSync(path.join(parent, 'build-'))
  }

  /** Makes the folder, for this user only. */
  private open(): void {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    this.checkOwner()
  }

  /** @throws KccError when someone else could have written entries: they would run as this user. */
  private checkOwner(): void {
    const stat = fs.statSync(this.folder)
    const uid = process.getuid?.()
    const foreign = uid !== undefined && stat.uid !== uid
    if (foreign || (stat.mode & 0o002) !== 0) {
      throw new KccError(
        `The cache folder ${this.folder} ${foreign ? 'belongs to another user' : 'can be written by everyone'}; ` +
        'native code from it would run as you. Set KCC_CACHE_DIR to a folder of your own.')
    }
  }

  /** Once a day, removes what was not used for a month and build folders that a killed process left. */
  private prune(): void {
    const stamp = path.join(this.folder, 'pruned')
    if (age(stamp) < DAY) return
    writeFileAtomic(stamp, '')
    for (const [folder, limit] of [['objects', KEEP_FOR], ['natives', KEEP_FOR], ['work', DAY]] as const) {
      const parent = path.join(this.folder, folder)
      const names = fs.existsSync(parent) ? fs.readdirSync(parent) : []
      for (const name of names) if (age(path.join(parent, name)) > limit) fs.rmSync(path.join(parent, name), { recursive: true, force: true })
    }
  }
}

function readDigest(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

/** Marks an entry as used. The cache may be read-only, as in a container: then nothing is pruned either. */
function touch(file: string): void {
  const now = new Date()
  for (const one of [file, `${file}.sha256`]) {
    try {
      fs.utimesSync(one, now, now)
    } catch {
      return
    }
  }
}

/** Milliseconds since a file was written; Infinity when it is not there. */
function age(file: string): number {
  try {
    return Date.now() - fs.statSync(file).mtimeMs
  } catch {
    return Infinity
  }
}
