/**
 * Which values are made where they belong: a part of a value that is put together of boxes, when nothing else reads it, is
 * stored in its box by the kernel that computes it, and need not be copied there. So are parts of parts, and parts under
 * another shape, as long as steps along their axes are even in the whole.
 *
 *   contract  a = matmul(x, w) → a                 contract  a = matmul(x, w) → first half of c
 *   contract  b = matmul(x, v) → b           →     contract  b = matmul(x, v) → second half of c
 *   tiles     c = concat(a, b) → c                 (gone)
 */
import { alignedAxes } from '../ir/aligned-axes.js'
import { addDims, equalDims, multiplyDims, sizeOf, type Dim, type Shape } from '../ir/dim.js'
import { readOnce, type Graph, type Node } from '../ir/graph.js'
import type { Home, Placement } from '../ir/kernel-graph.js'
import { isUnit } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import type { Group } from './kernel-groups.js'

type Tiles = { readonly group: Group; readonly node: Node }

/** Placements of parts in the boxes of values whose homes take them. */
export function placeParts(graph: Graph, groups: readonly Group[], groupOf: ReadonlyMap<Node, Group>, homes: ReadonlyMap<Node, readonly Home[]>): Map<Node, Placement> {
  const placer = new Placer(readOnce(graph), groupOf, homes)
  // From the last to the first, so that the whole comes before its parts.
  for (const tiles of tilesIn(groups).reverse()) placer.placeIn(tiles)
  return placer.placements
}

/** The kernels that put values together, in the order in which they were opened. */
const tilesIn = (groups: readonly Group[]): Tiles[] => groups.flatMap((group) => (group.kind === 'tiles' ? [{ group, node: [...group.roles.keys()][0]! }] : []))

/** Strides of the axes of a tensor by itself. */
const ownStrides = (shape: Shape): Dim[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)))

class Placer {
  readonly placements = new Map<Node, Placement>()

  constructor(private readonly once: ReadonlySet<Node>, private readonly groupOf: ReadonlyMap<Node, Group>, private readonly homes: ReadonlyMap<Node, readonly Home[]>) {}

  placeIn({ group, node }: Tiles): void {
    const { lowering } = opOf(node)
    if (lowering.kind !== 'tiles' || !this.takesParts(node)) return
    const whole = this.placements.get(node) ?? { root: node, strides: ownStrides(node.type.shape), offset: 0 }
    const offsets = lowering.offsets(node)
    node.inputs.forEach((input, i) => {
      const offset = offsets[i]!.reduce<Dim>((sum, d, axis) => addDims(sum, multiplyDims(d, whole.strides[axis]!)), whole.offset)
      this.place(input, { ...whole, offset }, group)
    })
  }

  /** In an output or the arena; a variable may still be read when its parts are made. */
  private takesParts(node: Node): boolean {
    return this.placements.has(node) || (this.homes.get(node) ?? []).every((home) => home.kind === 'arena' || home.kind === 'output')
  }

  private place(part: Node, at: Placement, reader: Group): void {
    if (!this.once.has(part)) return
    const { lowering } = opOf(part), maker = this.groupOf.get(part)
    if (lowering.kind === 'view') {
      const inner = part.inputs[0]!, strides = stridesBefore(inner.type.shape, part.type.shape, at.strides)
      if (strides) this.place(inner, { ...at, strides }, reader)
    } else if (maker && maker !== reader && isStored(part, maker) && !this.homes.has(part) && runsOn(part.type.shape, at.strides)) this.placements.set(part, at)
  }
}

/** Computed once, by the kernel that stores it. */
const isStored = (node: Node, maker: Group): boolean => maker.roles.get(node) !== 'prologue' && opOf(node).lowering.kind !== 'leaf'

/** Are neighbours along the last axis neighbours in the whole? Vectors are stored along it. */
function runsOn(shape: Shape, strides: readonly Dim[]): boolean {
  const last = shape.findLastIndex((dim) => !isUnit(dim))
  return last < 0 || strides[last] === 1
}

/** Strides of the axes of `from`, given those of the axes of `to`, another shape of the same elements; null where steps are uneven. */
function stridesBefore(from: Shape, to: Shape, strides: readonly Dim[]): Dim[] | null {
  const result: (Dim | null)[] = from.map(() => 0)
  const groups = alignedAxes(from, to)
  if (groups === null) return null
  for (const group of groups) {
    const step = evenStep(group.to, to, strides)
    for (const [i, axis] of group.from.entries()) result[axis] = step === null ? null : multiplyDims(step, sizeOf(group.from.slice(i + 1).map((a) => from[a]!)))
  }
  return result.every((stride) => stride !== null) ? result : null
}

/** The stride of axes that are run through as through one. */
function evenStep(axes: readonly number[], shape: Shape, strides: readonly Dim[]): Dim | null {
  const wide = axes.filter((axis) => !isUnit(shape[axis]!)), last = wide.at(-1)
  if (last === undefined) return 0
  const step = strides[last]!
  const even = wide.every((axis, i) => equalDims(strides[axis]!, multiplyDims(step, sizeOf(wide.slice(i + 1).map((a) => shape[a]!)))))
  return even ? step : null
}
