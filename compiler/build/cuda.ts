/**
 * The tools of the CUDA target: nvcc, which compiles kernels for the architectures asked for, and the runtime library that is
 * linked into the native file. Without them, kernels can still be executed by the host, for tests.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { ToolchainError } from '../../runtime/contract/errors.js'
import { setting } from '../support/env.js'
import { which } from './toolchain.js'

/** How the code for a device is built: by nvcc, or for execution by the host. */
export type DeviceBuild =
  /** Compute capabilities such as 80, ascending: machine code for each, and PTX of the last, which newer devices compile. */
  | { readonly kind: 'nvcc'; readonly architectures: readonly number[] }
  | { readonly kind: 'host' }

export type CudaTools = {
  /** Absolute paths: of the compiler, and of CUDA's runtime library. */
  readonly nvcc: string
  readonly runtime: string
}

/** nvcc by `KCC_NVCC`, on PATH or where the toolkit puts it; null when there is none. */
export function locateNvcc(): string | null {
  const asked = setting('KCC_NVCC')
  return asked === undefined ? which('nvcc') ?? which('/usr/local/cuda/bin/nvcc') : which(asked)
}

/** @throws ToolchainError when the toolkit or a part of it is missing. */
export function findCudaTools(): CudaTools {
  const nvcc = locateNvcc()
  if (nvcc === null) {
    throw new ToolchainError('No nvcc was found on PATH or in /usr/local/cuda/bin, which --target cuda needs.\n' +
      'Install the CUDA toolkit (https://developer.nvidia.com/cuda-downloads), or name its compiler in KCC_NVCC.')
  }
  const runtime = toolkitsOf(nvcc).flatMap((root) => ['lib64', 'lib'].map((folder) => path.join(root, folder, 'libcudart_static.a'))).find((file) => fs.existsSync(file))
  if (runtime === undefined) throw new ToolchainError(`${nvcc} has no libcudart_static.a beside it: the installation of the CUDA toolkit is not complete.`)
  return { nvcc, runtime }
}

/** Folders in which the toolkit of a compiler may lie; on some systems the compiler on PATH is a script that names the real one. */
function toolkitsOf(nvcc: string): string[] {
  const text = fs.statSync(nvcc).size < 4096 ? fs.readFileSync(nvcc, 'utf8') : ''
  const named = /(\/\S+)\/bin\/nvcc/.exec(text)?.[1]
  return [...(named === undefined ? [] : [named]), path.resolve(fs.realpathSync(nvcc), '..', '..'), '/usr/local/cuda']
}

/** A GPU as its driver's own tool tells of it: compute capability such as 90, memory with its unit. */
export type PresentGpu = { readonly capability: number; readonly name: string; readonly memory: string; readonly driver: string }

/** The GPUs of this machine in their order; null when the tool is not there. */
export function presentGpus(): readonly PresentGpu[] | null {
  const tool = which('nvidia-smi')
  if (tool === null) return null
  const { stdout, status } = spawnSync(tool, ['--query-gpu=compute_cap,name,memory.total,driver_version', '--format=csv,noheader'], { encoding: 'utf8' })
  const rows = status === 0 ? [...stdout.matchAll(/^(\d+)\.(\d+), (.*), (.*), (.*)$/gm)] : []
  return rows.map(([, major, minor, name, memory, driver]) => ({ capability: Number(`${major}${minor}`), name: name!, memory: memory!, driver: driver! }))
}

/** Compute capabilities of the GPUs of this machine, ascending; null when there is none. */
export function presentArchitectures(): readonly number[] | null {
  const found = (presentGpus() ?? []).map(({ capability }) => capability)
  return found.length === 0 ? null : [...new Set(found)].sort((a, b) => a - b)
}

/**
 * nvcc's flags for kernels. Float32 exactly as on CPUs: correctly rounded quotients and roots, denormals taken and given as
 * zero, a product and a sum contracted where the compiler sees fit.
 */
export const nvccFlags = (architectures: readonly number[]): readonly string[] => [
  '-std=c++17', '-O3', '-ftz=true', '-prec-div=true', '-prec-sqrt=true', '-fmad=true',
  // Loops over nothing divide by zero, unreached, and not every name that is brought into scope is used.
  '-diag-suppress=39,177,179', '-Xcompiler=-fPIC,-fvisibility=hidden',
  ...architectures.map((sm, i) => `-gencode=arch=compute_${sm},code=${i === architectures.length - 1 ? `[sm_${sm},compute_${sm}]` : `sm_${sm}`}`),
]

/** CUDA's runtime inside of the file: the target machine needs its GPU's driver alone. */
export const cudaLibraries = ({ runtime }: CudaTools): readonly string[] => [runtime, 'dl', 'rt']
