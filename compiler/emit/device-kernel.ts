/** One kernel for a GPU: its statements as functions of a grid, and the function of the host that starts them in their order. */
import type { KernelProgram } from '../ir/loop.js'
import { chainCall } from './chains.js'
import type { ContractCode } from './contract-view.js'
import { tileHeaders, tilesView } from './device-product.js'
import { needsOf, sizesOf } from './kernel-fields.js'
import { teamsView } from './device-teams.js'
import type { DeviceKernelView, KernelView } from './views.js'

type Render = (template: string, view: object) => string

const headers = ['kcc/cuda/launch.h', 'kcc/cuda/vec.h']

export function deviceCode(program: KernelProgram, view: KernelView, render: Render): ContractCode {
  const device = deviceView(program, view)
  const more = [...(device.chains.length > 0 ? ['kcc/cuda/chain.h'] : []), ...tileHeaders(program)]
  return { includes: [...headers, ...more], sources: [], text: render('kernel-device.cu', device) }
}

function deviceView(program: KernelProgram, view: KernelView): DeviceKernelView {
  const statements = program.body.map((s, i) => {
    const launch = program.launches[i]!
    return { s, launch, kernel: `${view.name}_${i}`, parts: s.kind !== 'contract' && launch.kind === 'teams' ? [teamsView(program, s, launch)] : [] }
  })
  return {
    ...view, sizes: sizesOf(needsOf(program)),
    chains: program.chains.map((chain) => ({ kernel: `${view.name}_${chain.name}`, call: chainCall(chain, program) })),
    products: statements.flatMap(({ s, launch }) => (s.kind === 'contract' && launch.kind === 'tiles' ? [tilesView(program, s, launch, view)] : [])),
    nests: program.isAtOnce ? [{ kernel: `${view.name}_all`, parts: statements.flatMap(({ parts }) => parts) }] : statements.filter(({ parts }) => parts.length > 0),
  }
}
