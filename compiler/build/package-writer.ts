/**
 * The package of a compiled model: everything a Node process needs to use it, with no dependency on kcc. It is written
 * to a folder beside its place and renamed when complete.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import Handlebars from 'handlebars'
import type { ModuleManifest, NativeFileManifest } from '../../runtime/contract/manifest.js'
import { TUNED_FILE } from '../../runtime/contract/manifest.js'
import { KccError, ValueError } from '../../runtime/contract/errors.js'
import type { SourceFile } from '../emit/sources.js'
import { besideName, filesBelow, readText, replaceFolder } from '../support/files.js'
import { hashFile, sha256 } from '../support/hash.js'
import { displayPath, inPackage } from '../support/paths.js'
import { bundleRuntime } from './bundle-runtime.js'
import { packageView } from './package-view.js'

export type PackageInput = {
  readonly name: string
  /** Where the package goes; it may exist when it is a package. */
  readonly folder: string
  readonly manifest: ModuleManifest
  readonly sources: readonly SourceFile[]
  /** The built native file; it is copied. */
  readonly native: string
  /** The weights as a safetensors file. */
  readonly weights: Uint8Array
}

export type WrittenFile = { readonly path: string; readonly bytes: number }
export type WrittenPackage = {
  readonly folder: string
  readonly files: readonly WrittenFile[]
  /** False when the package was there already with this very content. */
  readonly written: boolean
}

/** Files by their path in the package; text or bytes, or a file to copy. */
type Content = ReadonlyMap<string, string | Uint8Array | { readonly copyOf: string }>

/** @throws ValueError when `folder` holds something that is not a package. */
export async function writePackage(input: PackageInput): Promise<WrittenPackage> {
  refuseForeign(input.folder)
  const content = await contentOf(input)
  const written = !holds(input.folder, content)
  if (written) replaceWith(input.folder, content)
  const files = [...content.keys()].sort().map((name): WrittenFile => ({ path: name, bytes: fs.statSync(path.join(input.folder, name)).size }))
  return { folder: input.folder, files, written }
}

async function contentOf(input: PackageInput): Promise<Content> {
  const view = packageView(input.name, input.manifest)
  const rendered = ['package.json', 'index.mjs', 'index.cjs', 'index.d.ts', 'index.d.mts'].map((name) => [name, render(name, view)] as const)
  // What was measured on GPUs outlasts a build. It is kept under the names of kernels, which begin with the first layer that has one and
  // end in a digest of its code: what was changed, or renamed, is left to kernels of kcc until it is measured again.
  const tuned = path.join(input.folder, TUNED_FILE)
  const types = filesBelow(inPackage('build', 'runtime')).filter((name) => name.endsWith('.d.ts'))
  return new Map<string, string | Uint8Array | { copyOf: string }>([
    ...rendered,
    ['manifest.json', `${JSON.stringify({ ...input.manifest, native: nativeFile(input.native) }, null, 2)}\n`],
    ['model.node', { copyOf: input.native }],
    ['weights.safetensors', input.weights],
    ['runtime.cjs', await bundleRuntime()],
    ...(fs.existsSync(tuned) ? [[TUNED_FILE, fs.readFileSync(tuned)] as const] : []),
    ...types.map((name) => [`types/${name}`, (readText(inPackage('build', 'runtime', name)) ?? '').replace(/^\/\/# sourceMappingURL=.*$/gm, '')] as const),
    ...input.sources.map((source) => [`src/${source.name}`, source.text] as const),
  ])
}

/** @throws KccError when the build left no file. */
function nativeFile(file: string): NativeFileManifest {
  const digest = hashFile(file)
  if (digest === null) throw new KccError(`The build left no file ${file}`)
  return { bytes: fs.statSync(file).size, sha256: digest }
}

function render(name: string, view: object): string {
  const template = fs.readFileSync(inPackage('templates', 'package', `${name}.hbs`), 'utf8')
  return Handlebars.create().compile(template, { noEscape: true, strict: true })(view)
}

/** Replacing a folder deletes what was there, so it must be a package of ours, or empty. */
function refuseForeign(folder: string): void {
  if (!fs.existsSync(folder) || fs.existsSync(path.join(folder, 'manifest.json'))) return
  if (!fs.statSync(folder).isDirectory() || fs.readdirSync(folder).length > 0) {
    throw new ValueError(`${displayPath(folder)} exists and is not a package of kcc. Expected a new or empty folder; choose another with --out.`)
  }
}

/** Whether the folder has exactly this content. */
function holds(folder: string, content: Content): boolean {
  if (filesBelow(folder).join('\n') !== [...content.keys()].sort().join('\n')) return false
  return [...content].every(([name, value]) => hashFile(path.join(folder, name)) ===
    (typeof value === 'string' || value instanceof Uint8Array ? sha256(value) : hashFile(value.copyOf)))
}

function replaceWith(folder: string, content: Content): void {
  const temporary = besideName(folder)
  try {
    for (const [name, value] of content) {
      const file = path.join(temporary, name)
      fs.mkdirSync(path.dirname(file), { recursive: true })
      if (typeof value === 'string' || value instanceof Uint8Array) fs.writeFileSync(file, value)
      else fs.copyFileSync(value.copyOf, file)
      flush(file)
    }
    replaceFolder(temporary, folder)
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

function flush(file: string): void {
  const handle = fs.openSync(file, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}
