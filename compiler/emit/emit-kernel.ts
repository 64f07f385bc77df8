/** One kernel as C++: loops through a template, contractions through their own emitter. */
import { extentOf, type KernelProgram, type Split, type Stmt } from '../ir/loop.js'
import type { CpuTarget, Target } from '../schedule/target.js'
import { sha256 } from '../support/hash.js'
import { cDim } from './c-dim.js'
import { chainCall, chainPointers } from './chains.js'
import { scratchPointers } from './scratch.js'
import { line, printStatements } from './c-stmt.js'
import { emitContract } from './contract.js'
import { contractView, bufferIn } from './contract-kernel.js'
import type { ContractCode } from './contract-view.js'
import { deviceCode } from './device-kernel.js'
import { deviceFieldsOf, devicePreludeOf, fieldsOf, needsOf, preludeOf } from './kernel-fields.js'
import { noEnds, rangeEnds } from './range-ends.js'
import type { SourceFile } from './sources.js'
import type { KernelView, LoopKernelView, NestView } from './views.js'

export type EmittedKernel = { readonly view: KernelView; readonly text: string; readonly includes: readonly string[]; readonly sources: readonly SourceFile[] }
type Render = (template: string, view: object) => string

/** Stands for the kernel's name until its text, and with it its name, is known. */
const placeholder = 'KCC_KERNEL'
const headers = ['kcc/launch.h', 'kcc/math.h', 'kcc/philox.h']

/** What ends the name of a kernel of this hash. */
export const digestOf = (hash: string): string => hash.slice(0, 8)

/** The kernel under a name made of `program.name` and a hash of its text: equal texts get equal hashes. */
export function emitKernel(program: KernelProgram, target: Target, render: Render): { readonly hash: string; readonly named: (name: string) => EmittedKernel } {
  const needs = needsOf(program)
  const queued = target.name === 'cuda'
  const fields = queued ? deviceFieldsOf(program, needs) : fieldsOf(program, needs)
  const prelude = queued ? devicePreludeOf(fields, needs) : preludeOf(fields, needs)
  const view: KernelView = { name: placeholder, fields, prelude: [...prelude, ...chainPointers(program), ...scratchPointers(program)], queued }
  const code = target.name === 'cuda' ? deviceCode(program, view, render) : hostCode(program, view, target, render)
  const hash = sha256(JSON.stringify([fields, code]))
  const rename = (text: string, name: string): string => text.replaceAll(placeholder, name)
  return {
    hash,
    named: (name) => ({
      view: { ...view, name }, text: rename(code.text, name), includes: code.includes, sources: code.sources,
    }),
  }
}

function hostCode(program: KernelProgram, view: KernelView, target: CpuTarget, render: Render): ContractCode {
  const [first] = program.body
  return first?.kind === 'contract' ? withHeaders(emitContract(contractView(program, first, view), render)) : loopCode(program, view, target, render)
}

function loopCode(program: KernelProgram, view: KernelView, target: CpuTarget, render: Render): ContractCode {
  const loops: LoopKernelView = {
    ...view, chains: program.chains.map((chain) => chainCall(chain, program)),
    nests: program.splits.length === 0 ? [nestView(program, program.body, null, target)] : program.body.map((s, i) => nestView(program, [s], program.splits[i]!, target)),
  }
  return { includes: program.chains.length > 0 ? [...headers, 'kcc/chain.h'] : headers, sources: [], text: render('kernel-loops.cc', loops) }
}

function nestView(program: KernelProgram, statements: readonly Stmt[], split: Split | null, target: CpuTarget): NestView {
  const range = split && { axes: split.axes, begin: 'begin', end: 'end' }
  const ends = split ? rangeEnds(program, statements, split.axes, 'end') : noEnds
  return {
    body: [...ends.lines.map(line), ...printStatements(statements, { bufferOf: bufferIn(program), range, lanes: null, varying: [], ends: ends.buffers })],
    ranged: split !== null,
    extent: split ? cDim(extentOf(split.axes)) : '0',
    items: split ? `kcc::range_items(${cDim(split.workPerItem)}, ${target.rangeWork}, ${split.multiple})` : '0',
  }
}

const withHeaders = (code: ContractCode): ContractCode => ({ ...code, includes: [...headers, ...code.includes] })
