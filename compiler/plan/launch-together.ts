/**
 * Small kernels of a function that need not wait for each other, started together (`schedule/side-by-side.ts`): losses, metrics,
 * sums for biases, and the updates of all variables that wait for one norm. A kernel moves to an earlier one where nothing
 * between makes what it reads, or is made of what it changes; or the earlier one moves to it, where what that keeps in memory
 * meanwhile is little.
 */
import { atReference, bytesOf } from '../ir/cost.js'
import type { CudaTarget } from '../schedule/target.js'
import { isSimple, mostBeside, sideBySide } from '../schedule/side-by-side.js'
import type { BoundBuffer, BoundKernel } from './plan-function.js'

/** What a launch of its own is worth: see `CudaTarget`. */
type Limits = Pick<CudaTarget, 'leastAlone' | 'mostKept'>

export function launchTogether(kernels: readonly BoundKernel[], limits: Limits): readonly BoundKernel[] {
  return kernels.reduce<readonly BoundKernel[]>((before, kernel) => {
    const at = isSmall(kernel, limits) ? partnerOf(kernel, before, limits) : null
    if (at === null) return [...before, kernel]
    const joined = together(before[at]!, kernel), [earlier, later] = [before.slice(0, at), before.slice(at + 1)]
    return later.some((other) => waits(kernel, other)) ? [...earlier, ...later, joined] : [...earlier, joined, ...later]
  }, [])
}

/** The last kernel that can run at one time with `kernel`; null when there is none. */
function partnerOf(kernel: BoundKernel, before: readonly BoundKernel[], limits: Limits): number | null {
  for (let at = before.length - 1; at >= 0; at--) {
    const partner = before[at]!, later = before.slice(at + 1)
    const mayMove = later.every((other) => !waits(kernel, other)) || (later.every((other) => !waits(other, partner)) && keptBytes(partner) <= limits.mostKept)
    if (isSmall(partner, limits) && partner.program.body.length + kernel.program.body.length <= mostBeside && !waits(kernel, partner) && mayMove) return at
  }
  return null
}

const isSmall = ({ program, bindings }: BoundKernel, { leastAlone }: Limits): boolean =>
  isSimple(program) && (program.isAtOnce || program.body.length === 1) && bytesIn(bindings) <= leastAlone * program.body.length

const bytesIn = (bindings: readonly BoundBuffer[]): number => bindings.reduce((sum, { node }) => sum + atReference(bytesOf(node.type)), 0)
const keptBytes = ({ bindings }: BoundKernel): number => bytesIn(bindings.filter(({ home, written }) => home.kind === 'arena' && !written))

/** Does it read what `earlier` writes, or write what that reads or writes? */
function waits(kernel: BoundKernel, earlier: BoundKernel): boolean {
  const written = placesOf(earlier, true), touched = new Set([...written, ...placesOf(earlier, false)])
  return [...placesOf(kernel, false)].some((place) => written.has(place)) || [...placesOf(kernel, true)].some((place) => touched.has(place))
}

/** What stands for the memory behind a kernel's buffers: the name of a variable, else the value. */
const placesOf = ({ bindings }: BoundKernel, isWritten: boolean): ReadonlySet<unknown> =>
  new Set(bindings.filter(({ written }) => written === isWritten).map(({ home, node }) => (home.kind === 'variable' ? home.name : node)))

function together(kernel: BoundKernel, other: BoundKernel): BoundKernel {
  const { program, prefix } = sideBySide(kernel.program, other.program)
  const bindings = other.bindings.map((bound) => ({ ...bound, buffer: { ...bound.buffer, name: prefix + bound.buffer.name } }))
  return { program, bindings: [...kernel.bindings, ...bindings], workspace: kernel.workspace }
}
