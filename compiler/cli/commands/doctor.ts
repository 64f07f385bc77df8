/** `kcc doctor`: everything a build needs, each with how to get it. */
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { execa } from 'execa'
import { BuildCache } from '../../build/cache.js'
import { findCudaTools, locateNvcc, presentGpus } from '../../build/cuda.js'
import { includeFolders } from '../../build/units.js'
import type { ToolName } from '../../build/toolchain.js'
import { installHint, locateTools } from '../../build/toolchain.js'
import { paintFor } from '../../support/colour.js'
import { cublasltNames, cudnnName, environmentVariables, setting } from '../../support/env.js'
import { readText } from '../../support/files.js'
import { kccVersion } from '../../support/paths.js'
import type { ExitCode } from '../exit-codes.js'
import { exitCodes } from '../exit-codes.js'
import { printResult } from '../report.js'

export type Check = {
  readonly name: string
  readonly ok: boolean
  /** What was found. */
  readonly found: string
  /** How to mend it; empty when there is nothing to mend. */
  readonly fix: string
}

export async function doctor(options: { readonly json: boolean }): Promise<ExitCode> {
  const tools = locateTools()
  const checks = [
    nodeCheck(),
    await toolCheck('c++', tools['c++'], 'KCC_CXX'),
    await compileCheck(tools['c++']),
    await toolCheck('cmake', tools.cmake, 'KCC_CMAKE', '3.16'),
    await toolCheck('make', tools.make),
    headersCheck(), cpuCheck(), coresCheck(), cacheCheck(), await nvccCheck(), gpuCheck(), ...libraries().map(libraryCheck),
  ]
  const healthy = checks.every((check) => check.ok)
  const variables = environmentVariables.map(({ name }) => ({ name, value: process.env[name] ?? null })).filter((v) => v.value !== null)
  printResult({ text: formatChecks(checks, variables), json: { kcc: kccVersion, healthy, checks, environment: variables } }, options.json)
  return healthy ? exitCodes.ok : exitCodes.toolchain
}

function formatChecks(checks: readonly Check[], variables: readonly { name: string; value: string | null }[]): string {
  const paint = paintFor(process.stdout)
  const width = Math.max(...checks.map((check) => check.name.length)) + 2
  const lines = checks.flatMap(({ ok, name, found, fix }) => [
    `${ok ? paint('green', '✓') : paint('red', '✗')} ${name.padEnd(width)}${found}`,
    ...(ok || fix === '' ? [] : [`  ${''.padEnd(width)}${fix}`]),
  ])
  const environment = variables.length === 0 ? '' : `\nEnvironment:\n${variables.map((v) => `  ${v.name}=${v.value}`).join('\n')}\n`
  const bad = checks.filter((check) => !check.ok).length
  return `kcc ${kccVersion}\n\n${lines.join('\n')}\n${environment}\n${bad === 0 ? 'Everything a build needs is here.' : `${bad} of ${checks.length} checks failed.`}\n`
}

/** Whether version `a` is at least `b`, part by part. */
export function atLeast(a: string, b: string): boolean {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]]
  const at = y.findIndex((part, i) => (x[i] ?? 0) !== part)
  return at < 0 || (x[at] ?? 0) > y[at]!
}

function nodeCheck(): Check {
  const version = process.versions.node
  return { name: 'node', ok: atLeast(version, '20.11'), found: `${version} (Node-API ${process.versions['napi'] ?? '?'})`, fix: 'kcc needs Node 20.11 or newer: https://nodejs.org' }
}

async function toolCheck(tool: ToolName, file: string | null, variable?: 'KCC_CXX' | 'KCC_CMAKE', minimum = '0'): Promise<Check> {
  const asked = variable === undefined ? undefined : setting(variable)
  if (file === null) return { name: tool, ok: false, found: asked === undefined ? 'not found' : `${variable}=${asked} is not an executable`, fix: installHint(tool) }
  const { stdout } = await execa(file, ['--version'], { reject: false })
  const version = /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? '?'
  return { name: tool, ok: version !== '?' && atLeast(version, minimum), found: `${file} ${version}`, fix: `at least version ${minimum} is needed. ${installHint(tool)}` }
}

/** Compiles and links a C++17 library: a compiler can be there without its headers or linker. */
async function compileCheck(cxx: string | null): Promise<Check> {
  const name = 'C++17 library'
  if (cxx === null) return { name, ok: false, found: 'not tried', fix: '' }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kcc-doctor-'))
  try {
    fs.writeFileSync(path.join(folder, 'a.cc'), '#include <string>\n#include <node_api.h>\nextern "C" int f() { return int(std::string("kcc").size()); }\n')
    const includes = includeFolders().flatMap((include) => ['-I', include])
    const { exitCode, stderr } = await execa(cxx, ['-std=c++17', '-shared', '-fPIC', ...includes, 'a.cc', '-o', 'a.so'], { cwd: folder, reject: false })
    const first = stderr.split('\n').find((line) => line.includes('error')) ?? stderr.split('\n')[0] ?? ''
    return { name, ok: exitCode === 0, found: exitCode === 0 ? 'compiles and links' : first, fix: installHint('c++') }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function headersCheck(): Check {
  const missing = includeFolders().filter((folder) => !fs.existsSync(folder))
  return { name: 'headers', ok: missing.length === 0, found: missing.length === 0 ? 'Node-API headers are installed' : `missing: ${missing.join(', ')}`, fix: 'run npm install again' }
}

const levelFlags: readonly (readonly [level: string, flags: readonly string[]])[] = [
  ['x86-64-v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
  ['x86-64-v3', ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe']],
  ['x86-64-v2', ['sse4_1', 'sse4_2', 'ssse3', 'popcnt', 'cx16']],
]

/** The highest x86 level whose features, and those of the levels below it, are all in `flags`. */
export function cpuLevel(flags: ReadonlySet<string>): string {
  const missing = levelFlags.map(([, needed]) => needed.some((flag) => !flags.has(flag)))
  const best = levelFlags.findIndex((_level, i) => missing.slice(i).every((m) => !m))
  return levelFlags[best]?.[0] ?? 'x86-64'
}

function cpuCheck(): Check {
  const flags = /^flags\s*:(.*)$/m.exec(readText('/proc/cpuinfo') ?? '')?.[1]
  const level = flags === undefined ? process.arch : cpuLevel(new Set(flags.trim().split(/\s+/)))
  return { name: 'cpu', ok: true, found: `${os.cpus()[0]?.model.trim() ?? 'unknown'} (${level})`, fix: '' }
}

/** Cores a container may use, or null when nothing limits it. */
export function cgroupQuota(read: (file: string) => string | null = readText): number | null {
  const v2 = /^(\d+) (\d+)/.exec(read('/sys/fs/cgroup/cpu.max') ?? '')
  if (v2) return Number(v2[1]) / Number(v2[2])
  const quota = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? '-1')
  const period = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? '0')
  return quota > 0 && period > 0 ? quota / period : null
}

function coresCheck(): Check {
  const quota = cgroupQuota()
  return { name: 'cores', ok: true, found: `${os.availableParallelism()}${quota === null ? ', no cgroup quota' : `, cgroup quota ${quota}`}`, fix: '' }
}

/** Only `--target cuda` needs it: its absence is no fault. */
async function nvccCheck(): Promise<Check> {
  const name = 'nvcc', asked = setting('KCC_NVCC'), found = locateNvcc()
  if (found === null) return { name, ok: asked === undefined, found: asked === undefined ? 'not found; --target cuda needs it' : `KCC_NVCC=${asked} is not an executable`, fix: 'install the CUDA toolkit: https://developer.nvidia.com/cuda-downloads' }
  try {
    const { runtime } = findCudaTools(), { stdout } = await execa(found, ['--version'], { reject: false })
    return { name, ok: true, found: `${found} ${/release (\d+\.\d+)/.exec(stdout)?.[1] ?? '?'}, ${runtime}`, fix: '' }
  } catch (error) {
    return { name, ok: false, found: error instanceof Error ? error.message : String(error), fix: 'install the CUDA toolkit again' }
  }
}

function gpuCheck(): Check {
  const gpus = presentGpus()
  const found = gpus === null ? 'none: no nvidia-smi' : gpus.map(({ name, capability, memory, driver }, i) => `cuda:${i} ${name} (sm_${capability}, ${memory}, driver ${driver})`).join('; ')
  return { name: 'gpu', ok: true, found: found === '' ? 'none: nvidia-smi shows none' : found, fix: '' }
}

/** Libraries of the GPU's vendor. */
const libraries = () => [
  { name: 'cublaslt', variable: 'KCC_CUBLASLT', asked: setting('KCC_CUBLASLT'), files: cublasltNames, what: 'products', versions: 'cuBLASLt 11, 12 or 13' },
  { name: 'cudnn', variable: 'KCC_CUDNN', asked: setting('KCC_CUDNN'), files: [cudnnName], what: 'convolutions', versions: 'cuDNN 9' },
]

/** None is needed: kernels of kcc compute whatever they could. */
function libraryCheck({ name, variable, asked, files, what, versions }: ReturnType<typeof libraries>[number]): Check {
  const found = (asked === undefined ? files : [asked]).find(opens)
  if (found !== undefined) return { name, ok: true, found: `${found}; \`kcc tune\` measures what it does better on a GPU`, fix: '' }
  const fix = `name the file of ${versions} in ${variable}, or leave it unset`
  return { name, ok: asked === undefined, found: asked === undefined ? `not found; kernels of kcc compute all ${what} on a GPU` : `${variable}=${asked} cannot be loaded`, fix }
}

/** Whether the system finds and opens a library. Node says of one that it opens that it is no addon. */
function opens(file: string): boolean {
  try {
    process.dlopen({ exports: {} }, file)
    return true
  } catch (error) {
    return (error as Error).message.includes('did not self-register')
  }
}

function cacheCheck(): Check {
  const cache = new BuildCache()
  const fix = 'set KCC_CACHE_DIR to a folder of your own that can be written'
  try {
    fs.rmSync(cache.workFolder(), { recursive: true })
    return { name: 'cache', ok: true, found: cache.folder, fix }
  } catch (error) {
    return { name: 'cache', ok: false, found: error instanceof Error ? error.message : String(error), fix }
  }
}
