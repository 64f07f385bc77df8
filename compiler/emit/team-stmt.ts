/**
 * What a team of a GPU's threads does for one item, as C++ over `native/include/kcc/cuda/team.h`. All threads compute what
 * belongs to the item as a whole; loops and combinations of mode `team` are shared among them, and one thread stores.
 */
import { extentOf, type Axis, type Buffer, type KernelProgram, type ReduceOp, type Stmt } from '../ir/loop.js'
import { cDim } from './c-dim.js'
import { block, inner, line, placesOf, StatementPrinter, type CLine, type Scope } from './c-stmt.js'

type Loop = Stmt & { readonly kind: 'for' }
type Reduce = Stmt & { readonly kind: 'reduce' }

/** @param threads of the team. */
export function teamStatements(program: KernelProgram, statements: readonly Stmt[], threads: number, bufferOf: (name: string) => Buffer): CLine[] {
  const printer = new StatementPrinter({ range: null })
  const scope: Scope = { lanes: null, varying: new Set(), bufferOf }
  const changes = new Set(program.writes.filter((name) => program.reads.includes(name)))
  return statements.flatMap((s): CLine[] => {
    if (s.kind === 'for' && s.mode === 'team') return [sharedLoop(s, printer, scope)]
    if (s.kind === 'reduce' && s.modes.includes('team')) return sharedReduction(s, printer, scope)
    if (s.kind !== 'store' || threads === 1) return printer.all([s], scope)
    // What others of the team may still have to read stays until all have come here.
    return [...(changes.has(s.buffer) ? [line('team.wait();')] : []), block('if (team.leads())', printer.all([s], scope))]
  })
}

function sharedLoop(loop: Loop, printer: StatementPrinter, scope: Scope): CLine {
  const { axes, body } = joined(loop)
  return overTeam(axes, printer.all(body, inner(scope)))
}

/** Shared loops directly in each other run as one. */
function joined(loop: Loop): { axes: readonly Axis[]; body: readonly Stmt[] } {
  const [next] = loop.body
  if (loop.body.length !== 1 || next?.kind !== 'for' || next.mode !== 'team') return { axes: [loop.axis], body: loop.body }
  const { axes, body } = joined(next)
  return { axes: [loop.axis, ...axes], body }
}

/** Each thread for its elements, then all results together. */
function sharedReduction(s: Reduce, printer: StatementPrinter, scope: Scope): CLine[] {
  const { start, body } = printer.accumulation(s.results, s.body, scope)
  return [...start, overTeam(s.axes, body), ...s.results.map((r) => line(`${r.name} = team.${foldOf[r.op]}(${r.name});`))]
}

const foldOf: Readonly<Record<ReduceOp, string>> = { sum: 'sum', prod: 'prod', max: 'max', min: 'min' }

function overTeam(axes: readonly Axis[], body: readonly CLine[]): CLine {
  const [axis, ...others] = axes
  const name = others.length === 0 ? axis!.name : 'element'
  const places = others.length === 0 ? [] : placesOf(axes, name).map(line)
  return block(`for (int64_t ${name} = team.rank(); ${name} < ${cDim(extentOf(axes))}; ${name} += team.size())`, [...places, ...body])
}
