/** Invariant 8 of `loop-verify.ts`: how a kernel is mapped to threads of a GPU. */
import type { AxisMode, KernelProgram, Launch, Stmt } from './loop.js'

/** What is wrong with the mapping, or null. */
export function launchFault({ launches, body, scratch }: KernelProgram): string | null {
  if (launches.length === 0) return body.some((s) => modesIn(s).some(isMapped)) ? 'a loop is shared out, but the kernel has no launches' : null
  if (launches.length !== body.length) return `${launches.length} launches of ${body.length} statements`
  const keepsSums = body.some((s, i) => s.kind === 'contract' && (s.together.length > 0 || isInParts(launches[i]!)))
  if (keepsSums && !scratch.some((b) => b.name === KEPT_SUMS && b.dtype === 'float32')) return `there is no scratch memory ${KEPT_SUMS} for sums that blocks do not finish`
  return body.map((s, i) => faultOf(s, launches[i]!)).find((fault) => fault !== null) ?? null
}

/** The scratch buffer of the sums of a contraction that more than one block makes, or that are finished together: part by part, by rows. */
export const KEPT_SUMS = 'sums'

const isInParts = (launch: Launch): boolean => launch.kind === 'tiles' && launch.parts > 1
const isMapped = (mode: AxisMode): boolean => mode === 'grid' || mode === 'team'

function faultOf(s: Stmt, launch: Launch): string | null {
  if (s.kind === 'contract') return launch.kind !== 'tiles' ? 'a contraction is started in teams' : s.totals ? 'the totals of a contraction in tiles' : null
  if (launch.kind === 'tiles') return 'what is no contraction is started in tiles'
  if (s.kind !== 'for' || s.mode !== 'grid') return 'the outermost statement is no loop over the grid'
  const inside = belowGrid(s)
  const modes = inside.flatMap(modesIn)
  if (modes.includes('grid')) return 'a loop over the grid is inside of another statement'
  if (launch.threads === 1 && modes.includes('team')) return 'a team of one thread shares a loop'
  return inside.map(teamFault).find((fault) => fault !== null) ?? null
}

/** The statements inside of all loops over the grid. */
export function belowGrid(s: Stmt): readonly Stmt[] {
  if (s.kind !== 'for' || s.mode !== 'grid') return [s]
  const [inner] = s.body
  return s.body.length === 1 && inner?.kind === 'for' && inner.mode === 'grid' ? belowGrid(inner) : s.body
}

/** Shared loops lie directly in each other, as those of a shared combination do. */
function teamFault(s: Stmt): string | null {
  if (s.kind === 'reduce' && s.modes.includes('team')) {
    return s.modes.every((mode) => mode === 'team') && !s.body.flatMap(modesIn).some(isMapped) ? null : 'a combination is shared in part'
  }
  if (s.kind !== 'for' || s.mode !== 'team') return modesIn(s).includes('team') ? 'a shared loop is inside of one that is not' : null
  const [inner] = s.body
  if (s.body.length === 1 && inner?.kind === 'for' && inner.mode === 'team') return teamFault(inner)
  return s.body.flatMap(modesIn).some(isMapped) ? 'a shared loop is inside of another' : null
}

/** Modes of all axes in a statement. */
function modesIn(s: Stmt): AxisMode[] {
  switch (s.kind) {
    case 'for': return [s.mode, ...s.body.flatMap(modesIn)]
    case 'reduce': return [...s.modes, ...s.body.flatMap(modesIn)]
    case 'let': case 'store': case 'argmax': case 'follow': case 'contract': return []
  }
}
