/** From flags of the command line to options of the compiler. */
import type { Level } from '../build/levels.js'
import { parseLevels } from '../build/levels.js'
import { UsageError } from './exit-codes.js'

export type CompileFlags = { readonly cpu: string; readonly specialize?: string; readonly fuse: boolean }

export type CompileOptions = {
  readonly levels: readonly Level[]
  readonly fuse: boolean
  /** Sizes of the batch that get kernels of their own. */
  readonly specialize: readonly number[]
}

/** @throws UsageError for flags that are not well formed. */
export function compileOptionsOf(flags: CompileFlags): CompileOptions {
  return { levels: levelsOf(flags.cpu), fuse: flags.fuse, specialize: batchSizes(flags.specialize) }
}

function levelsOf(list: string): readonly Level[] {
  try {
    return parseLevels(list)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
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
