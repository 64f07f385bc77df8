/** From flags of the command line to options of the compiler. */
import { precisions, type Precision } from '../../runtime/contract/manifest.js'
import type { DeviceBuild } from '../build/cuda.js'
import { presentArchitectures } from '../build/cuda.js'
import type { Level } from '../build/levels.js'
import { parseLevels } from '../build/levels.js'
import { UsageError } from './exit-codes.js'

/** Code for GPUs: whether, for which, and what products compute with there. */
export type DeviceFlags = { readonly target?: string; readonly sm?: string; readonly precision?: string }

export type CompileFlags = DeviceFlags & {
  readonly cpu: string
  readonly specialize?: string
  readonly fuse: boolean
  readonly winograd: boolean
}

export type CompileOptions = {
  readonly levels: readonly Level[]
  /** How code for GPUs is built, which goes beside that for CPUs; null without it. */
  readonly device: DeviceBuild | null
  readonly precision: Precision
  readonly fuse: boolean
  readonly winograd: boolean
  /** Sizes of the batch that get kernels of their own. */
  readonly specialize: readonly number[]
}

/** @throws UsageError for flags that are not well formed. */
export function compileOptionsOf(flags: CompileFlags): CompileOptions {
  return { levels: levelsOf(flags.cpu), device: deviceBuildOf(flags), precision: precisionOf(flags), fuse: flags.fuse, winograd: flags.winograd, specialize: batchSizes(flags.specialize) }
}

function levelsOf(list: string): readonly Level[] {
  try {
    return parseLevels(list)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** `--sm host` has the CPU execute the kernels, for tests of them on machines without a GPU. @throws UsageError for flags that are not well formed */
export function deviceBuildOf({ target = 'cpu', sm }: DeviceFlags): DeviceBuild | null {
  if (target !== 'cpu' && target !== 'cuda') throw new UsageError(`Unknown target "${target}". Expected cpu, or cuda for both`)
  if (target === 'cpu' && sm !== undefined) throw new UsageError('--sm is for GPUs: give --target cuda with it')
  if (target === 'cpu') return null
  return sm === 'host' ? { kind: 'host' } : { kind: 'nvcc', architectures: sm === undefined ? presentArchitectures() ?? [80, 90] : architecturesOf(sm) }
}

/** @throws UsageError for another name */
export function precisionNamed(name: string): Precision {
  const precision = precisions.find((each) => each === name)
  if (precision === undefined) throw new UsageError(`Unknown precision "${name}". Expected one of: ${precisions.join(', ')}`)
  return precision
}

/** Of compute capability 8.0: the first whose tensor cores take TF32 and bfloat16. */
const firstWithShortFloats = 80

/**
 * The CPU code beside that for GPUs computes with the same precision, so that results agree; code for CPUs alone gains nothing by less than float32.
 * @throws UsageError for another name, and where no GPU that is meant can compute with it
 */
export function precisionOf(flags: DeviceFlags): Precision {
  const { target = 'cpu' } = flags, precision = precisionNamed(flags.precision ?? 'float32')
  if (precision === 'float32') return precision
  if (target !== 'cuda') throw new UsageError(`--precision ${precision} is for GPUs, and the target is ${target}: give --target cuda with it`)
  const device = deviceBuildOf(flags), old = device?.kind === 'nvcc' ? device.architectures.find((sm) => sm < firstWithShortFloats) : undefined
  if (old !== undefined) throw new UsageError(`--precision ${precision} needs GPUs of compute capability 8.0 (--sm 80) or newer, found --sm ${old}`)
  return precision
}

/** `80,90` → [80, 90]. */
function architecturesOf(text: string): readonly number[] {
  const found = text.split(',').map((part) => (/^\s*\d{2,3}\s*$/.test(part) ? Number(part) : NaN))
  if (found.some((sm) => Number.isNaN(sm))) throw new UsageError(`Cannot read --sm "${text}". Expected compute capabilities of GPUs, as in --sm 80,90`)
  return [...new Set(found)].sort((a, b) => a - b)
}

/** `batch=1,32` → [1, 32]. */
function batchSizes(text: string | undefined): readonly number[] {
  if (text === undefined) return []
  const sizes = /^batch=(\d+(?:,\d+)*)$/.exec(text)?.[1]?.split(',').map(Number)
  if (sizes === undefined || sizes.some((size) => size < 1)) {
    throw new UsageError(`Cannot read --specialize "${text}". Expected sizes of the batch, as in --specialize batch=1,32`)
  }
  return [...new Set(sizes)].sort((a, b) => a - b)
}
