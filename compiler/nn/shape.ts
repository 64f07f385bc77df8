/** Shapes as Keras' users see them: a number, or null where the size is only known when data comes. */
import { isStatic, symbol, type Dim, type Shape } from '../ir/dim.js'

export type KShape = readonly (number | null)[]

/** The symbol of the batch dimension in every compiled function. */
export const BATCH = symbol('B')

export const toKShape = (shape: Shape): KShape => shape.map((d) => (isStatic(d) ? d : null))

/** A symbolic shape of an input: the batch is `B`, other unknown sizes get symbols of their own. */
export const inputShape = (name: string, shape: KShape): Shape =>
  shape.map((d, axis): Dim => d ?? (axis === 0 ? BATCH : symbol(`${name.replaceAll(/\W/g, '_')}_${axis}`)))

/** Elements of a shape whose sizes are all known; null otherwise. */
export const sizeOfKShape = (shape: KShape): number | null =>
  shape.reduce<number | null>((product, d) => (product === null || d === null ? null : product * d), 1)

/** One thing, or a list of several: Keras' `unpack_singleton`. */
export const unpackSingleton = <T>(list: readonly T[]): T | T[] => (list.length === 1 ? list[0]! : [...list])
/** Keras' `to_list`. */
export const toList = <T>(x: T | readonly T[]): T[] => (Array.isArray(x) ? [...x] : [x as T])
