/** Left operands that are read where they lie, run by run: which they are, and the text that says where runs begin. */
import { isStatic, type Dim } from '../ir/dim.js'
import type { Axis, Bound, Expr, Index } from '../ir/loop.js'
import { strideOf, type Load } from '../schedule/walk.js'
import { boundText, indexText } from './c-expr.js'
import { carryText, placesText } from './contract-axes.js'
import type { ComputedOperand, RunsOperand } from './contract-view.js'

/** As many runs as fit the kernels' table for a block of rows, and as long as their line of zeros (`gemm-runs.h`). */
const MOST_RUNS = 64, LONGEST_ZEROS = 4096

type Places = Pick<ComputedOperand, 'rows' | 'columns'>
type StaticAxis = Axis & { readonly extent: number }

const isStaticAxis = (axis: Axis): axis is StaticAxis => isStatic(axis.extent)

/** The load, and where it holds; null where the value is anything but a load or zero. */
function guarded(value: Expr): { readonly load: Load; readonly bounds: readonly Bound[] } | null {
  if (value.kind === 'load') return { load: value, bounds: [] }
  return value.kind === 'guard' && Object.is(value.otherwise, 0) && value.value.kind === 'load' ? { load: value.value, bounds: value.bounds } : null
}

/** The operand in runs along the sum, or else along the rows; null where it has no runs of a known number and length. */
export function runsOperand(value: Expr, { rows, columns }: Places): RunsOperand | null {
  return runsAlong(value, 'column', columns, rows) ?? runsAlong(value, 'row', rows, columns)
}

function runsAlong(value: Expr, along: 'row' | 'column', axes: readonly Axis[], lines: readonly Axis[]): RunsOperand | null {
  const found = guarded(value), runs = axes.slice(0, -1), inner = axes.at(-1)!
  if (!found || found.load.dtype !== 'float32' || !runs.every(isStaticAxis) || !isStaticAxis(inner)) return null
  const { load: { buffer, index }, bounds } = found
  const count = runs.reduce((product, axis) => product * axis.extent, 1)
  const known = new Set([...axes, ...lines].map((axis) => axis.name))
  const fits = count <= MOST_RUNS && (bounds.length === 0 || inner.extent <= LONGEST_ZEROS)
  const neighbours = strideOf(index, inner.name) === 1 && bounds.every((bound) => strideOf(bound.index, inner.name) === 0)
  if (!fits || !neighbours || index.terms.some((term) => !known.has(term.axis))) return null
  return {
    kind: 'runs', along, lines, runs, length: inner.extent, pointer: buffer,
    lineStart: indexText(over(index, lines, index.offset)), runStart: indexText(over(index, runs, 0)),
    inside: bounds.length === 0 ? null : bounds.map(boundText).join(' && '),
  }
}

/** The part of an index over some axes. */
const over = ({ terms }: Index, axes: readonly Axis[], offset: Dim): Index => ({ terms: terms.filter((t) => axes.some((a) => a.name === t.axis)), offset })

export type StartsText = {
  readonly function: string
  /** Declarations of the axes of the lines, from their number. */
  readonly lines: string
  readonly carry: string
  readonly loops: readonly { readonly name: string; readonly extent: number }[]
  readonly pointer: string
  readonly lineStart: string
  readonly runStart: string
  readonly inside: string | null
}

export const startsText = ({ lines, runs, pointer, lineStart, runStart, inside }: RunsOperand, name: string): StartsText => ({
  function: name, lines: placesText(lines, 'line'), carry: carryText(lines), loops: runs, pointer, lineStart, runStart, inside,
})

/** How many runs there are. */
export const runCount = ({ runs }: RunsOperand): number => runs.reduce((count, axis) => count * axis.extent, 1)
