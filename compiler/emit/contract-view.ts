/**
 * What the emitter of contractions needs to know about one contraction, and what it gives back. Everything is C++ text:
 * the loop IR's expressions were already printed by the caller, over names that `frame.prelude` brings into scope.
 */
import type { Dim } from '../ir/dim.js'
import type { Axis, Squares } from '../ir/loop.js'
import type { SourceFile } from './sources.js'

/**
 * result(m, n) = sum over k of lhs(m, k) * rhs(k, n), float32. The sum of every element is one chain of fused
 * multiply-adds in the order of k, or for some long sums several, added in an order that the sizes fix: results do not
 * depend on the tile, the thread or the row.
 */
export type ContractView = {
  /** C identifier, unique in the translation unit; every function made begins with it. */
  readonly name: string
  readonly m: Dim
  readonly n: Dim
  readonly k: Dim
  /** Rows are m, columns are k. */
  readonly lhs: Operand
  /** Rows are k, columns are n. */
  readonly rhs: Operand
  readonly epilogue: Epilogue
  /** The end of the sums of each column of rhs, which must be a matrix in memory by rows; its rows are one. Null: they are not wanted. */
  readonly totals: Epilogue | null
  /** Of a left operand in runs: what windows they are, where sums are made square by square. */
  readonly squares: Squares | null
  readonly frame: Frame
}

/** The surroundings of a kernel: `static void <name>(const <argsType>& args)`. */
export type Frame = {
  readonly argsType: string
  /**
   * Statements, valid where `args` is in scope, that declare every name used by operands, epilogue and dimensions
   * (the symbols as `int64_t`). Printed at the head of each function; unused names must not be errors.
   */
  readonly prelude: readonly string[]
  /** C expression of type `kcc_pool*`, may be NULL. */
  readonly pool: string
  /** C expression of type `char*`: `contractWorkspace(...)` bytes, 64-byte aligned, free during this kernel. */
  readonly workspace: string
}

export type Operand = DirectOperand | ComputedOperand | RunsOperand

/**
 * Element (row, column) lies at `pointer[row * rowStride + column * columnStride]`. One of the strides is 1. Where
 * `block` is not 0 (right operands only), the axis of stride 1 is in blocks of `BLOCK_COLUMNS`, that many floats apart.
 */
export type DirectOperand = {
  readonly kind: 'direct'
  /** C expression of type `const float*`. */
  readonly pointer: string
  readonly rowStride: Dim
  readonly columnStride: Dim
  readonly block: Dim
}

/** A prologue hole: blocks of the operand are computed as they are needed, into buffers of the thread. */
export type ComputedOperand = {
  readonly kind: 'computed'
  /** Whose last axis has neighbours that lie next to each other in what is read; computing runs along it. */
  readonly along: 'row' | 'column'
  /** Axes of the rows and of the columns, outermost first: names of `int64_t` variables in scope. */
  readonly rows: readonly Axis[]
  readonly columns: readonly Axis[]
  /**
   * Prints statements that set `result`, a `kcc::vf` declared already, to KCC_VW consecutive elements along that axis,
   * of which `lanes` are real (an int C expression), or all of them when `lanes` is null. Lanes that are not real may
   * hold anything, but their memory must not be touched. Names made inside are in a scope of their own.
   */
  readonly vector: (at: OperandHole) => readonly string[]
}

/**
 * A left operand that lies in memory in runs of neighbours, as the windows of a convolution do: it is read where it is.
 * Runs lie along the last axis of one side; the axes of the other side and the others of that one say where each begins.
 */
export type RunsOperand = {
  readonly kind: 'runs'
  /** The side along which runs lie: 'column' along the sum, 'row' along the rows. */
  readonly along: 'row' | 'column'
  /** Axes of the other side, outermost first: names of `int64_t` variables in scope. */
  readonly lines: readonly Axis[]
  /** Axes of the runs, outermost first, of static extents, without the one they lie along, and that one's extent. */
  readonly runs: readonly (Axis & { readonly extent: number })[]
  readonly length: number
  /** C expression of type `const float*`. */
  readonly pointer: string
  /** Where a run begins beyond it, a C expression over all of these axes. */
  readonly start: string
  /** What a step of the last axis of the lines adds to that; null where steps differ, or where `inside` may hold with a gap. */
  readonly step: Dim | null
  /** C expression that holds where the run is inside of what there is; null where all are. Elsewhere there are zeros. */
  readonly inside: string | null
}

export type OperandHole = { readonly lanes: string | null; readonly result: string }

/**
 * Prints the statements that finish KCC_VW consecutive elements along the last axis of the columns: applied exactly once
 * per element, after the sum is complete. Printed twice, with `lanes` null (all real) and with a count of 1..KCC_VW-1.
 */
export type Epilogue = {
  /**
   * Axes of the rows and of the columns, outermost first: names of `int64_t` variables in scope. Rows that are finished
   * together count as one.
   */
  readonly rows: readonly Axis[]
  readonly columns: readonly Axis[]
  /** The result has a single column, along whose rows the lanes run: `rows` are that column, `columns` the rows. */
  readonly turned?: boolean
  /** Names of the `const kcc::vf` that hold the finished sums: of a row, or of each of the neighbouring rows that are finished together. */
  readonly accumulators: readonly string[]
  /** `lanes` is a C expression of type int, or null when all lanes are real. */
  readonly tile: (at: { readonly lanes: string | null }) => readonly string[]
  /** Large buffers of the result's shape that the epilogue reads (weights, slots): fetched ahead. At most four are used. */
  readonly reads?: readonly TouchedBuffer[]
  /** Buffers of the result's shape that it writes: at most two are used. */
  readonly writes?: readonly WrittenBuffer[]
}

/** Like `TouchedBuffer`, of elements of any size. */
export type WrittenBuffer = TouchedBuffer & { readonly elementBytes: number }

/** Element (row, column) lies at `pointer[row * rowStride + column]`, or in blocks as above; `pointer` is a C expression of type `const float*`. */
export type TouchedBuffer = { readonly pointer: string; readonly rowStride: Dim; readonly block: Dim }

export type ContractCode = {
  /** Headers below native/include the text needs. */
  readonly includes: readonly string[]
  /** Units that must be part of the native file, once, however many contractions it has. */
  readonly sources: readonly SourceFile[]
  /** The functions of this contraction; the entry point is `void <name>(const <argsType>& args)`. */
  readonly text: string
}
