/** K functions that rearrange elements or run along an axis: gather, tile, repeat, reverse, cumulative sums, ranges. */
import type { DType } from '../../runtime/contract/dtype.js'
import { ValueError } from '../../runtime/contract/errors.js'
import { isStatic, multiplyDims } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import * as b from '../ops/build.js'
import { atCall, made, tensor } from './backend-call.js'
import { repeated } from './resizing.js'
import type { KTensor, TensorLike } from './tensor.js'

/** The slices of `reference` along its first axis at int32 indices of any shape; zeros for an index outside it. */
export const gather = (reference: TensorLike, indices: TensorLike): KTensor => made(() => b.gather(reference.node, b.cast(indices.node, 'int32')))

/** The whole tensor `n` times along its axes: one count for each of the last axes, or one for the last. */
export const tile = (x: TensorLike, n: number | readonly number[]): KTensor => made(() => {
  const given = typeof n === 'number' ? [n] : n, { shape } = x.node.type
  const counts = [...shape.slice(given.length).map(() => 1), ...given]
  if (counts.length !== shape.length) throw new ValueError(`K.tile takes a count for each of at most ${shape.length} axes, found ${given.length}`)
  const apart = b.reshape(x.node, shape.flatMap((d) => [1, d]))
  return b.reshape(b.broadcastTo(apart, shape.flatMap((d, i) => [counts[i]!, d])), shape.map((d, i) => multiplyDims(d, counts[i]!)))
})

/** [B, d] to [B, n, d]: each row n times. */
export const repeat = (x: TensorLike, n: number): KTensor => made(() => {
  const { shape } = x.node.type
  if (shape.length !== 2) throw new ValueError(`K.repeat takes a tensor of rank 2, found rank ${shape.length}`)
  return b.broadcastTo(b.expandDims(x.node, 1), [shape[0]!, n, shape[1]!])
})

/** Every element along `axis` `rep` times in a row. */
export const repeatElements = (x: TensorLike, rep: number, axis: number): KTensor =>
  made(() => repeated(x.node, b.normalizeAxis(axis, x.node.type.shape.length, 'repeatElements'), rep))

/** x from its end to its start along the axes. */
export const reverse = (x: TensorLike, axes: number | readonly number[]): KTensor => made(() => b.reverse(x.node, typeof axes === 'number' ? [axes] : axes))

/** For each place along `axis`, whether each other one is not after it: [..., places, others, ...]. */
function upTo(x: Node, axis: number): { mask: Node; others: Node; along: number } {
  const { shape } = x.type, size = shape[axis]!
  const wide = [...shape.slice(0, axis), size, ...shape.slice(axis)]
  return { mask: b.lessEqual(b.iota(wide, axis + 1, 'int32'), b.iota(wide, axis, 'int32')), others: b.expandDims(x, axis), along: axis + 1 }
}

const cumulative = (name: string, neutral: number, combine: (x: Node, axis: number) => Node) => (x: TensorLike, axis = 0): KTensor => made(() => {
  const { mask, others, along } = upTo(x.node, b.normalizeAxis(axis, x.node.type.shape.length, name))
  return combine(b.select(mask, others, neutral), along)
})

/** At each place along `axis`, the sum of all up to it. Takes n² additions for n places. */
export const cumsum = cumulative('cumsum', 0, b.sum)
/** At each place along `axis`, the product of all up to it. Takes n² multiplications for n places. */
export const cumprod = cumulative('cumprod', 1, b.prod)

/** Numbers from `start` up to but without `stop`, in steps; with one number, from 0 up to it. int32 unless said otherwise. */
export const arange = (start: number, stop: number | null = null, step = 1, dtype: 'int32' | 'float32' = 'int32'): KTensor => made(() => {
  const [first, end] = stop === null ? [0, start] : [start, stop]
  if (step === 0) throw new ValueError('K.arange takes a step other than 0')
  const count = Math.max(0, Math.ceil((end - first) / step))
  return b.add(b.mul(b.iota([count], 0, dtype), step), first)
})

/** Ones on the diagonal of a `size` by `size` matrix, else zeros. */
export const eye = (size: number, dtype: DType = 'float32'): KTensor =>
  made(() => b.cast(b.equal(b.iota([size, size], 0, 'int32'), b.iota([size, size], 1, 'int32')), dtype))

/** Zeros of a shape. */
export const zeros = (shape: readonly number[], dtype: DType = 'float32'): KTensor => made(() => b.constant(0, { dtype, shape }))
/** Ones of a shape. */
export const ones = (shape: readonly number[], dtype: DType = 'float32'): KTensor => made(() => b.constant(1, { dtype, shape }))

/** Numbers in lists within lists. */
export type NestedNumbers = number | readonly NestedNumbers[]

/** Elements in order, and the sizes of the lists. @throws ValueError for lists of different lengths. */
function flattened(value: NestedNumbers): { shape: number[]; elements: number[] } {
  if (typeof value === 'number') return { shape: [], elements: [value] }
  const rows = value.map(flattened), shape = rows[0]?.shape ?? []
  if (rows.some((r) => r.shape.join() !== shape.join())) throw new ValueError('K.constant takes lists of equal lengths')
  return { shape: [rows.length, ...shape], elements: rows.flatMap((r) => r.elements) }
}

/** A tensor of one value, or of the values in lists; `shape` may give them another one. Meant for few values: weights hold many. */
export const constant = (value: NestedNumbers, { dtype = 'float32', shape }: { readonly dtype?: DType; readonly shape?: readonly number[] } = {}): KTensor => made(() => {
  if (typeof value === 'number') return b.constant(value, { dtype, shape: shape ?? [] })
  const found = flattened(value)
  if (found.elements.length === 0) return b.constant(0, { dtype, shape: shape ?? found.shape })
  return b.reshape(b.concat(found.elements.map((v) => b.constant(v, { dtype, shape: [1] })), 0), shape ?? found.shape)
})

/** The places along the first axis, whose number must be known. */
function rowsOf(x: Node, name: string): Node[] {
  const [size] = x.type.shape
  if (size === undefined || !isStatic(size)) throw new ValueError(`K.${name} takes a tensor whose first size is known`)
  const rest = x.type.shape.slice(1)
  return Array.from({ length: size }, (_, i) => b.reshape(b.slice(x, [i, ...rest.map(() => 0)], [1, ...rest]), rest))
}

type Fold = (accumulated: KTensor, element: KTensor) => TensorLike

function folded(fn: Fold, rows: readonly Node[], initializer: TensorLike | null): KTensor {
  const [first, ...others] = initializer ? [initializer.node, ...rows] : rows
  if (!first) throw new ValueError('K.foldl and K.foldr take at least one element')
  return tensor(others.reduce((sum, row) => fn(tensor(sum), tensor(row)).node, first))
}

/** fn(… fn(fn(x₀, x₁), x₂) …) over the first axis, written out for each element. */
export const foldl = (fn: Fold, x: TensorLike, initializer: TensorLike | null = null): KTensor => atCall(() => folded(fn, rowsOf(x.node, 'foldl'), initializer))
/** The same from the last element to the first. */
export const foldr = (fn: Fold, x: TensorLike, initializer: TensorLike | null = null): KTensor => atCall(() => folded(fn, rowsOf(x.node, 'foldr').reverse(), initializer))
/** fn of each element of the first axis, side by side; written out for each. */
export const mapFn = (fn: (element: KTensor) => TensorLike, x: TensorLike): KTensor =>
  made(() => b.concat(rowsOf(x.node, 'mapFn').map((row) => b.expandDims(fn(tensor(row)).node, 0)), 0))
