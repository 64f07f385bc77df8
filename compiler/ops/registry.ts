/** The list of all ops. */
import type { Node } from '../ir/graph.js'
import * as comparison from './comparison.js'
import { matmul } from './contraction.js'
import type { OpDefinition } from './define-op.js'
import * as generate from './generate.js'
import { gather, scatterAdd } from './indexing.js'
import { input, variable } from './leaf.js'
import { and, cast, not, or, select } from './logic.js'
import * as movement from './movement.js'
import * as arithmetic from './pointwise-arithmetic.js'
import * as transcendental from './pointwise-transcendental.js'
import { argmax, max, min, prod, sum } from './reduce.js'
import { pad } from './padding.js'
import { reverse } from './reverse.js'
import { slice } from './slice.js'
import { overlapAdd, windows } from './windows.js'

export const registry: readonly OpDefinition[] = [
  input, variable,
  ...Object.values<OpDefinition>(generate),
  ...Object.values<OpDefinition>(arithmetic),
  ...Object.values<OpDefinition>(transcendental),
  ...Object.values<OpDefinition>(comparison),
  and, or, not, select, cast,
  sum, prod, max, min, argmax,
  ...Object.values<OpDefinition>(movement), pad, reverse, slice, windows, overlapAdd,
  gather, scatterAdd,
  matmul,
]

const byName: ReadonlyMap<string, OpDefinition> = new Map(registry.map((op) => [op.name, op]))

/** @throws RangeError for a name that is no op. */
export function opNamed(name: string): OpDefinition {
  const op = byName.get(name)
  if (!op) throw new RangeError(`no op named "${name}"`)
  return op
}

/** The definition of a node's op. */
export const opOf = (node: Node): OpDefinition => opNamed(node.op)
