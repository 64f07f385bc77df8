/** Which values carry the rounding of a sum: passes may reorder arithmetic on them at the price of roundings of that size. */
import type { Node } from '../ir/graph.js'
import type { ReduceOp } from '../ir/loop.js'
import { opOf } from '../ops/registry.js'

/** Reductions whose result is rounded. */
const rounding: ReadonlySet<ReduceOp> = new Set<ReduceOp>(['sum', 'prod'])

/** `find(node)`, asked once. */
export function remembered<Found>(known: Map<Node, Found>, node: Node, find: (node: Node) => Found): Found {
  const before = known.get(node)
  if (before !== undefined) return before
  const found = find(node)
  known.set(node, found)
  return found
}

export class RoundedValues {
  private readonly known = new Map<Node, boolean>()

  /** Is it a sum or product of many elements, or made of such element by element? */
  has(node: Node): boolean {
    return remembered(this.known, node, () => {
      const { lowering } = opOf(node)
      switch (lowering.kind) {
        case 'contract': case 'collect': return true
        case 'reduce': return rounding.has(reductionOf(lowering))
        case 'pointwise': case 'view': case 'indexMap': return node.inputs.some((input) => this.has(input))
        default: return false
      }
    })
  }
}

const reductionOf = ({ op }: { readonly op: ReduceOp }): ReduceOp => op
