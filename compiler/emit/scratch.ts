/** Scratch buffers as C++: one after the other in the kernel's workspace, behind its chains. */
import { itemSize } from '../../runtime/contract/dtype.js'
import { addDims, multiplyDims, sizeOf, type Dim } from '../ir/dim.js'
import type { Buffer, KernelProgram } from '../ir/loop.js'
import { cDim } from './c-dim.js'
import { storedType } from './c-expr.js'
import { chainBytes } from './chains.js'

const bytesOf = ({ dtype, shape }: Buffer): Dim => multiplyDims(sizeOf(shape), itemSize[dtype])
const together = (buffers: readonly Buffer[]): Dim => buffers.map(bytesOf).reduce<Dim>(addDims, 0)

/** Bytes of workspace the scratch buffers take. */
export const scratchBytes = ({ scratch }: KernelProgram): Dim => together(scratch)

/** Declarations of the buffers. */
export const scratchPointers = ({ scratch, chains }: KernelProgram): string[] => scratch.map((buffer, i) => {
  const type = `${storedType(buffer.dtype)}*`, start = addDims(chainBytes(chains), together(scratch.slice(0, i)))
  return `[[maybe_unused]] ${type} const ${buffer.name} = (${type})(args.workspace + ${cDim(start)});`
})
