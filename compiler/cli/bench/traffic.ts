/** Work of a planned function: operations of its contractions, and bytes that its kernels read and write. */
import { itemSize } from '../../../runtime/contract/dtype.js'
import type { PlannedModule } from '../../emit/emit-modules.js'
import { evaluateDim, sizeOf } from '../../ir/dim.js'

/** Bytes of all buffers that the kernels of `fn` read and write, each kernel counted alone, at batch size `batch`. */
export function trafficBytes(planned: PlannedModule, fn: string, batch: number): number {
  const found = planned.functions.find(({ general }) => general.graph.name === fn)
  const env = Object.fromEntries(planned.dims.map((name) => [name, batch]))
  return (found?.general.kernels ?? []).reduce((sum, { program }) => {
    const bytes = new Map(program.buffers.map((b) => [b.name, evaluateDim(sizeOf(b.shape), env) * itemSize[b.dtype]]))
    return sum + [...program.reads, ...program.writes].reduce((s, name) => s + (bytes.get(name) ?? 0), 0)
  }, 0)
}
