/** Left operands that are read where they lie, run by run: which they are, and the text that says where runs begin. */
import { isStatic } from '../ir/dim.js'
import { axesOfIndex } from '../ir/expr.js'
import type { Axis, Bound, Expr } from '../ir/loop.js'
import { strideOf, type Load } from '../schedule/walk.js'
import { cDim } from './c-dim.js'
import { boundText, indexText } from './c-expr.js'
import { axesText, type AxesText } from './contract-axes.js'
import type { ComputedOperand, RunsOperand } from './contract-view.js'

/** As many runs as fit the kernels' table for a block of rows (`gemm-runs.h`). */
const MOST_RUNS = 64
/** `longest_zeros` of `gemm.h`. */
export const LONGEST_ZEROS = 4096

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
  // Zeros are read past a border, and by rows also past the last one.
  const readsZeros = bounds.length > 0 || along === 'column'
  const fits = count > 0 && inner.extent > 0 && count <= MOST_RUNS && (!readsZeros || inner.extent <= LONGEST_ZEROS)
  const neighbours = strideOf(index, inner.name) === 1 && bounds.every((bound) => strideOf(bound.index, inner.name) === 0)
  if (!fits || !neighbours || axesOfIndex(index).some((axis) => !known.has(axis))) return null
  const last = lines.at(-1)!.name
  const steady = bounds.every((bound) => strideOf(bound.index, last) !== null)
  return {
    kind: 'runs', along, lines, runs, length: inner.extent, pointer: buffer,
    start: indexText({ ...index, terms: index.terms.filter((t) => t.axis !== inner.name) }),
    step: steady ? strideOf(index, last) : null,
    inside: bounds.length === 0 ? null : bounds.map(boundText).join(' && '),
  }
}

export type StartsText = Pick<AxesText, 'start' | 'inner' | 'extent' | 'carry'> & {
  readonly function: string
  readonly loops: readonly { readonly name: string; readonly extent: number }[]
  readonly pointer: string
  readonly at: string
  readonly step: string | null
  readonly inside: string
}

export function startsText({ lines, runs, pointer, start, step, inside }: RunsOperand, name: string): StartsText {
  const axes = axesText(lines, 'line')
  return {
    function: name, start: axes.start, inner: axes.inner, extent: axes.extent, carry: axes.carry, loops: runs, pointer,
    at: start, step: step === null ? null : cDim(step), inside: inside ?? 'true',
  }
}

/** How many runs there are. */
export const runCount = ({ runs }: RunsOperand): number => runs.reduce((count, axis) => count * axis.extent, 1)
