/**
 * After fusion: a kernel that only sums what is the right operand of a product, over what the product sums over, becomes a part
 * of it, with all that is made of the sums. The gradient of a bias is such a sum beside the gradient of its kernel, and the
 * one with its update was a pass over the gradient by itself.
 *
 *   contract  dw = matmul(xᵀ, dy), w' = …              contract  dw = matmul(xᵀ, dy), w' = …, db = sum(dy), b' = …
 *   reduce    db = sum(dy), b' = …                 →   (gone)
 */
import { equalShapes, isStatic, sizeOf } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { isAddition } from '../ir/loop.js'
import { storageRoot } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, maxReads, reaches, type Formed, type Group } from './kernel-groups.js'

/** With fewer columns, lanes of a product are other than columns, and sums by themselves are as quick. */
const leastColumns = 16

export function joinTotals({ groups, groupOf }: Formed): Formed {
  const owners = new Map(groupOf), left = new Set(groups)
  for (const sums of groups) {
    const source = summed(sums)
    const product = source && [...left].find((group) => takesTotals(group, source, sums) && !reaches(group, sums) && !reaches(sums, group))
    if (!product) continue
    for (const node of sums.roles.keys()) { product.roles.set(node, 'column'); owners.set(node, product) }
    for (const needed of sums.needs) product.needs.add(needed)
    for (const each of left) if (each.needs.delete(sums) && each !== product) each.needs.add(product)
    left.delete(sums)
  }
  return { groups: [...left], groupOf: owners }
}

/** What a kernel sums that does nothing else over all of its domain; null for others. */
function summed({ kind, roles }: Group): Node | null {
  const nodes = [...roles.keys()], combinations = nodes.filter((node) => opOf(node).lowering.kind !== 'pointwise'), [sum] = combinations
  const lowering = sum && opOf(sum).lowering
  const fits = kind === 'reduce' && combinations.length === 1 && lowering?.kind === 'reduce' && isAddition(lowering) && sum!.type.dtype === 'float32'
  return fits && nodes.every((node) => roles.get(node) === 'row' && equalShapes(node.type.shape, sum!.type.shape)) ? sum!.inputs[0]! : null
}

/** A product whose right operand is `source`, as it lies in memory, over the same axes. */
function takesTotals(group: Group, source: Node, sums: Group): boolean {
  const product = [...group.roles.keys()].find((node) => opOf(node).lowering.kind === 'contract')
  const lowering = product && opOf(product).lowering
  if (lowering?.kind !== 'contract' || group.reduced.length > 0 || product!.inputs[1] !== source || group.roles.has(source) || !isStored(source)) return false
  const { inner, outer } = lowering.axes(product!).rhs, columns = sizeOf(outer.map((axis) => source.type.shape[axis]!))
  const sameAxes = inner.length === sums.reduced.length && inner.every((axis, i) => axis === i && axis === sums.reduced[i])
  return sameAxes && isStatic(columns) && columns >= leastColumns && readsOf(group, sums) <= maxReads
}

/** Lies in memory as it is, or under another shape. */
const isStored = (node: Node): boolean => {
  const { kind } = opOf(node).lowering
  return kind === 'view' ? isStored(node.inputs[0]!) : kind !== 'indexMap' && kind !== 'border' && kind !== 'generate'
}

const readsOf = (...groups: readonly Group[]): number =>
  new Set(groups.flatMap(({ roles }) => [...roles.keys()].flatMap((node) => accessesOf(node).map(({ source }) => storageRoot(source))).filter((source) => !roles.has(source)))).size
