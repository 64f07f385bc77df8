/** Rows, columns or the sum of a contraction as C++: one number for all its axes, and the axes from that number. */
import { isStatic, sizeOf, type Dim } from '../ir/dim.js'
import type { Axis } from '../ir/loop.js'
import { cDim } from './c-dim.js'

export type AxesText = {
  /** Declarations of every axis from the number: "d0 = row / 9604, d1 = row / 98 % 98, d2 = row % 98". */
  readonly fixed: string
  /** The same of all axes but the last, whose place in its run is "at". */
  readonly start: string
  /** Name of the last axis, and its extent. */
  readonly inner: string
  readonly extent: string
  /** Statement that moves to the next run; empty when there is only one. */
  readonly carry: string
}

const factor = (dim: Dim): string => (isStatic(dim) ? String(dim) : `(${cDim(dim)})`)

export function axesText(axes: readonly Axis[], from: string): AxesText {
  const inner = axes.at(-1)!
  const places = axes.map((axis, i) => ({ name: axis.name, value: placeText(axes, i, from) }))
  const declare = (name: string, value: string): string => `${name} = ${value}`
  return {
    fixed: places.map((p) => declare(p.name, p.value)).join(', '),
    start: places.map((p, i) => declare(i === axes.length - 1 ? 'at' : p.name, p.value)).join(', '),
    inner: inner.name,
    extent: factor(inner.extent),
    carry: carryText(axes.slice(0, -1)),
  }
}

/** The number without the axes inside this one, and without those outside. @param divisor prints what it is divided by */
export function placeText(axes: readonly Axis[], i: number, from: string, divisor: (dim: Dim) => string = factor): string {
  const inside = sizeOf(axes.slice(i + 1).map((axis) => axis.extent))
  const scaled = inside === 1 ? from : `${from} / ${divisor(inside)}`
  return i === 0 ? scaled : `${scaled} % ${divisor(axes[i]!.extent)}`
}

/** Axes outside of a run step like the digits of a number. */
function carryText(axes: readonly Axis[]): string {
  return axes.reduce((outer, { name, extent }, i) => (i === 0 ? `++${name};` : `if (++${name} == ${factor(extent)}) { ${name} = 0; ${outer} }`), '')
}
