/**
 * A function cut into kernels: which nodes are computed together, which of their values are stored, and where stored
 * values live. The order of `kernels` is the launch order.
 */
import type { Dim, Shape } from './dim.js'
import type { Graph, Node, Provenance } from './graph.js'

/** Where a stored value lives. A value with several homes is written to each and read from the first. */
export type Home =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'arena' }

/**
 * `map`: one loop nest over `domain`. `reduce`: combinations over the axes `reduced` of `domain`, with pointwise work
 * before (over the domain) and after (over the kept axes, and over the domain again when `reduced` are its last axes).
 * `contract`: tiles of a matrix product with pointwise work on operands (prologue) and result (epilogue).
 * `collect`: sums over the positions that name a place along an axis of `domain`, with pointwise work as in `contract`.
 * `tiles`: a result put together from boxes.
 */
export type KernelKind = 'map' | 'reduce' | 'contract' | 'collect' | 'tiles'

/**
 * Where a value stands in its kernel: over the whole domain, over the kept axes of a reduction (axes of size one do not
 * count), over the columns of a contraction, made of the sums of its right operand, or on the way into an operand of a
 * contraction or the position of a lookup, evaluated wherever that is read.
 */
export type Role = 'full' | 'row' | 'column' | 'prologue'

export type Kernel = {
  readonly name: string
  readonly kind: KernelKind
  readonly domain: Shape
  readonly reduced: readonly number[]
  /** Computed here, inputs before users. */
  readonly nodes: readonly Node[]
  readonly roles: ReadonlyMap<Node, Role>
  readonly stored: readonly Node[]
  readonly from: Provenance
}

/** A value that is a part of another: its element at an index lies at `offset` and a stride for each axis, in the homes of `root`. */
export type Placement = { readonly root: Node; readonly strides: readonly Dim[]; readonly offset: Dim }

export type KernelGraph = {
  readonly graph: Graph
  readonly kernels: readonly Kernel[]
  /** Homes of every stored node and of the leaves that are read. */
  readonly homes: ReadonlyMap<Node, readonly Home[]>
  /** Where in the homes of another value the stored nodes lie that are parts of it. */
  readonly placements: ReadonlyMap<Node, Placement>
}

/** Dimensions left after reducing. */
export const keptShape = (domain: Shape, reduced: readonly number[]): Shape => domain.filter((_, i) => !reduced.includes(i))

/** True when the reduced axes are the last ones: values over the domain can then follow the reduction row by row. */
export const reducesRows = (domain: Shape, reduced: readonly number[]): boolean =>
  reduced.length > 0 && reduced.every((axis) => axis >= domain.length - reduced.length)
