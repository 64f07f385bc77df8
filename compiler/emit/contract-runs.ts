/** Left operands that are read where they lie, run by run: which they are, and the text that says where runs begin. */
import { isStatic } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import type { Axis, Bound, Expr, Index, IndexQuotient, IndexTerm } from '../ir/loop.js'
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
  if (!fits || !neighbours || axesOfIndex(index).some((axis) => !known.has(axis))) return null
  return {
    kind: 'runs', along, lines, runs, length: inner.extent, pointer: buffer,
    ...startTexts(index, inner, lines),
    inside: bounds.length === 0 ? null : bounds.map(boundText).join(' && '),
  }
}

/** What of the index changes from line to line alone, and all else but the run's own axis. */
function startTexts({ terms, quotients, offset }: Index, inner: Axis, lines: readonly Axis[]): { lineStart: string; runStart: string } {
  const names = new Set(lines.map((axis) => axis.name))
  const ofLines = (axes: readonly string[]): boolean => axes.every((axis) => names.has(axis))
  const [lineTerms, others] = [true, false].map((of) => terms.filter((t) => t.axis !== inner.name && names.has(t.axis) === of)) as [IndexTerm[], IndexTerm[]]
  const [lineQuotients, mixed] = [true, false].map((of) => quotients.filter((q) => ofLines(axesOfIndex(q.dividend)) === of)) as [IndexQuotient[], IndexQuotient[]]
  return { lineStart: indexText({ terms: lineTerms, quotients: lineQuotients, offset }), runStart: indexText({ terms: others, quotients: mixed, offset: 0 }) }
}

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
