/**
 * The loop IR: a kernel is a tree of loops around scalar statements over buffers. Common to CPU and GPU: a schedule
 * decides how each axis runs (`mode`), an emitter prints it for its target. Expressions are per element; vectors are
 * the emitter's business.
 */
import type { ElementType } from './element-type.js'
import { sizeOf, type Dim, type Shape } from './dim.js'
import type { Provenance } from './graph.js'

/** A loop variable. Extents are expressions over the function's symbols. */
export type Axis = { readonly name: string; readonly extent: Dim }

export type StaticAxis = Axis & { readonly extent: number }

/** A sum of axis * stride, of rounded-down quotients, and an offset. */
export type Index = { readonly terms: readonly IndexTerm[]; readonly quotients: readonly IndexQuotient[]; readonly offset: Dim }
export type IndexTerm = { readonly axis: string; readonly stride: Dim }
/** floor(dividend / divisor) * stride, as where elements are repeated; the divisor is 2 or more. */
export type IndexQuotient = { readonly dividend: Index; readonly divisor: number; readonly stride: Dim }

/**
 * A buffer a kernel reads or writes: contiguous, and row-major to everyone but the emitter. Where it lives is the plan's
 * business. A `blocked` matrix is stored in blocks of `BLOCK_COLUMNS` columns, one after another, each row-major: indices
 * stay what they are, the emitter prints other addresses.
 */
export type Buffer = { readonly name: string; readonly dtype: ElementType; readonly shape: Shape; readonly blocked?: boolean }

/** `KCC_BLOCK_COLUMNS` of `native/include/kcc/abi.h`. */
export const BLOCK_COLUMNS = 64

/** Scalar functions every target can compute. Comparison and logic give `bool`. */
export type Intrinsic =
  | 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'max' | 'min' | 'neg' | 'abs' | 'sign' | 'floor'
  | 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'tanh' | 'sigmoid'
  /** `div` where a schedule proved the denominator far from zero and infinity (`schedule/bound-quotients.ts`). */
  | 'divBounded'
  | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'and' | 'or' | 'not' | 'select'

/** Holds from 0 to below `extent`. */
export type Bound = { readonly index: Index; readonly extent: Dim }

export type Expr =
  | { readonly kind: 'const'; readonly dtype: ElementType; readonly value: number }
  | { readonly kind: 'load'; readonly dtype: ElementType; readonly buffer: string; readonly index: Index }
  /**
   * The element of a buffer that lies `at * stride` beyond `index`, for an int32 `at` computed as the kernel runs; 0 where
   * `at` is not in [0, extent), so that no value of it can reach outside the buffer.
   */
  | { readonly kind: 'lookup'; readonly dtype: ElementType; readonly buffer: string; readonly index: Index; readonly at: Expr; readonly stride: Dim; readonly extent: Dim }
  /** `value` where all bounds hold, else `otherwise`; nothing of `value` is loaded elsewhere. */
  | { readonly kind: 'guard'; readonly dtype: ElementType; readonly bounds: readonly Bound[]; readonly value: Expr; readonly otherwise: number }
  /** A run-time scalar of the module. */
  | { readonly kind: 'scalar'; readonly dtype: 'float32'; readonly name: string }
  /** The index itself, as a number. */
  | { readonly kind: 'index'; readonly dtype: ElementType; readonly index: Index }
  /** The value of a dimension, as a number. */
  | { readonly kind: 'dim'; readonly dtype: ElementType; readonly dim: Dim }
  /** Uniform [0, 1) of element `index` of random stream `stream`. */
  | { readonly kind: 'random'; readonly dtype: 'float32'; readonly stream: number; readonly index: Index }
  | { readonly kind: 'call'; readonly dtype: ElementType; readonly fn: Intrinsic; readonly args: readonly Expr[] }
  | { readonly kind: 'cast'; readonly dtype: ElementType; readonly arg: Expr }
  /** A name bound by `let`, a reduction's result, or a contraction's accumulator. */
  | { readonly kind: 'local'; readonly dtype: ElementType; readonly name: string }

/** What a combination of nothing gives. */
export function nothingOf({ op, dtype }: { readonly op: ReduceOp; readonly dtype: ElementType }): number {
  switch (op) {
    case 'sum': return 0
    case 'prod': return 1
    case 'max': return dtype === 'float32' ? -Infinity : -(2 ** 31)
    case 'min': return dtype === 'float32' ? Infinity : 2 ** 31 - 1
  }
}

export type ReduceOp = 'sum' | 'max' | 'min' | 'prod'

/** Are elements added up? */
export const isAddition = ({ op }: { readonly op: ReduceOp }): boolean => op === 'sum'

/**
 * How an axis runs inside its kernel: one element after the other, or several at once in the lanes of a vector or of
 * `VECTORS` vectors (CPUs); shared out to all teams of threads of a grid, or among the threads of one team (GPUs, see `Launch`), each thread taking one element
 * at a time or `NEIGHBOURS` of them, which lie side by side.
 */
export type AxisMode = 'serial' | 'vector' | 'vector by 8' | 'grid' | 'grid by 4' | 'team' | 'team by 4'

/** Elements that a thread of a GPU takes at once: 16 bytes of float32, the widest access there is. `KCC_VW` of `native/include/kcc/cuda/vec.h`. */
export const NEIGHBOURS = 4

/** Vectors that a CPU takes at once, so that while one waits for a long chain of operations others go on. */
export const VECTORS = 8

/** Lanes of vectors hold neighbours along the axis. */
export const isInVectors = (mode: AxisMode): boolean => mode === 'vector' || mode === 'vector by 8'
export const isOverGrid = (mode: AxisMode): boolean => mode === 'grid' || mode === 'grid by 4'
export const isOverTeam = (mode: AxisMode): boolean => mode === 'team' || mode === 'team by 4'
export const isByNeighbours = (mode: AxisMode): boolean => mode === 'grid by 4' || mode === 'team by 4'

export type Stmt =
  | { readonly kind: 'for'; readonly axis: Axis; readonly mode: AxisMode; readonly body: readonly Stmt[] }
  | { readonly kind: 'let'; readonly name: string; readonly value: Expr; readonly from: Provenance }
  | { readonly kind: 'store'; readonly buffer: string; readonly index: Index; readonly value: Expr; readonly from: Provenance }
  /** Binds a name to each combination over `axes`, outermost first; what is inside runs for each element, and is common to all results. */
  | { readonly kind: 'reduce'; readonly results: readonly Combination[]; readonly axes: readonly Axis[]
      readonly modes: readonly AxisMode[]; readonly body: readonly Stmt[]; readonly from: Provenance }
  /** Index of the first largest value along one axis. */
  | { readonly kind: 'argmax'; readonly name: string; readonly axis: Axis; readonly mode: AxisMode; readonly body: readonly Stmt[]; readonly value: Expr; readonly from: Provenance }
  /** Binds `name` to the combination of `value` over the positions in row `row` of a chain, rising; `position` names their axis. */
  | { readonly kind: 'follow'; readonly name: string; readonly op: ReduceOp; readonly dtype: ElementType; readonly chain: string; readonly row: Index
      readonly position: string; readonly body: readonly Stmt[]; readonly value: Expr; readonly from: Provenance }
  | Contract

/** Writes one element. */
export type Store = Stmt & { readonly kind: 'store' }

/**
 * accumulator[m…, n…] = sum over k… of lhs(m…, k…) * rhs(k…, n…), in tiles. Rows, columns and the sum may each run over
 * several axes, outermost first. `lhs` and `rhs` are the prologue holes: usually plain loads, but any expression over
 * their axes. `epilogue` runs once per element with the local `accumulator` bound, over the axes of m and n, and does
 * the stores. Where rows are finished `together`, over the last axes of m, it runs once for all of them, over the other
 * axes, with one local bound for each (`accumulatorsOf`). `totals`, over the axes of n, is what is made of the sum of rhs over
 * k, without lhs: the gradient of a bias beside that of its kernel.
 */
export type Contract = {
  readonly kind: 'contract'
  readonly m: readonly Axis[]; readonly n: readonly Axis[]; readonly k: readonly Axis[]
  readonly lhs: Expr; readonly rhs: Expr
  readonly accumulator: string
  /** The last axes of m whose rows are finished together; most often none. */
  readonly together: readonly StaticAxis[]
  readonly totals: Totals | null
  /** The left operand's windows, where a CPU makes their sums square by square; null where each sum is made by itself. */
  readonly squares: Squares | null
  readonly epilogue: readonly Stmt[]
  readonly from: Provenance
}

/**
 * Windows of a few lines of a few pixels of `channels` neighbours, one pixel apart, at all places of pictures of `height` x `width`.
 * Their elements are the columns of the left operand, as in a convolution, or its rows, as in the gradient of a filter.
 */
export type Squares = {
  readonly height: number; readonly width: number; readonly channels: number
  /** Lines, and pixels of each. */
  readonly window: readonly [number, number]
  readonly along: 'columns' | 'rows'
}

/** Windows are multiplied in pieces of three or two lines and pixels, the larger first. */
export const piecesOf = (taps: number): readonly number[] => (taps <= 4 ? (taps === 4 ? [2, 2] : [taps]) : [3, ...piecesOf(taps - 3)])

/** Products that make the four sums of a square: one more than its taps for each piece in each direction. */
export const productsOfSquare = ({ window }: Pick<Squares, 'window'>): number =>
  window.map((taps) => piecesOf(taps).reduce((sum, piece) => sum + piece + 1, 0)).reduce((all, count) => all * count, 1)

/** The local `accumulator` holds the sum of a column of the right operand. */
export type Totals = { readonly accumulator: string; readonly epilogue: readonly Stmt[] }

/** How many rows are finished together. */
export const rowsTogether = ({ together }: Pick<Contract, 'together'>): number => together.reduce((count, { extent }) => count * extent, 1)

/** Names of the sums in an epilogue: one, or one for each of the rows that are finished together, the last axis fastest. */
export const accumulatorsOf = (contract: Pick<Contract, 'accumulator' | 'together'>): string[] =>
  contract.together.length === 0 ? [contract.accumulator] : Array.from({ length: rowsTogether(contract) }, (_, i) => `${contract.accumulator}${i}`)

/** Axes of the rows over which an epilogue runs. */
export const finishedRows = ({ m, together }: Pick<Contract, 'm' | 'together'>): readonly Axis[] => m.slice(0, m.length - together.length)

/** `name` holds all of `value` put together by `op`, from what `op` makes of nothing. */
export type Combination = { readonly name: string; readonly op: ReduceOp; readonly dtype: ElementType; readonly value: Expr }

/** How many iterations the axes have together. */
export const extentOf = (axes: readonly Axis[]): Dim => sizeOf(axes.map((axis) => axis.extent))

/**
 * Lists made in scratch memory before the loops run: for each row below `extent` the positions along `axis` where the int32
 * `at` is that row, rising. Positions whose `at` is no row are in no list.
 */
export type Chain = { readonly name: string; readonly axis: Axis; readonly at: Expr; readonly extent: Dim; readonly from: Provenance }

export type KernelProgram = {
  /** Unique in the function, made of the layer path and the main op. */
  readonly name: string
  readonly buffers: readonly Buffer[]
  /** Memory of its own, for what one statement of `body` leaves to the next. */
  readonly scratch: readonly Buffer[]
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly chains: readonly Chain[]
  readonly body: readonly Stmt[]
  /** One for each statement of `body`, whose outermost axes may run in independent ranges; null where a statement is one piece or divides itself. */
  readonly splits: readonly (Split | null)[]
  /** One for each statement of `body` when the kernel is mapped to a GPU: statements are started one after the other. Empty for a CPU. */
  readonly launches: readonly Launch[]
  /** No statement waits for another, and all are started as one: `schedule/side-by-side.ts`. */
  readonly isAtOnce: boolean
  readonly from: Provenance
}

/**
 * How threads of a GPU share a statement. `teams`: outermost loops are of mode `grid`, and each of their items is the work of a
 * team. Of teams `by row` neighbouring threads are of one team: one thread, a warp (32), or a block (256). Of teams `by column`
 * they are of neighbouring items: a block of 256 threads has 32 items side by side in teams of 8, or 8 in teams of 32. `tiles`: a block computes `rows` by `columns` results of a contraction,
 * `depth` terms of the sum at a time. With more than one of `parts`, blocks share the terms of a tile too: what they find is kept
 * in scratch memory (`KEPT_SUMS`), part by part, and added in order of the parts before the epilogue. Their arithmetic is that of
 * the operands' type: multiply-adds of float32, or tensor cores, which take operands of fewer digits and add in float32. Where the operands lie in
 * memory as matrices, or one of them as what windows slide over, a library of the GPU's vendor may be asked `instead`; which is done is measured on the GPU itself.
 */
export type Launch = Teams | Tiles
export type Teams = { readonly kind: 'teams'; readonly threads: TeamSize; readonly by: 'row' | 'column' }
export type Tiles = { readonly kind: 'tiles'; readonly rows: number; readonly columns: number; readonly depth: number; readonly parts: number; readonly arithmetic: Arithmetic
  readonly instead: LibraryCall | null }

/**
 * What a library of a GPU's vendor does in place of tiles. `into` takes the product, row by row: a buffer that the epilogue
 * stores each sum's result to, or memory of the library's own (null). `end` is the epilogue, where the library has just that: a
 * bias of each column, and the larger of a result and 0. Without it the epilogue is a launch of its own, over what `into` holds.
 * Operands that are rounded as they are read are `rounded` first, into memory of the library's own.
 *
 * `over` says what the left operand is to the library: a matrix as the right one; windows that slide over an array, one for each row
 * of the product; or the same with a window for each term, which makes the gradient of a filter. A filter that windows are
 * multiplied with is always put in the library's order first, and one that is made comes in that order, for an end to read.
 */
export type LibraryCall = { readonly over: LibraryOperand; readonly rounded: readonly OperandName[]; readonly into: string | null; readonly end: LibraryEnd | null }
export const libraryOperands = ['matrices', 'windows as rows', 'windows as terms'] as const
export type LibraryOperand = (typeof libraryOperands)[number]
export type OperandName = 'lhs' | 'rhs'
export type LibraryEnd = { readonly bias: string | null; readonly relu: boolean }

export type Arithmetic = 'fma' | 'tf32' | 'bf16'

/** What multiplies operands of this type. */
export const arithmeticOf = (operand: ElementType): Arithmetic => (operand === 'tfloat32' ? 'tf32' : operand === 'bfloat16' ? 'bf16' : 'fma')
export type TeamSize = 1 | 8 | 32 | 256

/** Threads of a block of teams. */
export const BLOCK_THREADS = 256

/**
 * How the outermost axes, together, are cut into ranges. They depend on these numbers alone, never on the thread count: a
 * range is a multiple of `multiple` items and is worth about `rangeWork` (`schedule/target.ts`).
 */
export type Split = { readonly axes: readonly Axis[]; readonly workPerItem: Dim; readonly multiple: number }
