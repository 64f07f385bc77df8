/**
 * Writing files so that a reader, or the next process after a crash, sees the old content or the new one and never a
 * part of it: everything is written beside its place, flushed, and renamed.
 */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'

/** A name in the same folder that no other process uses. */
export function besideName(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`)
}

/** Flushes a folder's entries, which makes a rename in it durable. Not every file system can; those order it themselves. */
function syncFolder(folder: string): void {
  let handle: number
  try {
    handle = fs.openSync(folder, 'r')
  } catch {
    return
  }
  try {
    fs.fsyncSync(handle)
  } catch {
    // Some file systems refuse fsync on a folder.
  } finally {
    fs.closeSync(handle)
  }
}

/** Writes a file completely or not at all; missing parent folders are made. */
export function writeFileAtomic(file: string, data: string | Uint8Array, mode = 0o644): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const temporary = besideName(file)
  try {
    const handle = fs.openSync(temporary, 'wx', mode)
    try {
      fs.writeFileSync(handle, data)
      fs.fsyncSync(handle)
    } finally {
      fs.closeSync(handle)
    }
    fs.renameSync(temporary, file)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(path.dirname(file))
}

/** As `writeFileAtomic`, by copying. */
export function copyFileAtomic(from: string, to: string): void {
  fs.mkdirSync(path.dirname(to), { recursive: true })
  const temporary = besideName(to)
  try {
    fs.copyFileSync(from, temporary)
    fs.renameSync(temporary, to)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

/**
 * Puts the finished folder `from` in the place of `to`, which may exist. The old folder is moved aside first, because
 * a folder cannot be renamed over a full one; it comes back when the second rename fails.
 */
export function replaceFolder(from: string, to: string): void {
  fs.mkdirSync(path.dirname(to), { recursive: true })
  const old = besideName(to)
  const existed = fs.existsSync(to)
  if (existed) fs.renameSync(to, old)
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (existed) fs.renameSync(old, to)
    throw error
  }
  syncFolder(path.dirname(to))
  if (existed) fs.rmSync(old, { recursive: true, force: true })
}

/** The text of a file, or null when it is not there. */
export function readText(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** All files below a folder as sorted relative paths with `/`; empty when the folder is not there. */
export function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
}
