/** Statements for several vectors side by side: each copy has locals and a place of its own. */
import { axisIndex, substituteIndex } from '../ir/expr.js'
import { VECTORS, type Stmt } from '../ir/loop.js'
import { renamed } from '../schedule/rename.js'
import { boundNames, mapIndices } from '../schedule/walk.js'

/** The statements for one vector, whose first lane lies at `axis`. */
export type Copy = { readonly axis: string; readonly body: readonly Stmt[] }

/** A name in copy `n`: in the first it stays what it is. */
export const inCopy = (name: string, n: number): string => (n === 0 ? name : `${name}_at${n}`)

export function copiesAbreast(axis: string, body: readonly Stmt[]): Copy[] {
  const bound = new Set([axis, ...boundNames(body)])
  return Array.from({ length: VECTORS }, (_, n) => {
    const own = (name: string): string => (bound.has(name) ? inCopy(name, n) : name)
    const moved = mapIndices(body, (index) => substituteIndex(index, (name) => axisIndex(own(name))))
    return { axis: own(axis), body: renamed(moved, { buffer: (name) => name, local: own }) }
  })
}

/** Statement by statement: the first of each, then the second of each. */
export const interleaved = <T>(copies: readonly (readonly T[])[]): T[] => copies[0]!.flatMap((_, i) => copies.map((copy) => copy[i]!))
