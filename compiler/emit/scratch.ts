/** Scratch buffers as C++: one after the other in the kernel's workspace, behind its chains. */
import { elementSize } from '../ir/element-type.js'
import { addDims, ceilDivideDims, multiplyDims, sizeOf, type Dim } from '../ir/dim.js'
import type { Buffer, KernelProgram } from '../ir/loop.js'
import { cDim } from './c-dim.js'
import { storedType } from './c-expr.js'
import { chainBytes } from './chains.js'

/** Every buffer begins at a multiple of this, as a slot of the arena does. */
const alignment = 64

const roundUp = (bytes: Dim): Dim => multiplyDims(ceilDivideDims(bytes, alignment), alignment)
const bytesOf = ({ dtype, shape }: Buffer): Dim => roundUp(multiplyDims(sizeOf(shape), elementSize[dtype]))
const together = (buffers: readonly Buffer[]): Dim => buffers.map(bytesOf).reduce<Dim>(addDims, 0)
const behindChains = ({ chains }: KernelProgram): Dim => roundUp(chainBytes(chains))

/** Bytes of workspace that chains and scratch buffers take. */
export const ownBytes = (program: KernelProgram): Dim => addDims(behindChains(program), together(program.scratch))

/** Declarations of the buffers. */
export const scratchPointers = (program: KernelProgram): string[] => program.scratch.map((buffer, i) => {
  const type = `${storedType(buffer.dtype)}*`, start = addDims(behindChains(program), together(program.scratch.slice(0, i)))
  return `[[maybe_unused]] ${type} const ${buffer.name} = (${type})(args.workspace + ${cDim(start)});`
})
