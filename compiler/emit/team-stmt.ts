/**
 * What a team of a GPU's threads does for one item, as C++ over `native/include/kcc/cuda/team.h`. All threads compute what
 * belongs to the item as a whole; loops and combinations that are over the team are shared among them, and one thread stores.
 */
import { teamLoops } from '../ir/launch-verify.js'
import { divideDims, isStatic } from '../ir/dim.js'
import { extentOf, isByNeighbours, isOverTeam, NEIGHBOURS, type Axis, type AxisMode, type Buffer, type KernelProgram, type ReduceOp, type Stmt } from '../ir/loop.js'
import { cDim } from './c-dim.js'
import { scalarType, type Lanes } from './c-expr.js'
import { bestOf, block, foldOf, inner, lanesOf, line, placesOf, StatementPrinter, type CLine, type Scope } from './c-stmt.js'

type Reduce = Stmt & { readonly kind: 'reduce' }

/** Where the statements stand: `lanes` when a thread takes several neighbouring items at once. */
export type TeamContext = { readonly lanes: Lanes | null; readonly bufferOf: (name: string) => Buffer }

/** @param threads of the team. */
export function teamStatements(program: KernelProgram, statements: readonly Stmt[], threads: number, { lanes, bufferOf }: TeamContext): CLine[] {
  const printer = new StatementPrinter({ range: null })
  const scope: Scope = { lanes, varying: new Set(), bufferOf }
  const changes = new Set(program.writes.filter((name) => program.reads.includes(name)))
  return statements.flatMap((s): CLine[] => {
    const loops = teamLoops(s), last = loops.at(-1)
    if (last) return [overTeam(loops.map((loop) => loop.axis), last.mode, (lanes) => printer.all(last.body, inner(scope, lanes)))]
    if (s.kind === 'reduce' && s.modes.some(isOverTeam)) return sharedReduction(s, printer, scope)
    if (s.kind === 'argmax' && isOverTeam(s.mode)) return sharedArgmax(s, printer, scope)
    if (s.kind !== 'store' || threads === 1) return printer.all([s], scope)
    // What others of the team may still have to read stays until all have come here.
    return [...(changes.has(s.buffer) ? [line('team.wait();')] : []), block('if (team.leads())', printer.all([s], scope))]
  })
}

/** Each thread for its elements, in as many sums as it takes neighbours; then these; then all threads' results together. */
function sharedReduction(s: Reduce, printer: StatementPrinter, scope: Scope): CLine[] {
  const mode = s.modes.at(-1)!, own = s.results.map((r) => ({ ...r, name: lanesOf(r) }))
  const lanes = isByNeighbours(mode) ? { axis: s.axes.at(-1)!.name, count: null } : null
  const { start, body } = printer.accumulation(own, s.body, inner(scope, lanes))
  const ofThread = (r: Reduce['results'][number]): string => (lanes ? `kcc::${foldOf[r.op]}(${lanesOf(r)})` : lanesOf(r))
  return [
    ...start, overTeam(s.axes, mode, () => body),
    ...s.results.map((r) => line(`const ${scalarType(r.dtype)} ${r.name} = team.${ofTeam[r.op]}(${ofThread(r)});`)),
  ]
}

/** Each thread for its elements, then the first of the largest of all. */
function sharedArgmax(s: Stmt & { readonly kind: 'argmax' }, printer: StatementPrinter, scope: Scope): CLine[] {
  const { start, body } = printer.largest(s, scope)
  return [...start, overTeam([s.axis], s.mode, () => body), line(`${s.name} = team.argmax(${bestOf(s)}, ${s.name});`)]
}

const ofTeam: Readonly<Record<ReduceOp, string>> = { sum: 'sum', prod: 'prod', max: 'max', min: 'min' }

/** The axes as one loop whose elements, or groups of neighbours, the threads take in turn. */
function overTeam(axes: readonly Axis[], mode: AxisMode, body: (lanes: Lanes | null) => readonly CLine[]): CLine {
  const last = axes.at(-1)!, each = isByNeighbours(mode) ? NEIGHBOURS : 1, count = divideDims(extentOf(axes), each)!
  const lanes = each === 1 ? null : { axis: last.name, count: null }
  const isPlain = axes.length === 1 && each === 1, name = isPlain ? last.name : 'element'
  const places = isPlain ? [] : placesOf(axes, name, each).map(line)
  return block(`for (${counterType(count)} ${name} = team.rank(); ${name} < ${cDim(count)}; ${name} += team.size())`, [...places, ...body(lanes)])
}

/** A GPU divides numbers of 32 bits in a quarter of the time. */
const counterType = (count: ReturnType<typeof extentOf>): string => (isStatic(count) && count < 2 ** 31 ? 'uint32_t' : 'int64_t')
