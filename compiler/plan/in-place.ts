/**
 * Results that may take the place of a value which their kernel reads for the last time: memory that is there already need
 * not be fetched to be written, as in the sum at the end of a residual block.
 *
 *     contract … out0[64*d0 + d1] = relu(sums + in2[64*d0 + d1])     out0 may lie where in2 does
 *
 * Only of products: what finishes one reads and writes every element of the result once, at one time.
 */
import { equalDims } from '../ir/dim.js'
import { equalIndex } from '../ir/expr.js'
import type { Node } from '../ir/graph.js'
import type { KernelProgram, Store } from '../ir/loop.js'
import { bytesOf } from '../ir/cost.js'
import { accessesIn, loadsIn, type Load } from '../schedule/walk.js'
import type { BoundBuffer, BoundKernel } from './plan-function.js'

/** For each written value of the arena, the values of it whose place it may take. */
export function replaceable({ program, bindings }: BoundKernel): ReadonlyMap<Node, ReadonlySet<Node>> {
  const held = bindings.filter(({ home }) => home.kind === 'arena')
  const mayReplace = (result: BoundBuffer, value: BoundBuffer): boolean =>
    !value.written && bindings.filter(({ node }) => node === value.node).length === 1 &&
    equalDims(bytesOf(result.node.type), bytesOf(value.node.type)) && isReadInPlace(program, value.buffer.name, result.buffer.name)
  return new Map(held.filter(({ written }) => written).map((result) => [result.node, new Set(held.filter((value) => mayReplace(result, value)).map(({ node }) => node))]))
}

/** Is every element of `value` read only where and before the same element of `result` is stored? */
function isReadInPlace({ body, chains }: KernelProgram, value: string, result: string): boolean {
  const [contract] = body
  if (chains.length > 0 || body.length !== 1 || contract?.kind !== 'contract') return false
  const { epilogue } = contract, stores = epilogue.filter((s): s is Store => s.kind === 'store' && s.buffer === result), [store] = stores
  if (store === undefined || stores.length > 1) return false
  const { loads, lookups } = accessesIn(body), before = epilogue.slice(0, epilogue.indexOf(store) + 1)
  const [everywhere, there] = [loads, loadsIn(before)].map((all) => all.filter(({ buffer }) => buffer === value)) as [Load[], Load[]]
  return everywhere.length === there.length && there.every(({ index }) => equalIndex(index, store.index)) && lookups.every(({ buffer }) => buffer !== value)
}
