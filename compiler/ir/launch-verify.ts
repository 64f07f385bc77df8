/** Invariant 8 of `loop-verify.ts`: how a kernel is mapped to threads of a GPU. */
import { divideDims } from './dim.js'
import { arithmeticOf, isByNeighbours, isOverGrid, isOverTeam, NEIGHBOURS, type Axis, type AxisMode, type Contract, type Expr, type KernelProgram, type Launch, type Stmt, type Store, type Teams, type Tiles } from './loop.js'

/** What is wrong with the mapping, or null. */
export function launchFault(kernel: KernelProgram): string | null {
  const { launches, body, scratch, chains } = kernel
  if (launches.length === 0) return body.some((s) => modesIn(s).some(isMapped)) ? 'a loop is shared out, but the kernel has no launches' : null
  if (launches.length !== body.length) return `${launches.length} launches of ${body.length} statements`
  if (kernel.isAtOnce && (chains.length > 0 || scratch.length > 0 || launches.some((launch) => launch.kind !== 'teams'))) return 'statements that are started as one need others before them'
  const keepsSums = body.some((s, i) => s.kind === 'contract' && (s.together.length > 0 || isInParts(launches[i]!)))
  if (keepsSums && !scratch.some((b) => b.name === KEPT_SUMS && b.dtype === 'float32')) return `there is no scratch memory ${KEPT_SUMS} for sums that blocks do not finish`
  return body.map((s, i) => faultOf(s, launches[i]!) ?? libraryFault(kernel, s, launches[i]!)).find((fault) => fault !== null) ?? null
}

/** The scratch buffer of the sums of a contraction that more than one block makes, or that are finished together: part by part, by rows. */
export const KEPT_SUMS = 'sums'

const isInParts = (launch: Launch): boolean => launch.kind === 'tiles' && launch.parts > 1
const isMapped = (mode: AxisMode): boolean => isOverGrid(mode) || isOverTeam(mode)

function faultOf(s: Stmt, launch: Launch): string | null {
  if (s.kind === 'contract') return launch.kind !== 'tiles' ? 'a contraction is started in teams' : tilesFault(s, launch)
  if (launch.kind === 'tiles') return 'what is no contraction is started in tiles'
  if (s.kind !== 'for' || !isOverGrid(s.mode)) return 'the outermost statement is no loop over the grid'
  const inside = belowGrid(s)
  const modes = inside.flatMap(modesIn)
  if (modes.some(isOverGrid)) return 'a loop over the grid is inside of another statement'
  if (launch.threads === 1 && modes.some(isOverTeam)) return 'a team of one thread shares a loop'
  return columnFault(launch, inside) ?? neighboursFault(gridLoops(s)) ?? inside.map(teamFault).find((fault) => fault !== null) ?? null
}

function tilesFault(s: Contract, { arithmetic }: Tiles): string | null {
  if (s.totals) return 'the totals of a contraction in tiles'
  return arithmetic === arithmeticOf(s.lhs.dtype) ? null : `operands of ${s.lhs.dtype} are multiplied as ${arithmetic}`
}

/** What a library writes, before the epilogue reads anything, nobody may read; and what ends there is stored nowhere else. */
function libraryFault({ buffers, reads, writes }: KernelProgram, s: Stmt, launch: Launch): string | null {
  if (launch.kind !== 'tiles' || s.kind !== 'contract' || launch.instead === null) return null
  const { over, rounded, into, end } = launch.instead, stores = s.epilogue.filter((each): each is Store => each.kind === 'store')
  if (rounded.some((name) => !isRounding(s[name]))) return 'a library is given rounded operands that are not rounded'
  if (over === 'windows as terms' && (into !== null || end !== null)) return 'a library that gives a filter leaves it in its own memory'
  if (s.together.length > 0) return 'a library does not know of rows that are finished together'
  if (into !== null && (reads.includes(into) || !writes.includes(into))) return `a library writes ${into}, which is not written alone`
  if (into !== null && stores.filter(({ buffer }) => buffer === into).length !== 1) return `a library writes ${into}, which is not stored once`
  if (end === null) return into === null || buffers.some(({ name, dtype }) => name === into && dtype === 'float32') ? null : `a library leaves sums in ${into}, which is not float32`
  if (into === null || stores.length !== 1) return 'a library ends a product that is stored more than once'
  return end.bias === null || reads.includes(end.bias) ? null : `a library adds ${end.bias}, which is not read`
}

/** Where it is not read, a window has 0 in any type. */
function isRounding(operand: Expr): boolean {
  if (operand.kind === 'guard') return isRounding(operand.value)
  return operand.kind === 'cast' && operand.dtype !== 'float32'
}

type Loop = Stmt & { readonly kind: 'for' }

/** Loops over the grid, outermost first. */
export function gridLoops(s: Stmt): readonly Loop[] {
  if (s.kind !== 'for' || !isOverGrid(s.mode)) return []
  return [s, ...(s.body.length === 1 ? gridLoops(s.body[0]!) : [])]
}

/** The statements inside of all loops over the grid. */
export const belowGrid = (s: Stmt): readonly Stmt[] => gridLoops(s).at(-1)?.body ?? [s]

/** In teams by column some threads of a block may repeat what others do, and only what they store at the end is left out. */
function columnFault({ threads, by }: Teams, inside: readonly Stmt[]): string | null {
  if (by === 'row') return threads === 8 ? 'a team of 8 is no part of a warp' : null
  if (threads !== 8 && threads !== 32) return `a block has no columns of ${threads}`
  return inside.every(isColumnWork) ? null : 'a column has more than sums and what follows from them'
}

/** A combination that stores nothing, or what follows from it. */
export const isColumnWork = (s: Stmt): boolean => s.kind === 'let' || s.kind === 'store' || (s.kind === 'reduce' && s.body.every((inner) => inner.kind === 'let'))

/** Of loops that run as one, the innermost may be taken by neighbours that divide it. */
function neighboursFault(loops: readonly { readonly axis: Axis; readonly mode: AxisMode }[]): string | null {
  const [last, ...outer] = [...loops].reverse()
  if (outer.some(({ mode }) => isByNeighbours(mode))) return 'neighbours are taken of a loop that is not the innermost'
  return last && isByNeighbours(last.mode) && divideDims(last.axis.extent, NEIGHBOURS) === null ? `neighbours do not divide ${last.axis.name}` : null
}

/** Shared loops lie directly in each other, as those of a shared combination do. */
function teamFault(s: Stmt): string | null {
  if (s.kind === 'reduce' && s.modes.some(isOverTeam)) {
    if (!s.modes.every(isOverTeam) || s.body.flatMap(modesIn).some(isMapped)) return 'a combination is shared in part'
    return neighboursFault(s.axes.map((axis, i) => ({ axis, mode: s.modes[i]! })))
  }
  if (s.kind === 'argmax') return s.mode === 'serial' || s.mode === 'team' ? null : 'the largest is looked for in part'
  const loops = teamLoops(s)
  if (loops.length === 0) return modesIn(s).some(isOverTeam) ? 'a shared loop is inside of one that is not' : null
  return loops.at(-1)!.body.flatMap(modesIn).some(isMapped) ? 'a shared loop is inside of another' : neighboursFault(loops)
}

/** Shared loops directly in each other, outermost first. */
export function teamLoops(s: Stmt): readonly Loop[] {
  if (s.kind !== 'for' || !isOverTeam(s.mode)) return []
  return [s, ...(s.body.length === 1 ? teamLoops(s.body[0]!) : [])]
}

/** Modes of all axes in a statement. */
function modesIn(s: Stmt): AxisMode[] {
  switch (s.kind) {
    case 'for': return [s.mode, ...s.body.flatMap(modesIn)]
    case 'reduce': return [...s.modes, ...s.body.flatMap(modesIn)]
    case 'argmax': return [s.mode, ...s.body.flatMap(modesIn)]
    case 'let': case 'store': case 'follow': case 'contract': return []
  }
}
