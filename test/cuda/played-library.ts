/** Libraries of a GPU's vendor as a CPU plays them (`played-*.cc`), built for tests as files that the driver can open. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inPackage } from '../../compiler/support/paths.js'
import { sharedCache, type Workshop } from '../e2e/workshop.js'

export type PlayedLibrary = { readonly file: string; remove(): void }

export function playedLibrary(source: string, flags: readonly string[] = []): PlayedLibrary {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-played-')), file = join(folder, 'libplayed.so')
  execFileSync('g++', ['-x', 'c++', '-std=c++17', '-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-DKCC_LEVEL=cuda', ...flags, '-I', inPackage('native', 'include'),
    new URL(source, import.meta.url).pathname, '-o', file])
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A cache for what is measured of a model in a file, apart from what others measure, with the objects that all have. */
export function ownCache(shop: Workshop, name: string): Record<string, string> {
  mkdirSync(shop.path(name))
  for (const folder of ['objects', 'natives']) symlinkSync(join(sharedCache, folder), shop.path(name, folder))
  return { KCC_CACHE_DIR: shop.path(name) }
}
