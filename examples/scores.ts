/** Results of `evaluate` and `predict` in the form in which one reads them. */
import type { ArrayResult } from 'kcc'

/** The numbers of `evaluate`, which gives one number where there is only a loss. */
export const scores = (result: number | readonly number[]): readonly number[] => (typeof result === 'number' ? [result] : result)

/** The first output of `predict`, which gives a list where there are several. */
export const first = (result: ArrayResult | readonly ArrayResult[]): ArrayResult => ('data' in result ? result : result[0]!)
