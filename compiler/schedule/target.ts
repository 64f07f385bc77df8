/** Facts about the targets that schedules use. Each has a list of schedules in `index.ts`. */
import { gpuRates, serverRates, widestVector, type Rates } from '../ir/cost.js'

/**
 * `combinesInProducts`: whether its products can end in more than one value from each sum: in what neighbouring rows
 * give together, or in sums of an operand's columns beside them.
 *
 * `startsTogether`: whether kernels that do not wait for each other start together. Then a number that is made of what several of
 * them give is not computed by the last, which would wait for the others (`passes/form-kernels.ts`), and small kernels share a
 * launch (`plan/launch-together.ts`).
 *
 * `sumsInSquares`: whether products over windows may be made with fewer multiplications (`schedule/window-squares.ts`).
 *
 * `readsBlocks`: whether its products read matrices in blocks of columns best (`plan/variable-layout.ts`); tiles of a GPU are cut
 * from rows as they are.
 */
export type CpuTarget = {
  readonly name: 'cpu'
  /** Lanes of float32 the widest level has; ranges given to threads are multiples of it. */
  readonly widestVector: number
  /** Elements of one block of the random stream: ranges that start at multiples of it waste no draw. */
  readonly randomBlock: number
  /** Work below which a range is not worth handing to another thread, in element operations (about 2 µs of one core). */
  readonly rangeWork: number
  readonly combinesInProducts: boolean
  readonly sumsInSquares: boolean
  readonly startsTogether: false
  readonly readsBlocks: boolean
  /** What work costs, for decisions and reports. */
  readonly rates: Rates
}

export type CudaTarget = {
  readonly name: 'cuda'
  /** Threads that a GPU can have at work, in order of size: with fewer items than that, several threads share one. */
  readonly threads: number
  /** Threads that give every multiprocessor some work: with fewer, none of them takes several elements at once. */
  readonly busyThreads: number
  /** Elements from which on a row is worth a warp, and a block: fewer leave its threads idle or busy with each other. */
  readonly warpRow: number
  readonly blockRow: number
  /** Blocks that keep all parts of a GPU busy. */
  readonly blocks: number
  /** Bytes that a GPU moves while it starts a kernel: with more, a launch of its own is no loss. */
  readonly leastAlone: number
  /** Bytes that may be kept in memory so that a kernel runs with a later one. */
  readonly mostKept: number
  readonly combinesInProducts: boolean
  readonly startsTogether: true
  readonly readsBlocks: boolean
  readonly rates: Rates
}

export type Target = CpuTarget | CudaTarget

export const cpu: CpuTarget = { name: 'cpu', widestVector, randomBlock: 64, rangeWork: 32768, combinesInProducts: true, sumsInSquares: true, startsTogether: false, readsBlocks: true, rates: serverRates }

/**
 * Of the size of an A100 or H100, about 100 to 130 multiprocessors of 2048 threads.
 *
 * Products end in one value of each sum. Rows that are finished together lie in the tiles of several threads, so that all sums
 * would be written and read once more, as many bytes as pooling by itself reads; and a column's total is made of what several
 * blocks see, so that it would be a launch of its own beside the product, where alone it shares one with others
 * (`plan/launch-together.ts`).
 */
export const cuda: CudaTarget = { name: 'cuda', threads: 1 << 18, busyThreads: 1 << 14, warpRow: 32, blockRow: 2048, blocks: 108, leastAlone: 4 << 20, mostKept: 1 << 20, combinesInProducts: false, startsTogether: true, readsBlocks: false, rates: gpuRates }
