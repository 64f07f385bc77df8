/** The one place where nodes are made: the type is inferred, the provenance is the current one. */
import type { Attrs, Node } from '../../ir/graph.js'
import { currentProvenance } from '../provenance.js'
import { typeRules, type OpName } from '../type-rules.js'

/** @throws ValueError when the op refuses its inputs or attributes. */
export function makeNode(op: OpName, inputs: readonly Node[] = [], attrs: Attrs = {}): Node {
  const type = typeRules[op](inputs.map((n) => n.type), attrs)
  return { op, inputs, attrs, type, from: currentProvenance() }
}
