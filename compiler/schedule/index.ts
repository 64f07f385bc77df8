/** The schedules of a target, in order. */
import type { KernelProgram } from '../ir/loop.js'
import { boundQuotients } from './bound-quotients.js'
import { collapse } from './collapse.js'
import { parallelize } from './parallelize.js'
import { partialSums } from './partial-sums.js'
import type { Target } from './target.js'
import { tileWindows } from './tile-windows.js'
import { turnContract } from './turn-contract.js'
import { vectorize } from './vectorize.js'

export function scheduleKernel(kernel: KernelProgram, target: Target): KernelProgram {
  const collapsed = collapse(kernel)          // first: the longer a loop, the better it fills vectors and ranges
  const turned = turnContract(collapsed)      // decides which axis of a product the lanes run along
  const bounded = boundQuotients(turned)
  const vectors = vectorize(bounded)        // before splitting: a range of a vector loop is a multiple of a block
  const parts = partialSums(vectors)        // needs to know the vector loop, as tiles do: accumulators are vectors
  const tiled = tileWindows(parts)
  return parallelize(tiled, target)
}
