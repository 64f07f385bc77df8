/** Libraries of a GPU's vendor as a CPU plays them (`played-*.cc`), built for tests as files that the driver can open. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inPackage } from '../../compiler/support/paths.js'

export type PlayedLibrary = { readonly file: string; remove(): void }

export function playedLibrary(source: string, flags: readonly string[] = []): PlayedLibrary {
  const folder = mkdtempSync(join(tmpdir(), 'kcc-played-')), file = join(folder, 'libplayed.so')
  execFileSync('g++', ['-x', 'c++', '-std=c++17', '-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-DKCC_LEVEL=cuda', ...flags, '-I', inPackage('native', 'include'),
    new URL(source, import.meta.url).pathname, '-o', file])
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
