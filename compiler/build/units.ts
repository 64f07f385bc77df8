/** Translation units: what is compiled, with which flags, and the key under which its object is cached. */
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { KccError } from '../../runtime/contract/errors.js'
import type { Emitted, SourceFile } from '../emit/sources.js'
import { enabled } from '../support/env.js'
import { filesBelow, readText } from '../support/files.js'
import { hashParts } from '../support/hash.js'
import { inPackage } from '../support/paths.js'
import type { Level } from './levels.js'
import { featuresSource, levelsSource } from './levels.js'
import { cpuIdentity } from './toolchain.js'

/** Sources that share flags; one CMake object library. */
export type Group = { readonly id: string; readonly flags: readonly string[] }

export type Unit = { readonly source: SourceFile; readonly group: Group; readonly key: string }

const common = ['-std=c++17', '-DNDEBUG', '-fPIC', '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-pthread']

/**
 * Generated code needs no exceptions or type information. Contraction to fused multiply-add is wanted; nothing that
 * changes the meaning of NaN, infinity or the order of sums is on. `-fno-math-errno` and `-fno-trapping-math` only
 * drop the errno and the exception flags of the C library, which nothing reads.
 */
const generated = [...common, '-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math', '-fno-exceptions', '-fno-rtti']

/** The addon runs once per call, not once per element: `-O1` halves its compile time. */
const host = [...common, '-O1', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION']

const sanitizers = ['-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-g1']
const withSanitizers = (flags: readonly string[]): readonly string[] => (enabled('KCC_SANITIZE') ? [...flags, ...sanitizers] : flags)

/** The runtime libraries are linked in, so that a package does not depend on the compiler's own on the target machine. */
export function linkFlags(): readonly string[] {
  if (process.platform === 'darwin') return ['-undefined', 'dynamic_lookup']
  return enabled('KCC_SANITIZE')
    ? ['-pthread', '-fsanitize=address,undefined']
    : ['-pthread', '-static-libgcc', '-static-libstdc++', '-Wl,--gc-sections', '-Wl,-s']
}

/** Folders of headers, in search order. */
export function includeFolders(): readonly string[] {
  const require = createRequire(import.meta.url)
  return [
    inPackage('native', 'include'),
    inPackage('native'),
    path.join(path.dirname(require.resolve('node-api-headers/package.json')), 'include'),
    path.dirname(require.resolve('node-addon-api/package.json')),
  ]
}

/** Hand-written sources are one unit: they share most of the headers, which cost more than the code. */
function hostSource(): SourceFile {
  const names = ['pool', 'addon'].flatMap((folder) => filesBelow(inPackage('native', folder)).map((name) => `${folder}/${name}`))
  const sources = names.filter((name) => name.endsWith('.cc'))
  return { name: 'kcc_host.cc', perLevel: false, text: sources.map((name) => `#include "${name}"\n`).join('') }
}

/** All units of one native file, in link order. `compiler` is its identity, part of every key; `flags` are added for per-level sources. */
export function unitsOf(emitted: Emitted, levels: readonly Level[], compiler: string, flags: readonly string[] = []): readonly Unit[] {
  emitted.files.forEach(checkName)
  const ofLevel = levels.map((level) => groupsOf(level, flags))
  const baseline: Group = { id: 'baseline', flags: withSanitizers([...generated, '-O2']) }
  const perLevel = [...emitted.files.filter((f) => f.perLevel), featuresSource]
  const once = [...emitted.files.filter((f) => !f.perLevel), levelsSource(levels, emitted.manifests.length)]
  const read = headerReader()
  const unit = (source: SourceFile, group: Group): Unit => ({ source, group, key: unitKey(source, group, compiler, read) })
  return [
    unitOfHost(compiler, read),
    ...once.map((source) => unit(source, baseline)),
    ...ofLevel.flatMap((groups) => perLevel.map((source) => unit(source, groupFor(source, groups)))),
  ]
}

type LevelGroups = { readonly usual: Group; readonly explicit: Group }

function groupsOf(level: Level, flags: readonly string[]): LevelGroups {
  const group = (id: string, optimization: string): Group => ({ id, flags: withSanitizers([...generated, optimization, `-march=${level.name}`, `-DKCC_LEVEL=${level.id}`, ...flags]) })
  return { usual: group(level.id, '-O2'), explicit: group(`${level.id}_explicit`, '-O1') }
}

const groupFor = (source: SourceFile, groups: LevelGroups): Group => (source.explicit === true ? groups.explicit : groups.usual)

/** What is the same for every model: the addon with the thread pool, and `sources` for every level. */
export function sharedUnits(sources: readonly SourceFile[], levels: readonly Level[], compiler: string): readonly Unit[] {
  const read = headerReader()
  const perLevel = levels.map((level) => groupsOf(level, [])).flatMap((groups) => sources.map((source) => ({ source, group: groupFor(source, groups) })))
  return [unitOfHost(compiler, read), ...perLevel.map(({ source, group }) => ({ source, group, key: unitKey(source, group, compiler, read) }))]
}

function unitOfHost(compiler: string, read: HeaderReader): Unit {
  const source = hostSource(), group: Group = { id: 'host', flags: withSanitizers(host) }
  return { source, group, key: unitKey(source, group, compiler, read) }
}

/** File names reach CMake and the compiler: only plain ones pass. */
function checkName(source: SourceFile): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*\.cc$/.test(source.name)) throw new KccError(`Not a name for a generated source: ${JSON.stringify(source.name)}`)
}

type HeaderReader = (include: string) => string | null

/** Reads a header by the text of its `#include`; each file once per build. */
function headerReader(): HeaderReader {
  const seen = new Map<string, string | null>()
  const folders = includeFolders()
  return (include) => {
    if (!seen.has(include)) seen.set(include, folders.map((folder) => readText(path.join(folder, include))).find((t) => t !== null) ?? null)
    return seen.get(include) ?? null
  }
}

/** The object of a unit depends on its text, all headers it may include, its flags, the compiler and, if native, the CPU. */
function unitKey(source: SourceFile, group: Group, compiler: string, read: HeaderReader): string {
  const texts = includedTexts(source.text, read)
  const machine = group.flags.includes('-march=native') ? cpuIdentity() : process.arch
  return hashParts([source.name, source.text, ...texts, ...group.flags, compiler, machine])
}

/** Texts of all headers reachable from `text`; those of the system are covered by the identity of the compiler. */
function includedTexts(text: string, read: HeaderReader): string[] {
  const found = new Map<string, string>()
  const visit = (from: string, folder: string): void => {
    for (const [, include] of from.matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]/gm)) {
      const names = [path.posix.join(folder, include!), include!]
      const name = names.find((n) => read(n) !== null)
      if (name === undefined || found.has(name)) continue
      const header = read(name)!
      found.set(name, header)
      visit(header, path.posix.dirname(name))
    }
  }
  visit(text, '')
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).flat()
}
