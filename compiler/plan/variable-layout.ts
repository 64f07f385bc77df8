/**
 * Which variables are stored in blocks of columns instead of by rows (`Buffer.blocked`). A product reads its right operand
 * in panels of columns, and an optimizer that follows a product updates a matrix in tiles of a panel. By rows both touch
 * short runs far apart, which no hardware fetches ahead; in blocks they run through memory once, in order.
 *
 * The kernel of a convolution is such a matrix too, of as many columns as filters.
 *
 * A variable is one value for all functions of a module, so the layout is chosen from all its uses: every one must be
 *
 *     the right operand of a contraction, as it is or transposed      rhs  in1[512*k + d1]   or   in1[512*d1 + k]
 *     an element at the place of the result, in the epilogue          in2[512*d0 + d1]
 *
 * A variable with another use stays by rows. Hosts see rows in any case: they are converted at `setVariable` and `getVariable`.
 */
import { equalDims, isStatic, sizeOf, type Dim } from '../ir/dim.js'
import { constIndex } from '../ir/expr.js'
import { BLOCK_COLUMNS, type Axis, type Buffer, type Contract, type Expr, type Index, type KernelProgram, type Stmt } from '../ir/loop.js'
import { joinAxes } from '../schedule/join-axes.js'
import type { BoundBuffer, BoundKernel, PlannedFunction } from './plan-function.js'

/** Smaller matrices stay in the first cache, where runs do not matter. */
const LEAST_ELEMENTS = 1 << 14
const LEAST_ROWS = 32

/** Names of the variables that are stored in blocks, by all their uses in all functions of a module. */
export function blockedVariables(functions: readonly PlannedFunction[]): ReadonlySet<string> {
  const fits = new Map<string, boolean>()
  for (const { program, bindings } of functions.flatMap((f) => f.kernels)) {
    for (const { buffer, home } of bindings) {
      if (home.kind === 'variable') fits.set(home.name, (fits.get(home.name) ?? true) && isLarge(buffer) && isUsedInTiles(program, buffer))
    }
  }
  return new Set([...fits].filter(([, fit]) => fit).map(([name]) => name))
}

/** The function with the buffers of these variables marked. */
export function withBlocked(planned: PlannedFunction, blocked: ReadonlySet<string>): PlannedFunction {
  return { ...planned, kernels: planned.kernels.map((kernel) => markKernel(kernel, ({ home }) => home.kind === 'variable' && blocked.has(home.name))) }
}

function markKernel(kernel: BoundKernel, isBlocked: (bound: BoundBuffer) => boolean): BoundKernel {
  if (!kernel.bindings.some(isBlocked)) return kernel
  const bindings = kernel.bindings.map((bound) => (isBlocked(bound) ? { ...bound, buffer: { ...bound.buffer, blocked: true } } : bound))
  const marked = new Map(bindings.map(({ buffer }) => [buffer.name, buffer]))
  return { ...kernel, bindings, program: { ...kernel.program, buffers: kernel.program.buffers.map((b) => marked.get(b.name) ?? b) } }
}

function isLarge({ dtype, shape }: Buffer): boolean {
  const rows = sizeOf(shape.slice(0, -1)), columns = shape.at(-1)
  if (dtype !== 'float32' || shape.length < 2 || columns === undefined || !isStatic(rows) || !isStatic(columns)) return false
  return columns % BLOCK_COLUMNS === 0 && columns > BLOCK_COLUMNS && rows >= LEAST_ROWS && rows * columns >= LEAST_ELEMENTS
}

function isUsedInTiles({ body, chains }: KernelProgram, { name, shape }: Buffer): boolean {
  const [contract] = body
  if (chains.length > 0 || body.length !== 1 || contract?.kind !== 'contract') return false
  const columns = shape.at(-1)!
  return !mentions(contract.lhs, name) && isPlainOperand(contract, name, columns) && [...contract.epilogue, ...(contract.totals?.epilogue ?? [])].every((s) => isElementwise(s, contract, name, columns))
}

/** Not the right operand, or it as it lies in memory. */
function isPlainOperand({ rhs, k, n }: Contract, name: string, columns: Dim): boolean {
  if (!mentions(rhs, name)) return true
  return rhs.kind === 'load' && (isMatrix(rhs.index, k, n, columns) || isMatrix(rhs.index, n, k, columns))
}

/** Some axes run as one over the rows of the matrix, others over its columns. */
function isMatrix(index: Index, rows: readonly Axis[], columns: readonly Axis[], stride: Dim): boolean {
  const [row, column] = [joinAxes(rows, [index]), joinAxes(columns, [index])]
  const { terms, quotients, offset } = column.without(row.without(index))
  return offset === 0 && quotients.length === 0 && terms.length === 2 && row.axes.length === 1 && column.axes.length === 1 &&
    terms.some((t) => t.axis === row.axes[0]!.name && equalDims(t.stride, stride)) && terms.some((t) => t.axis === column.axes[0]!.name && t.stride === 1)
}

/** Loads and stores of the buffer are at the place of the result, where a vector never leaves its block. */
function isElementwise(statement: Stmt, { m, n }: Contract, name: string, columns: Dim): boolean {
  if (statement.kind !== 'let' && statement.kind !== 'store') return false
  const stored = statement.kind === 'store' && statement.buffer === name ? [statement.index] : []
  return [...stored, ...indicesOf(statement.value, name)].every((index) => isMatrix(index, m, n, columns))
}

const mentions = (expr: Expr, name: string): boolean => indicesOf(expr, name).length > 0

/** Stands for a place known only as the kernel runs: that of no matrix element. */
const computedPlace: Index = constIndex(0)

/** Indices of all loads of a buffer. */
function indicesOf(expr: Expr, name: string): readonly Index[] {
  switch (expr.kind) {
    case 'load': return expr.buffer === name ? [expr.index] : []
    case 'guard': return indicesOf(expr.value, name).map(() => computedPlace)
    case 'lookup': return [...(expr.buffer === name ? [computedPlace] : []), ...indicesOf(expr.at, name)]
    case 'call': return expr.args.flatMap((arg) => indicesOf(arg, name))
    case 'cast': return indicesOf(expr.arg, name)
    case 'const': case 'scalar': case 'index': case 'dim': case 'random': case 'local': return []
  }
}
