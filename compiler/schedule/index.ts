/** The schedules of a target, in order. */
import type { KernelProgram } from '../ir/loop.js'
import { boundQuotients } from './bound-quotients.js'
import { collapse } from './collapse.js'
import { parallelize } from './parallelize.js'
import type { Target } from './target.js'
import { turnContract } from './turn-contract.js'
import { vectorize } from './vectorize.js'

export function scheduleKernel(kernel: KernelProgram, target: Target): KernelProgram {
  const turned = turnContract(kernel)         // first: decides which axis of a product the lanes run along
  const bounded = boundQuotients(turned)
  const collapsed = collapse(bounded)         // the longer a loop, the better it fills vectors and ranges
  const vectors = vectorize(collapsed)        // before splitting: a range of a vector loop is a multiple of a block
  return parallelize(vectors, target)
}
