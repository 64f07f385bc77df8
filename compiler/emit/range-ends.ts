/**
 * Where a range of a kernel's items ends in what it writes. A core waits for each line that it is to write unless it has asked
 * for it before; the machine does so by itself for one stream, but seldom for one beside several that are read. So vectors are
 * stored with a look ahead (`store_ahead` of `native/include/kcc/vec.h`), but never into what another thread may write.
 */
import { equalDims, isStatic, multiplyDims, type Dim } from '../ir/dim.js'
import type { Axis, Index, KernelProgram, Stmt } from '../ir/loop.js'
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
    const strides = stores.filter((s) => s.buffer === name).map(({ index }) => itemStride(index, axes))
    const [stride] = strides
    const isEven = stride !== undefined && stride !== null && strides.every((other) => other !== null && equalDims(other, stride))
    return isEven && !blocked && (dtype === 'float32' || dtype === 'int32') ? [{ name, stride }] : []
  })
  return {
    buffers: new Set(found.map(({ name }) => name)),
    lines: found.map(({ name, stride }) => `[[maybe_unused]] const auto* const ${endOf(name)} = ${name} + ${stride === 1 ? end : `${end} * ${isStatic(stride) ? stride : `(${cDim(stride)})`}`};`),
  }
}

/** Elements from one item of the axes to the next; null where they do not follow each other. */
function itemStride(index: Index, axes: readonly Axis[]): Dim | null {
  const strides = axes.map(({ name }) => strideOf(index, name))
  const last = strides.at(-1)
  const isDense = strides.every((stride, i) => i === axes.length - 1 || (stride !== null && strides[i + 1] !== null && equalDims(stride, multiplyDims(strides[i + 1]!, axes[i + 1]!.extent))))
  return isDense && last !== undefined && last !== 0 ? last : null
}

type Store = Stmt & { readonly kind: 'store' }

const storesIn = (statements: readonly Stmt[]): Store[] =>
  statements.flatMap((s) => (s.kind === 'store' ? [s] : s.kind === 'for' ? storesIn(s.body) : []))
