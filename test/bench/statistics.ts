/** The middle of some measurements and the range of the middle half. */
export type Summary = { readonly median: number; readonly q1: number; readonly q3: number; readonly rounds: number }

/** Linear interpolation between neighbours, as numpy's default. @param part in [0, 1] */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = part * (sorted.length - 1), low = Math.floor(at)
  const below = sorted[low] ?? NaN, above = sorted[low + 1] ?? below
  return below + (above - below) * (at - low)
}

export const summarize = (values: readonly number[]): Summary =>
  ({ median: quantile(values, 0.5), q1: quantile(values, 0.25), q3: quantile(values, 0.75), rounds: values.length })
