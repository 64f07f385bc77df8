/**
 * Where a range of a kernel's items ends in what it writes. A core waits for each line that it is to write unless it has asked
 * for it before; the machine does so by itself for one stream, but seldom for one beside several that are read. So vectors are
 * stored with a look ahead (`store_ahead` of `native/include/kcc/vec.h`), but never into what another thread may write.
 */
import { equalDims, isStatic, multiplyDims, type Dim } from '../ir/dim.js'
import type { Axis, Index, KernelProgram, Stmt, Store } from '../ir/loop.js'
import { strideOf } from '../schedule/walk.js'
import { cDim } from './c-dim.js'

/** The name of the address where the elements of a range end in a buffer. */
export const endOf = (buffer: string): string => `${buffer}_end`

/** `lines` declare the addresses. */
export type RangeEnds = { readonly buffers: ReadonlySet<string>; readonly lines: readonly string[] }
export const noEnds: RangeEnds = { buffers: new Set(), lines: [] }

/** Of the buffers in which the items of a range follow each other. */
export function rangeEnds({ buffers }: KernelProgram, statements: readonly Stmt[], axes: readonly Axis[], end: string): RangeEnds {
  const stores = storesIn(statements)
  const found = buffers.flatMap(({ name, dtype, blocked }) => {
    const places = stores.filter((s) => s.buffer === name).map(({ index }) => index)
    const stride = commonStride(places, axes), first = leastOffset(places)
    const isPlain = !blocked && (dtype === 'float32' || dtype === 'int32')
    return isPlain && stride !== null && first !== null ? [{ name, text: [name, times(end, stride), ...(first === 0 ? [] : [first])].join(' + ') }] : []
  })
  return {
    buffers: new Set(found.map(({ name }) => name)),
    lines: found.map(({ name, text }) => `[[maybe_unused]] const auto* const ${endOf(name)} = ${text};`),
  }
}

const times = (what: string, stride: Dim): string => (stride === 1 ? what : `${what} * ${isStatic(stride) ? stride : `(${cDim(stride)})`}`)

/** Elements from one item to the next, where all stores agree on it. */
function commonStride(places: readonly Index[], axes: readonly Axis[]): Dim | null {
  const [first, ...others] = places.map((index) => itemStride(index, axes))
  return first !== undefined && first !== null && others.every((other) => other !== null && equalDims(other, first)) ? first : null
}

/** Where the first item begins: parts of a whole begin at their place in it. Null where only a call knows it. */
function leastOffset(places: readonly Index[]): number | null {
  const offsets = places.flatMap(({ offset }) => (isStatic(offset) ? [offset] : []))
  return offsets.length === places.length ? Math.min(...offsets) : null
}

/** Elements from one item of the axes to the next; null where they do not follow each other forwards. */
function itemStride(index: Index, axes: readonly Axis[]): Dim | null {
  const strides = axes.map(({ name }) => strideOf(index, name))
  const last = strides.at(-1)
  const isDense = strides.every((stride, i) => i === axes.length - 1 || (stride !== null && strides[i + 1] !== null && equalDims(stride, multiplyDims(strides[i + 1]!, axes[i + 1]!.extent))))
  const goesOn = last !== undefined && last !== null && !(isStatic(last) && last <= 0)
  return isDense && goesOn ? last : null
}

const storesIn = (statements: readonly Stmt[]): Store[] =>
  statements.flatMap((s) => (s.kind === 'store' ? [s] : s.kind === 'for' ? storesIn(s.body) : []))
