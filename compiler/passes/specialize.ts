/**
 * Fixes symbols to sizes.
 *
 *   %0 = matmul(%x, %w) : f32[B,64]   with B = 32   →   %0 = matmul(%x, %w) : f32[32,64]
 */
import { evaluateDim, isStatic, symbolsOf, type Dim } from '../ir/dim.js'
import { rewriteGraph, type Attrs, type AttrValue, type Graph, type Node } from '../ir/graph.js'

export type Sizes = Readonly<Record<string, number>>

export function specialize(graph: Graph, sizes: Sizes): Graph {
  return rewriteGraph(graph, (node, inputs): Node => ({
    ...node, inputs,
    attrs: fixAttrs(node.attrs, sizes),
    type: { dtype: node.type.dtype, shape: node.type.shape.map((dim) => fixDim(dim, sizes)) },
  }))
}

/** Dimensions with a symbol that has no size stay as they are. */
const fixDim = (dim: Dim, sizes: Sizes): Dim => (symbolsOf(dim).every((name) => name in sizes) ? evaluateDim(dim, sizes) : dim)

const fixAttrs = (attrs: Attrs, sizes: Sizes): Attrs =>
  Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, fixValue(value, sizes)]))

function fixValue(value: AttrValue, sizes: Sizes): AttrValue {
  if (Array.isArray(value)) return (value as readonly AttrValue[]).map((inner) => fixValue(inner, sizes))
  return typeof value === 'object' && value !== null && !isStatic(value as Dim) ? fixDim(value as Dim, sizes) : value
}
