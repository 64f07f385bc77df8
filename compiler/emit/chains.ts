/** Chains as C++: two arrays of int32 for each in the kernel's workspace, and the call that fills them. */
import { addDims, multiplyDims, type Dim } from '../ir/dim.js'
import type { Chain, KernelProgram } from '../ir/loop.js'
import { cDim } from './c-dim.js'
import { printAs } from './c-expr.js'
import { chainNames } from './c-stmt.js'

const entries = ({ axis, extent }: Chain): Dim => addDims(axis.extent, extent)

/** Bytes of workspace the chains take. */
export const chainBytes = (chains: readonly Chain[]): Dim => multiplyDims(chains.map(entries).reduce<Dim>(addDims, 0), 4)

/** Declarations of the arrays, one after the other in the workspace. */
export function chainPointers({ chains }: KernelProgram): string[] {
  return chains.flatMap((chain, i) => {
    const { first, next } = chainNames(chain.name)
    const before = chains.slice(0, i).map(entries).reduce<Dim>(addDims, 0)
    return [
      `[[maybe_unused]] int32_t* const ${first} = (int32_t*)args.workspace + ${cDim(before)};`,
      `[[maybe_unused]] int32_t* const ${next} = ${first} + ${cDim(chain.extent)};`,
    ]
  })
}

/** The call that makes the lists of a chain. */
export function chainCall({ name, axis, at, extent }: Chain, program: KernelProgram): string {
  const { first, next } = chainNames(name)
  const bufferOf = (name: string) => program.buffers.find((b) => b.name === name)!
  const row = printAs(at, false, { lanes: null, varying: new Set(), bufferOf })
  return `kcc::make_chain(${first}, ${next}, ${cDim(extent)}, ${cDim(axis.extent)}, [&](int64_t ${axis.name}) { return ${row}; });`
}
