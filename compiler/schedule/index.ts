/** The schedules of each target, in order. */
import type { KernelProgram } from '../ir/loop.js'
import { boundQuotients } from './bound-quotients.js'
import { collapse } from './collapse.js'
import { mapThreads } from './map-threads.js'
import { parallelize } from './parallelize.js'
import { partialSums } from './partial-sums.js'
import { sumsInParts } from './sums-in-parts.js'
import type { CpuTarget, CudaTarget, Target } from './target.js'
import { tileWindows } from './tile-windows.js'
import { totalsApart } from './totals-apart.js'
import { turnContract } from './turn-contract.js'
import { vectorize } from './vectorize.js'
import { vectorsAbreast } from './vectors-abreast.js'
import { windowSquares } from './window-squares.js'

export const scheduleKernel = (kernel: KernelProgram, target: Target): KernelProgram =>
  target.name === 'cuda' ? scheduleForGpu(kernel, target) : scheduleForCpu(kernel, target)

function scheduleForCpu(kernel: KernelProgram, target: CpuTarget): KernelProgram {
  const collapsed = collapse(kernel)          // first: the longer a loop, the better it fills vectors and ranges
  const turned = turnContract(collapsed)      // decides which axis of a product the lanes run along
  const squares = windowSquares(turned, target) // after collapse: pixels that follow each other are one axis
  const bounded = boundQuotients(squares)
  const vectors = vectorize(bounded)        // before splitting: a range of a vector loop is a multiple of a block
  const parts = partialSums(vectors)        // needs to know the vector loop, as tiles do: accumulators are vectors
  const tiled = tileWindows(parts)
  const abreast = vectorsAbreast(tiled)     // after all that looks for the vector loop, before its ranges are multiples of it
  return parallelize(abreast, target)
}

/** Quotients stay what they are: the division of a GPU does not wait for its square root. */
function scheduleForGpu(kernel: KernelProgram, target: CudaTarget): KernelProgram {
  const collapsed = collapse(kernel)          // first: fewer axes, fewer divisions that find a thread's place in them
  const turned = turnContract(collapsed)      // decides along which axis of a product neighbouring threads lie
  const apart = totalsApart(turned)
  const parts = sumsInParts(apart, target)    // before threads are shared out: what it makes of a statement are two
  return mapThreads(parts, target)
}
