/**
 * The loop IR as text: printer. The reader is `loop-parse.ts`; printing what it read gives the same text.
 *
 *     kernel "dense_1_matmul" (in0: f32[B,4] read, in1: f32[4,8] read, out0: f32[B,8] write) {  // model.ts:3:5 dense_1
 *       contract d0 < B, d1 < 8, k < 4 as accumulator {  // model.ts:3:5 dense_1
 *         lhs in0[4*d0 + k]
 *         rhs in1[8*k + d1]
 *         let v0 = max(accumulator, 0:f32)
 *         store out0[8*d0 + d1] = v0
 *       }
 *     }
 *
 * `lookup(in0[d1], v0, 16, 100)` is element `in0[d1 + 16*v0]` where v0 is in [0, 100), else 0. `chain c0: p < 32 by in1[p] below 100`
 * before the statements makes the lists that `follow v1: f32 = sum along c0[d0] as p {` runs through.
 * `f32[784,512] blocked read` is a buffer stored in blocks of columns.
 * `part0: f32[B,9] scratch` is memory of the kernel's own.
 * `split d0 < B by 64 work 12` after the buffers says how the outermost loops may be cut into ranges, one after the other
 * where there are several statements: `split d0 < B, d1 < 8 by 1 work 12; whole`. `launch teams of 32; tiles of 64 x 64 x 16`
 * says how threads of a GPU share the statements, `tiles of 64 x 64 x 32 bf16` that tensor cores multiply; `teams of 1 beside teams of 32`
 * are started as one. `tiles of … or library into out0 plus in2 above 0` names a library's call that does the same, with a bias and a
 * bound of its own; `or library into out0, then end` one whose result the kernel ends itself; `or library, then end` uses other memory,
 * and `or library of rounded lhs and rhs into out0` is given operands that were rounded before. `or library over windows as rows` is a
 * convolution, and `over windows as terms` the gradient of its filter.
 * `contract … as sum in squares of 46 x 46 x 32 by 3 x 3 {` makes sums over windows square by square; `along rows` where windows are the rows.
 */
import { dimText, isStatic, type Dim } from './dim.js'
import { dtypeNames, provenanceText, typeText } from './graph-text.js'
import type { Provenance } from './graph.js'
import type { Axis, AxisMode, Chain, Expr, Index, KernelProgram, Launch, LibraryCall, Split, Squares, Stmt, Tiles } from './loop.js'

export function printKernel(kernel: KernelProgram): string {
  const buffers = kernel.buffers.map((b) => `${b.name}: ${typeText(b)} ${b.blocked === true ? 'blocked ' : ''}${accessOf(kernel, b.name)}`)
  const scratch = kernel.scratch.map((b) => `${b.name}: ${typeText(b)} scratch`)
  const split = kernel.splits.length === 0 ? '' : ` split ${kernel.splits.map(splitText).join('; ')}`
  const launch = kernel.launches.length === 0 ? '' : ` launch ${kernel.launches.map(launchText).join(kernel.isAtOnce ? ' beside ' : '; ')}`
  return [`kernel ${JSON.stringify(kernel.name)} (${[...buffers, ...scratch].join(', ')})${split}${launch} {${comment(kernel.from)}`, ...indent([...kernel.chains.map(chainLine), ...kernel.body.flatMap(statementLines)]), '}', ''].join('\n')
}

function accessOf({ reads, writes }: KernelProgram, name: string): string {
  if (!writes.includes(name)) return 'read'
  return reads.includes(name) ? 'update' : 'write'
}

const splitText = (split: Split | null): string => (split ? `${axesText(split.axes)} by ${split.multiple} work ${dimText(split.workPerItem)}` : 'whole')
const launchText = (launch: Launch): string => (launch.kind === 'teams' ? `teams of ${launch.threads}${launch.by === 'row' ? '' : ' by column'}` : tilesText(launch))
const tilesText = ({ rows, columns, depth, parts, arithmetic, instead }: Tiles): string =>
  `tiles of ${rows} x ${columns} x ${depth}${arithmetic === 'fma' ? '' : ` ${arithmetic}`}${parts === 1 ? '' : ` in ${parts} parts`}${instead ? ` or ${libraryText(instead)}` : ''}`
/** Also what reports call it. */
export const squaresText = ({ height, width, channels, window: [lines, pixels], along }: Squares): string =>
  `in squares of ${height} x ${width} x ${channels} by ${lines} x ${pixels}${along === 'columns' ? '' : ' along rows'}`
const libraryText = ({ over, rounded, into, end }: LibraryCall): string =>
  `library${over === 'matrices' ? '' : ` over ${over}`}${rounded.length === 0 ? '' : ` of rounded ${rounded.join(' and ')}`}${into === null ? '' : ` into ${into}`}${end === null ? ', then end' : `${end.bias === null ? '' : ` plus ${end.bias}`}${end.relu ? ' above 0' : ''}`}`
const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)
const axesText = (axes: readonly Axis[]): string => axes.map(axisText).join(', ')
const axisText = ({ name, extent }: Axis): string => `${name} < ${dimText(extent)}`
const modeText = (mode: AxisMode): string => (mode === 'serial' ? '' : ` ${mode}`)

function comment(from: Provenance): string {
  const text = provenanceText(from)
  return text === '' ? '' : `  // ${text}`
}

const chainLine = ({ name, axis, at, extent, from }: Chain): string =>
  `chain ${name}: ${axisText(axis)} by ${exprText(at)} below ${dimText(extent)}${comment(from)}`

function statementLines(s: Stmt): string[] {
  const note = s.kind === 'for' ? '' : comment(s.from)
  const block = (head: string, inside: readonly string[]): string[] => [`${head} {${note}`, ...indent(inside), '}']
  switch (s.kind) {
    case 'for': return block(`for ${axisText(s.axis)}${modeText(s.mode)}`, s.body.flatMap(statementLines))
    case 'let': return [`let ${s.name} = ${exprText(s.value)}${note}`]
    case 'store': return [`store ${s.buffer}[${indexText(s.index)}] = ${exprText(s.value)}${note}`]
    case 'reduce': {
      const axes = s.axes.map((axis, i) => `${axisText(axis)}${modeText(s.modes[i]!)}`).join(', ')
      const results = s.results.map((r) => `${r.name}: ${dtypeNames[r.dtype]} = ${r.op}`).join(', ')
      return block(`reduce ${results} over ${axes}`, [...s.body.flatMap(statementLines), ...s.results.map((r) => `value ${exprText(r.value)}`)])
    }
    case 'argmax': return block(`argmax ${s.name} over ${axisText(s.axis)}${modeText(s.mode)}`, [...s.body.flatMap(statementLines), `value ${exprText(s.value)}`])
    case 'follow': return block(`follow ${s.name}: ${dtypeNames[s.dtype]} = ${s.op} along ${s.chain}[${indexText(s.row)}] as ${s.position}`,
      [...s.body.flatMap(statementLines), `value ${exprText(s.value)}`])
    case 'contract': return block(`contract ${[s.m, s.n, s.k].map(axesText).join('; ')} as ${s.accumulator}${s.together.length === 0 ? '' : ` together ${s.together.map((axis) => axis.name).join(', ')}`}${s.squares === null ? '' : ` ${squaresText(s.squares)}`}`,
      [`lhs ${exprText(s.lhs)}`, `rhs ${exprText(s.rhs)}`, ...s.epilogue.flatMap(statementLines), ...(s.totals ? [`totals as ${s.totals.accumulator} {`, ...indent(s.totals.epilogue.flatMap(statementLines)), '}'] : [])])
  }
}

/** "512*d0 + 64*floor((d1 + 1) / 2) + 3"; a symbolic factor is in parentheses. */
export function indexText({ terms, quotients, offset }: Index): string {
  const times = (stride: Dim, what: string): string => (stride === 1 ? what : `${factor(stride)}*${what}`)
  const parts = [
    ...terms.map(({ axis, stride }) => times(stride, axis)),
    ...quotients.map(({ dividend, divisor, stride }) => times(stride, `floor((${indexText(dividend)}) / ${divisor})`)),
  ]
  return [...parts, ...(offset === 0 && parts.length > 0 ? [] : [factor(offset)])].join(' + ')
}

const factor = (dim: Dim): string => (isStatic(dim) ? String(dim) : `(${dimText(dim)})`)

export function exprText(e: Expr): string {
  const type = dtypeNames[e.dtype]
  switch (e.kind) {
    case 'const': return `${Object.is(e.value, -0) ? '-0' : String(e.value)}:${type}`
    case 'load': return `${e.buffer}[${indexText(e.index)}]`
    case 'lookup': return `lookup(${e.buffer}[${indexText(e.index)}], ${exprText(e.at)}, ${dimText(e.stride)}, ${dimText(e.extent)})`
    case 'guard': return `guard(${[exprText(e.value), `${String(e.otherwise)}:${type}`, ...e.bounds.map((b) => `${indexText(b.index)} < ${dimText(b.extent)}`)].join(', ')})`
    case 'scalar': return `scalar(${JSON.stringify(e.name)})`
    case 'index': return `index:${type}[${indexText(e.index)}]`
    case 'dim': return `dim:${type}[${dimText(e.dim)}]`
    case 'random': return `random${e.stream}[${indexText(e.index)}]`
    case 'call': return `${e.fn}(${e.args.map(exprText).join(', ')})`
    case 'cast': return `cast:${type}(${exprText(e.arg)})`
    case 'local': return e.name
  }
}
