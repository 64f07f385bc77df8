/** One random function in all its forms and at several batch sizes. */
import type { TypedArray } from '../../runtime/contract/dtype.js'
import type { DimEnv } from '../../compiler/ir/dim.js'
import { interpret, type RunResult } from '../../compiler/ops/interpret.js'
import { boundedResults, compareBounded, type Bounded } from '../compiled/error-bound.js'
import type { CallResults, NativeFunctions } from '../compiled/native-functions.js'
import { formsOf, nameOf, type FuzzCase } from './fuzz-cases.js'

/** What was compared so far, and how close it came to its bounds. */
export type Tally = { elements: number; unknown: number; worst: number; worstFusion: number }

export const usualBatches: readonly number[] = [1, 3, 17]
/** A batch at which kernels are cut into ranges. */
const wideBatch = 600

/** @throws Error saying which value is wrong. */
export function checkFunction(c: FuzzCase, native: NativeFunctions, tally: Tally, batches = usualBatches): void {
  for (const B of c.seed % 8 === 5 ? [0, ...batches] : batches) checkAt(c, { B }, native, tally)
  checkThreads(c, native)
}

const callAt = (c: FuzzCase, native: NativeFunctions, form: ReturnType<typeof formsOf>[number], dims: DimEnv): CallResults =>
  native.call(nameOf(c, form), { ...c.values(dims), scalars: { s: 0.5 }, dims, seed: c.seed, step: 7 })

function checkAt(c: FuzzCase, dims: DimEnv, native: NativeFunctions, tally: Tally): void {
  const run = { ...c.values(dims), scalars: { s: 0.5 }, dims, seed: c.seed, step: 7 }
  // The bounds are those of the function that is compiled; the values those of what it means.
  const plain = flat(interpret(c.meaning, { ...run, precision: 'f64' }))
  const bounded = Object.fromEntries(Object.entries(boundedResults(c.optimized, run)).map(([name, { value, error }]) =>
    [name, { value: { shape: value.shape, data: plain[name]! }, error }] as const))
  const results = formsOf(c).map((form) => ({ form, values: callAt(c, native, form, dims) }))
  for (const { form, values } of results) {
    for (const [name, bound] of Object.entries(bounded)) expectWithin(`B = ${dims['B']}, ${form}: ${name}`, values[name]!, bound, tally)
  }
  const [fused, unfused] = results
  for (const [name, bound] of Object.entries(bounded)) expectClose(`B = ${dims['B']}: ${name}`, fused!.values[name]!, unfused!.values[name]!, bound, tally)
}

const flat = ({ outputs, updates }: RunResult): Record<string, Float64Array> => Object.fromEntries([
  ...Object.entries(outputs).map(([name, t]) => [name, t.data] as const), ...Object.entries(updates).map(([name, t]) => [`new ${name}`, t.data] as const),
])

function expectWithin(what: string, actual: TypedArray, bound: Bounded, tally: Tally): void {
  const { worst, at, unknown } = compareBounded(actual, bound)
  tally.elements += actual.length
  tally.unknown += unknown
  if (worst > 1) throw new Error(`${what}[${at}] of ${actual.length} is ${actual[at]}, expected ${bound.value.data[at]} ± ${bound.error[at]}`)
  tally.worst = Math.max(tally.worst, worst)
}

/** Both forms round the same operations: they are no further apart than one of them may be from the exact result. */
function expectClose(what: string, fused: TypedArray, unfused: TypedArray, { value, error }: Bounded, tally: Tally): void {
  const { worst, at } = compareBounded(fused, { value: { shape: value.shape, data: Float64Array.from(unfused) }, error })
  if (worst > 1) throw new Error(`${what}[${at}]: fused ${fused[at]}, unfused ${unfused[at]}, bound ${error[at]}`)
  tally.worstFusion = Math.max(tally.worstFusion, worst)
}

function checkThreads(c: FuzzCase, native: NativeFunctions): void {
  const dims = { B: c.seed % 4 === 1 ? wideBatch : 17 }
  const runs = [1, 2, 3].map((threads) => { native.addon.setThreads(threads); return callAt(c, native, 'fused', dims) })
  native.addon.setThreads(0)
  for (const [i, run] of runs.entries()) {
    for (const [name, values] of Object.entries(run)) {
      if (!sameBits(values, runs[0]![name]!)) throw new Error(`B = ${dims.B}: ${name} with ${i + 1} threads differs from that with one`)
    }
  }
}

const bytesOf = (array: TypedArray): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength)
const sameBits = (a: TypedArray, b: TypedArray): boolean => bytesOf(a).equals(bytesOf(b))
