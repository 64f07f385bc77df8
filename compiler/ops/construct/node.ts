/** The one place where nodes are made: the type is inferred, the provenance is the current one. */
import type { Attrs, Node } from '../../ir/graph.js'
import { currentProvenance } from '../provenance.js'
import { inferType, typeRules, type OpName } from '../type-rules.js'

/** @throws ValueError when the op refuses its inputs or attributes. */
export function makeNode(op: OpName, inputs: readonly Node[] = [], attrs: Attrs = {}): Node {
  const type = typeRules[op](inputs.map((n) => n.type), attrs)
  return { op, inputs, attrs, type, from: currentProvenance() }
}

/** The op and attributes of `node` over other inputs, whose types may differ. */
export function remake(node: Node, inputs: readonly Node[]): Node {
  return { ...node, inputs, type: inferType(node.op, inputs.map((x) => x.type), node.attrs), from: currentProvenance() }
}
