/** What the runners of single functions share: each case is a function or two of one module. */
import type { FileArray } from '../../compiler/files/file-array.js'
import type { Node } from '../../compiler/ir/graph.js'
import { input } from '../../compiler/ops/build.js'
import { Unsupported, type GoldenCase, type Prepared } from './case.js'
import type { FunctionGroup, NativeBatch } from './native-batch.js'
import { camelCase } from './python-call.js'
import { flatNumbers, nestedShape } from './vectors.js'

/** Where no tolerance is given. */
export const defaultTolerance = { rtol: 1e-4, atol: 1e-5 }

export const leaf = (name: string, shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): Node => input(name, { dtype, shape })

/** A nested list of a vector as an array. */
export function arrayOf(x: unknown): FileArray {
  return { dtype: 'float32', shape: nestedShape(x), data: Float32Array.from(flatNumbers(x)) }
}

/** `found[name]` in any spelling. @throws Unsupported */
export function exported<T>(space: object, kind: string, name: string): T {
  const camel = camelCase(name)
  const pascal = camel.charAt(0).toUpperCase() + camel.slice(1)
  const key = [name, camel, pascal].find((k) => k in space)
  if (key === undefined) throw new Unsupported(`${kind} ${name}`)
  return (space as Record<string, T>)[key]!
}

/** A name for each of several cases of one text. */
export function numberedNames<T>(items: readonly T[], nameOf: (item: T) => string): { item: T; name: string }[] {
  const seen = new Map<string, number>()
  return items.map((item) => {
    const base = nameOf(item)
    const n = (seen.get(base) ?? 0) + 1
    seen.set(base, n)
    return { item, name: n === 1 ? base : `${base} #${n}` }
  })
}

/** Cases whose functions share one group of the batch. */
export function groupedCases<T>(items: readonly T[], nameOf: (item: T) => string, required: (item: T) => boolean, prepare: (item: T, group: FunctionGroup) => Prepared): GoldenCase[] {
  let at: { batch: NativeBatch; group: FunctionGroup } | null = null
  const groupOf = (batch: NativeBatch): FunctionGroup => (at?.batch === batch ? at : (at = { batch, group: batch.group() })).group
  return numberedNames(items, nameOf).map(({ item, name }) => ({ name, required: () => required(item), prepare: (batch) => prepare(item, groupOf(batch)) }))
}
