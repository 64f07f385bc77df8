/**
 * Shares out the loops of a kernel among the threads of a GPU: the outermost loops are the items of a grid, each the work of a
 * team (`choose-team.ts`): of one thread, or of several that share the item's long rows.
 *
 *     for d0 < B {                                              kernel … launch teams of 32 {
 *       reduce v0: f32 = max over d1 < 512 { … }                  for d0 < B grid {
 *       for d1 < 512 { store … }                          →         reduce v0: f32 = max over d1 < 512 team { … }
 *     }                                                             for d1 < 512 team { store … }
 *
 * Where neighbours along the innermost loop are neighbours in memory, a thread takes four of them at once (`by-neighbours.ts`).
 *
 * A contraction is started in tiles: as large as leaves work for all of the GPU, where blocks may share the terms of long sums. Of
 * matrices in memory it says what a library may do instead (`by-library.ts`).
 */
import { atReference } from '../ir/cost.js'
import { arithmeticOf, extentOf, isOverGrid, NEIGHBOURS, type Arithmetic, type Axis, type AxisMode, type Buffer, type Contract, type KernelProgram, type Launch, type Stmt, type Teams, type Tiles } from '../ir/loop.js'
import { KEPT_SUMS } from '../ir/launch-verify.js'
import { libraryCall } from './by-library.js'
import { takesNeighbours } from './by-neighbours.js'
import { chooseTeam } from './choose-team.js'
import type { CudaTarget } from './target.js'

export function mapThreads(kernel: KernelProgram, target: CudaTarget): KernelProgram {
  const mapped = asLoops(kernel.body).map((s) => mapStatement(s, kernel, target))
  return { ...kernel, body: mapped.map((m) => m.statement), launches: mapped.map((m) => m.launch), scratch: [...kernel.scratch, ...mapped.flatMap((m) => m.scratch)] }
}

type Mapped = { readonly statement: Stmt; readonly launch: Launch; readonly scratch: readonly Buffer[] }

/** Statements outside of all loops are one item. */
const asLoops = (body: readonly Stmt[]): readonly Stmt[] =>
  (body.every((s) => s.kind === 'for' || s.kind === 'contract') ? body : [{ kind: 'for', axis: { name: 'one', extent: 1 }, mode: 'serial', body }])

function mapStatement(s: Stmt, kernel: KernelProgram, target: CudaTarget): Mapped {
  if (s.kind === 'contract') {
    const launch = tilesOf(s, kernel, target)
    return { statement: s, launch, scratch: keptSums(s, launch) }
  }
  const { axes, inside } = nestOf([s])
  const launch = chooseTeam(axes, inside, target), { threads } = launch
  const isWide = threads === 1 && atReference(extentOf(axes)) / NEIGHBOURS >= target.busyThreads && takesNeighbours(inside, axes.at(-1)!)
  const body = threads === 1 ? inside : inside.map((inner) => sharedByTeam(inner, launch))
  return { statement: nest(axes, isWide ? 'grid by 4' : 'grid', body)[0]!, launch, scratch: [] }
}

/** The outermost loops, as long as each holds nothing but the next, and what is inside of them all. */
function nestOf(body: readonly Stmt[]): { axes: readonly Axis[]; inside: readonly Stmt[] } {
  const [only] = body
  if (body.length !== 1 || only?.kind !== 'for') return { axes: [], inside: body }
  const { axes, inside } = nestOf(only.body)
  return { axes: [only.axis, ...axes], inside }
}

/** Loops directly in each other, the innermost of this mode. */
function nest(axes: readonly Axis[], innermost: AxisMode, body: readonly Stmt[]): readonly Stmt[] {
  const outer: AxisMode = isOverGrid(innermost) ? 'grid' : 'team'
  return axes.reduceRight<readonly Stmt[]>((inner, axis, i) => [{ kind: 'for', axis, mode: i === axes.length - 1 ? innermost : outer, body: inner }], body)
}

function sharedByTeam(s: Stmt, teams: Teams): Stmt {
  if (s.kind === 'reduce') return { ...s, modes: s.axes.map((_, i) => (i === s.axes.length - 1 ? sharedMode(s.axes, [s], teams) : 'team')) }
  if (s.kind === 'argmax') return { ...s, mode: 'team' }
  if (s.kind !== 'for') return s
  const { axes, inside } = nestOf([s])
  return nest(axes, sharedMode(axes, inside, teams), inside)[0]!
}

/** Neighbours, where there are enough for all threads of the team. */
const sharedMode = (axes: readonly Axis[], inside: readonly Stmt[], { threads }: Teams): AxisMode =>
  (atReference(extentOf(axes)) >= threads * NEIGHBOURS && takesNeighbours(inside, axes.at(-1)!) ? 'team by 4' : 'team')

/** Largest first. Below 32 a thread has fewer than four results, and waits for memory more than it multiplies. */
const tileSizes = [128, 64, 32, 16], leastTile = 32

/** Warps that multiply on tensor cores have blocks of 16 by 8 results each, four beside each other: a tile has no fewer. */
const leastOf = (arithmetic: Arithmetic): number => (arithmetic === 'fma' ? 16 : 32)

/** Terms of a part that are worth the pass that adds the parts; parts of a sum; numbers that all parts of all sums may take. */
const leastTerms = 64, mostParts = 16, mostKept = 1 << 24

/** Terms at a time: those on their way wait in registers, of which the largest tiles have none to spare. For tensor cores 16 words of shared memory. */
function depthOf(rows: number, columns: number, arithmetic: Arithmetic): number {
  if (arithmetic !== 'fma') return arithmetic === 'bf16' ? 32 : 16
  return rows === 128 && columns === 128 ? 8 : 16
}

function tilesOf(contract: Contract, kernel: KernelProgram, target: CudaTarget): Tiles {
  const { m, n, k, lhs } = contract
  const [rows, columns, terms] = [m, n, k].map((axes) => atReference(extentOf(axes))) as [number, number, number]
  const partsAt = (size: number): number => Math.ceil(target.blocks / Math.max(Math.ceil(rows / size) * Math.ceil(columns / size), 1))
  const most = Math.max(1, Math.min(mostParts, Math.floor(terms / leastTerms), Math.floor(mostKept / Math.max(rows * columns, 1))))
  const size = tileSizes.find((s) => s >= leastTile && partsAt(s) <= most) ?? leastTile
  const arithmetic = arithmeticOf(lhs.dtype), [high, wide] = [rows, columns].map((extent) => Math.max(fitting(size, extent), leastOf(arithmetic))) as [number, number]
  return { kind: 'tiles', rows: high, columns: wide, depth: depthOf(high, wide, arithmetic), parts: Math.min(partsAt(size), most), arithmetic, instead: libraryCall(kernel, contract) }
}

/** No wider than it takes to hold what there is. */
const fitting = (size: number, extent: number): number => tileSizes.findLast((s) => s <= size && s >= Math.min(extent, size))!

/** Memory for sums that no block can finish: those of parts, and of rows that are finished together. */
function keptSums({ m, n, together }: Contract, { parts }: Tiles): readonly Buffer[] {
  return parts === 1 && together.length === 0 ? [] : [{ name: KEPT_SUMS, dtype: 'float32', shape: [parts, extentOf(m), extentOf(n)] }]
}
