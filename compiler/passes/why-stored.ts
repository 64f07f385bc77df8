/** Why two kernels are two: the rule of fusion that a value between them does not satisfy, in words. */
import { equalShapes } from '../ir/dim.js'
import type { Node } from '../ir/graph.js'
import { reducesRows, type Kernel } from '../ir/kernel-graph.js'
import { readsEachOnce, storageRoot, type Access } from '../ops/access.js'
import { opOf } from '../ops/registry.js'
import { accessesOf, maxReads, readsInPlace, roleIn, type Group } from './kernel-groups.js'

/** Why `reader` loads `value`, which `maker` stores, instead of being one kernel with it; null when it does not load it. */
export function whyStored(value: Node, maker: Kernel, reader: Kernel): string | null {
  const reasons = reader.nodes.flatMap((member) => accessesOf(member)
    .filter(({ source }) => storageRoot(source) === value && !reader.roles.has(source))
    .map((access) => ofOperand(member, access) ?? ofPlace(value, maker, reader, member, access)))
  return reasons[0] ?? null
}

/** Reads that no kernel does but from memory. */
function ofOperand(member: Node, access: Access): string | null {
  const { kind } = opOf(member).lowering
  if (access.use === 'table') return 'looked up at places known only as the kernel runs'
  if (opOf(access.source).lowering.kind === 'view') return 'read under another shape'
  if (kind === 'tiles') return 'one of the parts that are put together'
  if (kind !== 'contract' && kind !== 'collect') return access.guards.length > 0 ? 'read inside of a border' : null
  return readsEachOnce(access) ? 'an operand of a product, which reads all of it for every tile' : 'an operand whose windows overlap: elements would be computed several times'
}

function ofPlace(value: Node, maker: Kernel, reader: Kernel, member: Node, access: Access): string {
  const group = asGroup(maker), role = roleIn(group, member)
  if (maker.kind === 'tiles') return 'put together from parts, without a loop over all of it'
  if (maker.roles.get(value) === 'row' && !reducesRows(maker.domain, maker.reduced)) return 'complete only when the loop over all rows has ended'
  if (reader.kind === 'reduce' && opOf(member).lowering.kind !== 'pointwise' && !equalShapes(reader.domain, maker.domain)) return 'combined over another domain than it is made in'
  if (reader.kind === 'reduce' && maker.kind !== 'map' && maker.kind !== 'reduce') return 'combined over many elements, of which a tile of the product has only some'
  if (role === null) return 'read over another domain than it is made in'
  if (!readsInPlace(group, role, member.type.shape, access)) return 'read at other positions than it is made at'
  if (readsOf(maker) + readsOf(reader) > maxReads) return `together they would read more than ${maxReads} values`
  return reader.reduced.join() === maker.reduced.join() ? 'another kernel that both need stands between them' : 'their loops differ: one combines, one does not'
}

const asGroup = ({ kind, domain, reduced, roles }: Kernel): Group => ({ id: 0, kind, domain, reduced, roles: new Map(roles), needs: new Set() })

const readsOf = ({ nodes, roles }: Kernel): number =>
  new Set(nodes.flatMap((node) => accessesOf(node)).filter(({ source }) => !roles.has(source)).map(({ source }) => storageRoot(source))).size
