/**
 * What work costs: the model by which fusion decides what is stored and what is computed again, and by which
 * `kcc inspect --fusion` says what a kernel should take. A kernel moves bytes while it computes; the slower of the two is
 * its time.
 */
import { elementSize } from './element-type.js'
import { evaluateDim, multiplyDims, sizeOf, symbolsOf, type Dim, type DimEnv } from './dim.js'
import type { TensorType } from './graph.js'

/** Speeds of a machine with all its threads. Decisions depend on their ratios. */
export type Rates = {
  /** Bytes read or written in a nanosecond, of values too large for a cache. */
  readonly bytesPerNs: number
  /** Cheap operations on elements in a nanosecond, in vectors. */
  readonly operationsPerNs: number
  /** Multiplications and additions of matrix products in a nanosecond. */
  readonly flopsPerNs: number
}

/** A server's two threads: 24 GB/s, vectors of 16 elements at about 3 GHz. */
export const serverRates: Rates = { bytesPerNs: 24, operationsPerNs: 96, flopsPerNs: 330 }

/** A data centre's GPU, float32 without tensor cores: 2 TB/s, a result of each of about 10^4 units at 1.4 GHz. */
export const gpuRates: Rates = { bytesPerNs: 2000, operationsPerNs: 9700, flopsPerNs: 19500 }

/** Elements of float32 in the longest vector of any CPU level. */
export const widestVector = 16

/** Cheap operations that a transcendental function or a random number is worth. */
export const costlyOperations = 16

export const bytesOf = ({ dtype, shape }: TensorType): Dim => multiplyDims(sizeOf(shape), elementSize[dtype])

/** Stands for a size that only the data has where sizes are compared. Decisions depend on it, results never. */
export const referenceSize = 128

/** The value of a dimension when all that is not known is `referenceSize`. */
export const atReference = (dim: Dim): number => evaluateDim(dim, referenceSizes(dim))

const referenceSizes = (dim: Dim): DimEnv => Object.fromEntries(symbolsOf(dim).map((name) => [name, referenceSize]))

/** Numbers for one size of the batch. */
export type Work = { readonly bytes: number; readonly flops: number; readonly operations: number }
export type Expectation = { readonly nanoseconds: number; readonly bound: 'memory' | 'arithmetic' }

/** How long work takes at best, and what it waits for. */
export function expectedTime({ bytes, flops, operations }: Work, rates: Rates): Expectation {
  const memory = bytes / rates.bytesPerNs, arithmetic = flops / rates.flopsPerNs + operations / rates.operationsPerNs
  return memory > arithmetic ? { nanoseconds: memory, bound: 'memory' } : { nanoseconds: arithmetic, bound: 'arithmetic' }
}

/**
 * Of a machine that was measured: a vector operation takes as long as a multiply-add in float32, of which two may run at once.
 * @param productsPerSecond of products, where other units compute them
 */
export const measuredRates = (bytesPerSecond: number, flopsPerSecond: number, productsPerSecond = flopsPerSecond): Rates =>
  ({ bytesPerNs: bytesPerSecond / 1e9, flopsPerNs: productsPerSecond / 1e9, operationsPerNs: flopsPerSecond / 4e9 })
