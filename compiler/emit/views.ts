/** The typed views the templates are rendered from. Every field is always there; templates decide nothing. */
import type { CLine } from './c-stmt.js'

export type FieldView = { readonly type: string; readonly name: string }

export type KernelView = {
  readonly name: string
  readonly fields: readonly FieldView[]
  /** Declarations that bring the fields and random streams into scope. */
  readonly prelude: readonly string[]
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

export type KernelsUnitView = {
  readonly includes: readonly string[]
  readonly kernels: readonly KernelView[]
  readonly texts: readonly string[]
}

/** `timed`: the time at its end is kept. */
export type LaunchView = { readonly comment: string; readonly kernel: string; readonly args: string; readonly timed: boolean }
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
  /** Writes the times of its kernels into a file. */
  readonly timed: boolean
  readonly inputs: number
  readonly outputs: number
  readonly usesRandom: number
  readonly updates: number
}
export type ModuleView = {
  readonly name: string
  readonly timed: boolean
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
