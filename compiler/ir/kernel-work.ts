/** The work of one kernel, counted from its loops: operations on elements, of matrix products, and bytes moved. */
import { elementSize } from './element-type.js'
import { costlyOperations } from './cost.js'
import { addDims, floorDivideDims, multiplyDims, sizeOf, type Dim } from './dim.js'
import { extentOf, finishedRows, productsOfSquare, type Contract, type Expr, type KernelProgram, type Stmt } from './loop.js'

/** Worth `costlyOperations`: long chains of operations, each waiting for the one before. */
export const costlyCalls: ReadonlySet<string> = new Set(['exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid', 'pow'])

/** What following a list is worth besides its first element; how long the lists are is not known before a call. */
const followedWork = 8

/** Element operations; of a contraction its multiply-adds. */
export function statementWork(statement: Stmt): Dim {
  switch (statement.kind) {
    case 'for': return multiplyDims(statement.axis.extent, bodyWork(statement.body))
    case 'let': return exprWork(statement.value)
    case 'store': return addDims(1, exprWork(statement.value))
    case 'reduce': return multiplyDims(extentOf(statement.axes), addDims(bodyWork(statement.body), statement.results.map((r) => exprWork(r.value)).reduce(addDims, 0)))
    case 'argmax': return multiplyDims(statement.axis.extent, addDims(bodyWork(statement.body), exprWork(statement.value)))
    case 'follow': return addDims(followedWork, addDims(bodyWork(statement.body), exprWork(statement.value)))
    case 'contract': return [statement.m, statement.n, statement.k].map(extentOf).reduce<Dim>(multiplyDims, 1)
  }
}

export const bodyWork = (statements: readonly Stmt[]): Dim => statements.map(statementWork).reduce<Dim>(addDims, 0)

function exprWork(expr: Expr): Dim {
  switch (expr.kind) {
    case 'call': return expr.args.map(exprWork).reduce<Dim>(addDims, costlyCalls.has(expr.fn) ? costlyOperations : 1)
    case 'cast': return addDims(1, exprWork(expr.arg))
    case 'random': return 8
    case 'load': return 1
    case 'guard': return addDims(1, exprWork(expr.value))
    case 'lookup': return addDims(2, exprWork(expr.at))
    case 'const': case 'scalar': case 'dim': case 'local': case 'index': return 0
  }
}

/** Of sums in squares, as 16 for the four windows of 9 taps. */
function doneFlops(statement: Stmt): Dim {
  const squares = statement.kind === 'contract' ? statement.squares : null
  return squares === null ? contractionFlops(statement) : floorDivideDims(multiplyDims(contractionFlops(statement), productsOfSquare(squares)), 4 * squares.window[0] * squares.window[1])
}

/** `flops`: multiplications and additions that products are made with. `operations`: on elements, the ends of products included. */
export type KernelWork = { readonly read: Dim; readonly written: Dim; readonly flops: Dim; readonly operations: Dim }

/** Each buffer is read once as a whole, which is what a kernel must move that reuses all it has read; of one that is written, what is stored. */
export function kernelWork({ buffers, reads, writes, body }: KernelProgram): KernelWork {
  const read = buffers.filter((b) => reads.includes(b.name)).map((b) => multiplyDims(sizeOf(b.shape), elementSize[b.dtype])).reduce<Dim>(addDims, 0)
  const written = buffers.filter((b) => writes.includes(b.name)).map((b) => multiplyDims(storesOf(body, b.name), elementSize[b.dtype])).reduce<Dim>(addDims, 0)
  const ends = body.map((s) => (s.kind === 'contract' ? addDims(multiplyDims(multiplyDims(extentOf(finishedRows(s)), extentOf(s.n)), bodyWork(s.epilogue)), totalsWork(s)) : statementWork(s)))
  return { read, written, flops: body.map(doneFlops).reduce<Dim>(addDims, 0), operations: ends.reduce<Dim>(addDims, 0) }
}

/** Of the sums of the right operand, and of what is made of them. */
function totalsWork({ totals, n, k }: Contract): Dim {
  return totals === null ? 0 : multiplyDims(extentOf(n), addDims(extentOf(k), bodyWork(totals.epilogue)))
}

/** How many elements the statements store in a buffer. */
function storesOf(statements: readonly Stmt[], buffer: string): Dim {
  return statements.map((s): Dim => {
    switch (s.kind) {
      case 'store': return s.buffer === buffer ? 1 : 0
      case 'for': return multiplyDims(s.axis.extent, storesOf(s.body, buffer))
      case 'reduce': return multiplyDims(extentOf(s.axes), storesOf(s.body, buffer))
      case 'contract': return addDims(multiplyDims(multiplyDims(extentOf(finishedRows(s)), extentOf(s.n)), storesOf(s.epilogue, buffer)), multiplyDims(extentOf(s.n), storesOf(s.totals?.epilogue ?? [], buffer)))
      case 'let': case 'argmax': case 'follow': return 0
    }
  }).reduce<Dim>(addDims, 0)
}

/** Two for each multiply-add of a product as it is defined. */
export const contractionFlops = (statement: Stmt): Dim => (statement.kind === 'contract' ? multiplyDims(2, statementWork(statement)) : 0)
