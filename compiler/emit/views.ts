/** The typed views the templates are rendered from. Every field is always there; templates decide nothing. */
import type { CLine } from './c-stmt.js'

export type FieldView = { readonly type: string; readonly name: string }

export type KernelView = {
  readonly name: string
  readonly fields: readonly FieldView[]
  /** Declarations that bring the fields and random streams into scope. */
  readonly prelude: readonly string[]
  /** It is started on a stream of a GPU. */
  readonly queued: boolean
}

/** Loops that run one after the other. `ranged`: those outside run from item `begin` to `end`. */
export type NestView = {
  readonly ranged: boolean
  readonly extent: string
  readonly items: string
  readonly body: readonly CLine[]
}

/** A kernel of plain loops. */
export type LoopKernelView = KernelView & {
  /** Calls that make the lists in the workspace, before the loops. */
  readonly chains: readonly string[]
  readonly nests: readonly NestView[]
}

/** A loop whose items are shared out to teams of threads. */
export type TeamsView = {
  /** The class of the teams. */
  readonly team: string
  /** Teams in a block. */
  readonly teams: number
  readonly items: string
  /** Declarations of the loops' axes from the number of an item. */
  readonly places: readonly string[]
  readonly body: readonly CLine[]
}

/** A contraction for a GPU: the axes of a result's row and column from their numbers, and what stands in the holes. */
export type TilesView = Pick<KernelView, 'name' | 'prelude'> & {
  /** A type of `multiply.h` or `multiply-mma.h`. */
  readonly tile: string
  readonly m: string
  readonly n: string
  readonly k: string
  readonly rows: number
  readonly columns: number
  readonly depth: number
  /** Blocks that a multiprocessor must have room for, in registers. */
  readonly resident: number
  /** The buffer in which sums wait to be finished, of so many parts each; null when the block that makes a sum finishes it. */
  readonly kept: string | null
  readonly parts: number
  /** Rows that are finished together, and their sums by name. */
  readonly together: number
  readonly accumulators: readonly { readonly name: string; readonly row: number }[]
  /** Neighbouring results that are finished at once, and the type of so many. */
  readonly finished: number
  readonly result: string
  readonly column: string
  /** The axes of rows over which the epilogue runs. */
  readonly group: string
  readonly operands: readonly OperandHoleView[]
  readonly epilogue: readonly CLine[]
  /** The same as a library could compute it; null where none can. */
  readonly library: ProductView | null
}

/** Fields of `kcc::MatrixProduct` (`native/include/kcc/cuda/product.h`). */
export type ProductView = {
  /** Fields of `kcc::Factor`. */
  readonly left: string
  readonly right: string
  /** Of `kcc::Over`, and fields of `kcc::Windows`. */
  readonly over: string
  readonly windows: string
  readonly operands: string
  readonly format: string
  readonly into: string
  readonly stride: string
  readonly ended: boolean
  readonly bias: string
  readonly relu: boolean
  /** The sum of `row` and `column` for the kernel's own end, from where the product lies. */
  readonly sum: string
  /** Kernels that copy operands, rounded or in another order, and the type in which they lie then. */
  readonly copies: readonly CopyView[]
}
export type CopyView = { readonly kernel: string; /** Is it the left operand? */ readonly left: boolean; readonly type: string; readonly part: TeamsView }

/** An operand of such a contraction: the places of a line and of a term on its axes, from their numbers, and what is there. */
export type OperandHoleView = {
  readonly name: string
  readonly type: string
  readonly line: string
  readonly term: string
  /** Declarations of the axes from the places. */
  readonly axes: readonly string[]
  readonly value: string
}

/** A kernel for a GPU: lists, then products, then loops, each started after the one before. */
export type DeviceKernelView = KernelView & {
  readonly sizes: readonly string[]
  readonly chains: readonly { readonly kernel: string; readonly call: string }[]
  readonly products: readonly TilesView[]
  /** Launches, each of one statement, or of several that do not wait for each other. */
  readonly nests: readonly { readonly kernel: string; readonly parts: readonly TeamsView[] }[]
}

export type KernelsUnitView = {
  readonly includes: readonly string[]
  readonly kernels: readonly KernelView[]
  readonly texts: readonly string[]
}

/** `lap`: the statement that keeps the time at its end; null where none is wanted. */
export type LaunchView = { readonly comment: string; readonly kernel: string; readonly args: string; readonly queued: boolean; readonly lap: string | null }
export type SpecialView = { readonly condition: string; readonly function: string }
export type FunctionView = {
  readonly name: string
  readonly identifier: string
  readonly dims: readonly string[]
  readonly slots: readonly { readonly name: string; readonly start: string }[]
  readonly arena: string
  readonly pointers: readonly FieldView[]
  readonly launches: readonly LaunchView[]
  /** Fixed-size variants tried first. */
  readonly specials: readonly SpecialView[]
  readonly listed: boolean
  /** Writes the times of its kernels into a file itself; those of a GPU are written by its driver. */
  readonly timed: boolean
  readonly inputs: number
  readonly outputs: number
  readonly usesRandom: number
  readonly updates: number
  /** It tells how large its tensors are, to a host that copies them to a device. */
  readonly sized: boolean
  /** Bytes of the inputs, then of the outputs. */
  readonly tensors: readonly string[]
}
export type ModuleView = {
  readonly name: string
  /** Headers for the times of kernels. */
  readonly timing: readonly string[]
  readonly identifier: string
  readonly kernels: readonly KernelView[]
  readonly functions: readonly FunctionView[]
  readonly variableBytes: readonly number[]
  /** Columns of the variables that are stored in blocks, 0 for the others. */
  readonly blockedColumns: readonly number[]
  readonly scalars: readonly string[]
  readonly functionCount: number
  readonly variableCount: number
  readonly scalarCount: number
  readonly dimCount: number
}
export type RegistryView = { readonly modules: readonly { readonly identifier: string }[] }
