/** Offers the outermost loops of a kernel for splitting into ranges, with what one item of them costs. */
import { evaluateDim, symbolsOf, type Dim } from '../ir/dim.js'
import { bodyWork } from '../ir/kernel-work.js'
import { VECTORS, type Axis, type KernelProgram, type Split, type Stmt } from '../ir/loop.js'
import type { CpuTarget } from './target.js'
import { accessesIn } from './walk.js'

/**
 * Work below which an item is not worth the two divisions that find its place in several axes: then ranges are of the axes
 * outside alone.
 */
const leastItem = 1024

export function parallelize(kernel: KernelProgram, target: CpuTarget): KernelProgram {
  const { body } = kernel
  if (!body.every((s) => s.kind === 'for')) return kernel
  return { ...kernel, splits: body.map((s) => splitOf(s, target)) }
}

type Loop = Stmt & { readonly kind: 'for' }

/** The outermost loops that are worth being one, at least the first. */
function splitOf(outer: Loop, target: CpuTarget): Split {
  const axes: Axis[] = [outer.axis]
  let last = outer
  for (let next = onlyLoop(last); next?.mode === 'serial' && atLeast(bodyWork(next.body)) >= leastItem; next = onlyLoop(last)) {
    axes.push(next.axis)
    last = next
  }
  return { axes, workPerItem: bodyWork(last.body), multiple: multipleOf(last, target) }
}

const onlyLoop = ({ body: [first, ...others] }: Loop): Loop | null => (first?.kind === 'for' && others.length === 0 ? first : null)

/** Lanes stay together; where numbers are drawn, so do those of a block. */
function multipleOf(loop: Loop, target: CpuTarget): number {
  if (loop.mode === 'serial') return 1
  const atOnce = target.widestVector * (loop.mode === 'vector by 8' ? VECTORS : 1)
  return accessesIn(loop.body).draws > 0 ? Math.max(target.randomBlock, atOnce) : atOnce
}

/** When every symbol stands for 1. */
const atLeast = (work: Dim): number => evaluateDim(work, Object.fromEntries(symbolsOf(work).map((name) => [name, 1])))
