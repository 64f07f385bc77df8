/** Cheap answers to "has anything changed?", for builds that must do nothing when nothing has. */
import { statSync } from 'node:fs'
import * as path from 'node:path'
import { filesBelow } from './files.js'
import { hashFile, hashParts } from './hash.js'
import { inPackage, kccVersion } from './paths.js'

/** Hashes of files by path. A stamp holds while every file still has its hash. */
export type FileStamp = { readonly [file: string]: string }

export const stampOf = (files: Iterable<string>): FileStamp =>
  Object.fromEntries([...files].sort().map((file) => [file, hashFile(file) ?? '']))

export const stampHolds = (stamp: FileStamp): boolean =>
  Object.entries(stamp).every(([file, hash]) => hashFile(file) === hash)

/**
 * Changes with kcc itself: its version, and the names, sizes and times of its compiled code, templates and headers, so
 * that a kcc under development rebuilds what an older one built.
 */
export function kccFingerprint(): string {
  const folders = ['build/compiler', 'build/runtime', 'native', 'templates']
  const files = folders.flatMap((folder) => filesBelow(inPackage(folder)).map((file) => path.join(inPackage(folder), file)))
  return hashParts([kccVersion, ...files.filter((file) => !file.endsWith('.map')).map((file) => {
    const { size, mtimeMs } = statSync(file)
    return `${file} ${size} ${mtimeMs}`
  })])
}
