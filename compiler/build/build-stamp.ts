/**
 * What the last `kcc build` of a file read and wrote. While all of it is unchanged there is nothing to do, and neither
 * TypeScript nor the model is loaded to find that out. Stamps are in the cache: packages hold no machine's paths.
 */
import { statSync } from 'node:fs'
import * as path from 'node:path'
import { readText, writeFileAtomic } from '../support/files.js'
import type { FileStamp } from '../support/fingerprint.js'
import { kccFingerprint, stampHolds, stampOf } from '../support/fingerprint.js'
import { hashParts } from '../support/hash.js'
import { cacheFolder } from '../support/paths.js'

export type BuiltFile = { readonly file: string; readonly bytes: number; readonly modified: number }
export type BuiltPackage = { readonly name: string; readonly folder: string; readonly files: readonly BuiltFile[] }

type Stamp = { readonly kcc: string; readonly inputs: FileStamp; readonly packages: readonly BuiltPackage[] }

/** One stamp for each file and set of options. */
const stampFile = (entry: string, options: string): string => path.join(cacheFolder(), 'built', `${hashParts([entry, options])}.json`)

/** The packages of the last build when they still stand, or null. */
export function builtBefore(entry: string, options: string): readonly BuiltPackage[] | null {
  const text = readText(stampFile(entry, options))
  if (text === null) return null
  const stamp = JSON.parse(text) as Stamp
  const whole = stamp.packages.every((built) => built.files.every((file) => unchanged(built, file)))
  return whole && stampHolds(stamp.inputs) && stamp.kcc === kccFingerprint() ? stamp.packages : null
}

function unchanged(built: BuiltPackage, { file, bytes, modified }: BuiltFile): boolean {
  const stat = statSync(path.join(built.folder, file), { throwIfNoEntry: false })
  return stat?.size === bytes && stat.mtimeMs === modified
}

/** Remembers a build that read `inputs` (absolute) and wrote packages with these files. */
export function rememberBuild(entry: string, options: string, inputs: readonly string[],
  packages: readonly { readonly name: string; readonly folder: string; readonly files: readonly { readonly path: string }[] }[]): void {
  const stamp: Stamp = {
    kcc: kccFingerprint(),
    inputs: stampOf(inputs),
    packages: packages.map(({ name, folder, files }) => ({
      name, folder,
      files: files.map(({ path: file }) => {
        const { size, mtimeMs } = statSync(path.join(folder, file))
        return { file, bytes: size, modified: mtimeMs }
      }),
    })),
  }
  writeFileAtomic(stampFile(entry, options), JSON.stringify(stamp), 0o600)
}
