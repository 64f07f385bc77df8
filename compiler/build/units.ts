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
import type { CudaTools, DeviceBuild } from './cuda.js'
import { cudaLibraries, nvccFlags } from './cuda.js'
import { cudaLevel, featuresSource, levelsSource } from './levels.js'
import { compilerIdentity, cpuIdentity } from './toolchain.js'

/** Sources that share flags; one CMake object library, or by a compiler of their own. */
export type Group = { readonly id: string; readonly flags: readonly string[]; readonly nvcc?: string }

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

/** The device part of a file, and the tools that build it where it is not for execution by the host. */
export type DeviceUnits = { readonly build: DeviceBuild; readonly tools: CudaTools | null }

/** The runtime libraries are linked in, so that a package does not depend on the compiler's own on the target machine. */
export function linkFlags(): readonly string[] {
  if (process.platform === 'darwin') return ['-undefined', 'dynamic_lookup']
  return enabled('KCC_SANITIZE')
    ? ['-pthread', '-fsanitize=address,undefined']
    : ['-pthread', '-static-libgcc', '-static-libstdc++', '-Wl,--gc-sections', '-Wl,-s']
}

/** Libraries after all objects, by name or path. */
export const linkLibraries = (device: DeviceUnits | null): readonly string[] => (device?.tools ? cudaLibraries(device.tools) : [])

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
export function unitsOf(emitted: Emitted, given: readonly Level[], compiler: string, flags: readonly string[] = [], device: DeviceUnits | null = null): readonly Unit[] {
  [...emitted.files, ...emitted.device].forEach(checkName)
  const levels = emitted.files.length === 0 ? [] : given, isDevice = device !== null && emitted.device.length > 0
  const ofLevel = levels.map((level) => groupsOf(level, flags))
  const baseline: Group = { id: 'baseline', flags: withSanitizers([...generated, '-O2']) }
  const perLevel = [...emitted.files.filter((f) => f.perLevel), featuresSource]
  const once = [...emitted.files.filter((f) => !f.perLevel), levelsSource(levels, emitted.manifests.length, isDevice)]
  const read = headerReader()
  const unit = (source: SourceFile, group: Group): Unit => ({ source, group, key: unitKey(source, group, compiler, read) })
  return [
    unitOfHost(compiler, read),
    ...once.map((source) => unit(source, baseline)),
    ...ofLevel.flatMap((groups) => perLevel.map((source) => unit(source, groupFor(source, groups)))),
    ...(isDevice ? deviceUnits(emitted.device, device, flags, unit) : []),
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

/** Kernels, the functions that start them, and the driver beneath, which is the same for every model. */
function deviceUnits(sources: readonly SourceFile[], { build, tools }: DeviceUnits, flags: readonly string[], unit: (source: SourceFile, group: Group) => Unit): Unit[] {
  const defined = [`-DKCC_LEVEL=${cudaLevel.id}`]
  const baseline: Group = { id: 'device', flags: withSanitizers([...generated, '-O2', ...defined]) }
  const kernels: Group = build.kind === 'nvcc'
    ? { id: 'device_kernels', flags: [...nvccFlags(build.architectures), ...defined], nvcc: tools!.nvcc }
    : { id: 'device_kernels', flags: withSanitizers([...generated, '-O2', '-march=native', ...defined, ...flags, '-x', 'c++']) }
  const driver: Group = build.kind === 'nvcc'
    ? kernels
    : { id: 'device_driver', flags: withSanitizers([...generated, '-O1', ...defined, '-x', 'c++']) }
  return [unit(driverSource(build), driver), ...sources.map((source) => unit(source, source.name.endsWith('.cu') ? kernels : baseline))]
}

/** What a file for execution by the host says it was built for; the GPU that is played has the last. */
const PLAYED_ARCHITECTURES = [80, 90]

function driverSource(build: DeviceBuild): SourceFile {
  const architectures = build.kind === 'nvcc' ? build.architectures : PLAYED_ARCHITECTURES
  const sources = ['shared-library.cc', 'cublaslt.cc', 'cudnn.cc', 'libraries.cc', 'product-check.cc', 'measure.cc', 'laps.cc', 'data-sets.cc', 'recording.cc', 'device.cc', 'runtime.cc', ...(build.kind === 'host' ? ['host-api.cc'] : [])]
  return { name: 'kcc_device.cu', perLevel: false, text: `#define KCC_ARCHITECTURES ${architectures.join(', ')}\n${sources.map((name) => `#include "cuda/${name}"\n`).join('')}` }
}

function unitOfHost(compiler: string, read: HeaderReader): Unit {
  const source = hostSource(), group: Group = { id: 'host', flags: withSanitizers(host) }
  return { source, group, key: unitKey(source, group, compiler, read) }
}

/** File names reach CMake and the compiler: only plain ones pass. */
function checkName(source: SourceFile): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*\.(cc|cu)$/.test(source.name)) throw new KccError(`Not a name for a generated source: ${JSON.stringify(source.name)}`)
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
  return hashParts([source.name, source.text, ...texts, ...group.flags, group.nvcc === undefined ? compiler : compilerIdentity(group.nvcc), machine])
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
