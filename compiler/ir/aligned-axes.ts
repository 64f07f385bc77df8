/** What a reshape does to axes. */
import { divideDims, equalDims, sizeOf, type Shape } from './dim.js'

/** Axes of one shape, and those of the other that hold the same elements in the same order. */
export type AlignedAxes = { readonly from: readonly number[]; readonly to: readonly number[] }

/** Runs of axes of two shapes of the same elements that hold the same, as short as can be; null where sizes do not tell. */
export function alignedAxes(from: Shape, to: Shape): AlignedAxes[] | null {
  const groups: { from: number[]; to: number[] }[] = []
  let [i, j] = [0, 0]
  while (i < from.length || j < to.length) {
    const group = { from: i < from.length ? [i++] : [], to: j < to.length ? [j++] : [] }
    for (;;) {
      const [left, right] = [sizeOf(group.from.map((axis) => from[axis]!)), sizeOf(group.to.map((axis) => to[axis]!))]
      if (equalDims(left, right)) break
      if (j < to.length && divideDims(left, right) !== null) group.to.push(j++)
      else if (i < from.length && divideDims(right, left) !== null) group.from.push(i++)
      else return null
    }
    groups.push(group)
  }
  return groups
}
