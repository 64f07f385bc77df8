/**
 * Following a value to where it is held. Index maps (broadcast, transpose, slice) and reshapes that only add or drop
 * axes of size one cost nothing: a reader goes through them to the node that is computed or stored.
 */
import { alignedAxes } from '../ir/aligned-axes.js'
import { equalDims, isStatic, sizeOf, type Dim, type Shape } from '../ir/dim.js'
import { axesOfIndex, axisIndex, constIndex, divideIndex, equalIndex, linearIndex, remainderIndex } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import type { Bound, Index } from '../ir/loop.js'
import { opOf } from './registry.js'

/**
 * How a node uses what it reads: an `operand` is combined; a `position` decides where another input is read; a `table` is
 * read there, at places known only when the kernel runs: from memory, never from the kernel's own values.
 */
export type Use = 'operand' | 'position' | 'table'
/** Reading is allowed where every index is from 0 to below its extent; elsewhere `otherwise` is read. */
export type Guard = { readonly bounds: readonly Bound[]; readonly otherwise: number }
/** Guards are outermost first. */
export type Access = { readonly source: Node; readonly index: readonly Index[]; readonly use: Use; readonly guards: readonly Guard[] }

/** The identity position in a tensor of rank `rank`: axes d0, d1, … */
export const identityIndex = (rank: number): Index[] => Array.from({ length: rank }, (_, i) => axisIndex(`d${i}`))

/** The element of `node` at `index` is the element of `source` at the returned index. */
export function resolve(node: Node, index: readonly Index[], use: Use = 'operand', guards: readonly Guard[] = []): Access {
  const { lowering } = opOf(node)
  if (lowering.kind === 'indexMap') return resolve(node.inputs[0]!, lowering.map(index, node), use, guards)
  if (lowering.kind === 'border' && use !== 'table') {
    const inside = lowering.inside(index, node), bounds = boundsOf(node, index, inside)
    return resolve(node.inputs[0]!, inside, use, bounds.length === 0 ? guards : [...guards, { bounds, otherwise: lowering.value(node) }])
  }
  if (lowering.kind === 'view') {
    const through = unitView(node.inputs[0]!.type.shape, node.type.shape, index) ?? repeatedView(node, index)
    if (through) return resolve(node.inputs[0]!, through, use, guards)
  }
  return { source: node, index, use, guards }
}

/** Along the axes that have a border. */
const boundsOf = (node: Node, outside: readonly Index[], inside: readonly Index[]): Bound[] => {
  const from = node.inputs[0]!.type.shape, to = node.type.shape
  return inside.flatMap((index, i) => (equalIndex(index, outside[i]!) && equalDims(from[i]!, to[i]!) ? [] : [{ index, extent: from[i]! }]))
}

/** What `node` reads for its own element at `index`, in the order of its inputs. */
export function readsAt(node: Node, index: readonly Index[]): Access[] {
  const { lowering } = opOf(node)
  if (lowering.kind === 'leaf') return []
  if (lowering.kind !== 'lookup') return node.inputs.map((input) => resolve(input, identityIndex(input.type.shape.length)))
  const [table, at] = node.inputs as [Node, Node]
  return [resolve(table, lowering.table(index, node), 'table'), resolve(at, lowering.at(index, node), 'position')]
}

/** Index into `from` for a reshape to `to` that only adds or drops axes of size one, else null. */
function unitView(from: Shape, to: Shape, index: readonly Index[]): Index[] | null {
  const kept = to.flatMap((dim, i) => (isUnit(dim) ? [] : [{ dim, index: index[i]! }]))
  const source = from.filter((dim) => !isUnit(dim))
  if (kept.length !== source.length || !source.every((dim, i) => equalDims(dim, kept[i]!.dim))) return null
  let next = 0
  return from.map((dim) => (isUnit(dim) ? constIndex(0) : kept[next++]!.index))
}

/**
 * Index into what a reshape shows, where that is an index map whose repeated axes become part of others: elements several
 * times in a row, or a row several times over. Null for any other reshape, and where the last axis would be read in uneven
 * steps: that is stored once.
 */
function repeatedView({ inputs: [inner], type }: Node, index: readonly Index[]): Index[] | null {
  const { lowering } = opOf(inner!)
  if (lowering.kind !== 'indexMap') return null
  const { shape } = inner!.type, groups = alignedAxes(shape, type.shape)
  if (groups === null) return null
  const read = new Set(lowering.map(identityIndex(shape.length), inner!).flatMap(axesOfIndex))
  const places = shape.map(() => constIndex(0))
  for (const group of groups) {
    const used = group.from.filter((axis) => read.has(`d${axis}`) && !isUnit(shape[axis]!)), [axis] = used
    if (axis === undefined) continue
    const within = linearIndex(group.to.map((i) => index[i]!), group.to.map((i) => type.shape[i]!))
    const place = placeInGroup(within, shape, group.from, axis)
    if (used.length > 1 || place === null || (place.quotients.length > 0 && group.to.includes(type.shape.length - 1))) return null
    places[axis] = place
  }
  return places
}

/** Where along `axis` place `index` of the merged axes lies. */
function placeInGroup(index: Index, shape: Shape, group: readonly number[], axis: number): Index | null {
  const at = group.indexOf(axis), inside = sizeOf(group.slice(at + 1).map((i) => shape[i]!)), extent = shape[axis]!
  if (!isStatic(inside) || inside === 0) return null
  const along = divideIndex(index, inside)
  if (group.slice(0, at).every((i) => isUnit(shape[i]!))) return along
  return isStatic(extent) ? remainderIndex(along, extent) : null
}

/** The node whose bytes a chain of views shows. */
export function storageRoot(node: Node): Node {
  return opOf(node).lowering.kind === 'view' ? storageRoot(node.inputs[0]!) : node
}

/** Dimensions of size one hold nothing to run over. */
export const isUnit = (dim: Dim): boolean => dim === 1

/** True when `index` into a tensor of `shape` is exactly the axes of `expected`, in order, axes of size one left out. */
export function isIdentity(index: readonly Index[], shape: Shape, expected: readonly string[]): boolean {
  const counted = index.filter((_, i) => !isUnit(shape[i]!))
  return counted.length === expected.length && counted.every((ix, i) =>
    ix.offset === 0 && ix.quotients.length === 0 && ix.terms.length === 1 && ix.terms[0]!.axis === expected[i] && ix.terms[0]!.stride === 1)
}

/** False where one element may be read for several positions along the same axes, as by overlapping windows. */
export const readsEachOnce = ({ index }: Access): boolean => index.every((ix) => ix.terms.length + ix.quotients.length <= 1)
