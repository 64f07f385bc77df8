/** Work of a planned function: bytes that its kernels read and write. */
import type { PlannedModule } from '../../emit/emit-modules.js'
import { addDims, evaluateDim } from '../../ir/dim.js'
import { kernelWork } from '../../ir/kernel-work.js'

/** Bytes of all buffers that the kernels of `fn` read and write, each kernel counted alone, at batch size `batch`. */
export function trafficBytes(planned: PlannedModule, fn: string, batch: number): number {
  const found = planned.functions.find(({ general }) => general.graph.name === fn)
  const env = Object.fromEntries(planned.dims.map((name) => [name, batch]))
  const works = (found?.general.kernels ?? []).map(({ program }) => kernelWork(program))
  return works.reduce((sum, { read, written }) => sum + evaluateDim(addDims(read, written), env), 0)
}
