/** The schedules of a target, in order. */
import type { KernelProgram } from '../ir/loop.js'
import { collapse } from './collapse.js'
import { parallelize } from './parallelize.js'
import type { Target } from './target.js'
import { vectorize } from './vectorize.js'

export function scheduleKernel(kernel: KernelProgram, target: Target): KernelProgram {
  const collapsed = collapse(kernel)          // first: the longer a loop, the better it fills vectors and ranges
  const vectors = vectorize(collapsed)        // before splitting: a range of a vector loop is a multiple of a block
  return parallelize(vectors, target)
}
