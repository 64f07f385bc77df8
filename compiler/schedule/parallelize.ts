/** Offers the outermost loop of a kernel for splitting into ranges, with what one item of it costs. */
import { addDims, multiplyDims, type Dim } from '../ir/dim.js'
import { extentOf, type Expr, type KernelProgram, type Stmt } from '../ir/loop.js'
import type { Target } from './target.js'

/** Element operations a transcendental function is worth. */
const costlyCalls: ReadonlySet<string> = new Set(['exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid', 'pow'])

/** What following a list is worth besides its first element; how long the lists are is not known before a call. */
const followedWork = 8

export function parallelize(kernel: KernelProgram, target: Target): KernelProgram {
  const [outer] = kernel.body
  if (kernel.body.length !== 1 || outer?.kind !== 'for') return kernel
  const workPerItem = outer.body.map(workOf).reduce<Dim>(addDims, 0)
  return { ...kernel, split: { axis: outer.axis, workPerItem, multiple: outer.mode === 'vector' ? target.randomBlock : 1 } }
}

function workOf(statement: Stmt): Dim {
  switch (statement.kind) {
    case 'for': return multiplyDims(statement.axis.extent, sum(statement.body))
    case 'let': return exprWork(statement.value)
    case 'store': return addDims(1, exprWork(statement.value))
    case 'reduce': return multiplyDims(statement.axes.reduce<Dim>((p, a) => multiplyDims(p, a.extent), 1), addDims(sum(statement.body), exprWork(statement.value)))
    case 'argmax': return multiplyDims(statement.axis.extent, addDims(sum(statement.body), exprWork(statement.value)))
    case 'follow': return addDims(followedWork, addDims(sum(statement.body), exprWork(statement.value)))
    case 'contract': return [statement.m, statement.n, statement.k].map(extentOf).reduce<Dim>(multiplyDims, 1)
  }
}

const sum = (statements: readonly Stmt[]): Dim => statements.map(workOf).reduce<Dim>(addDims, 0)

function exprWork(expr: Expr): Dim {
  switch (expr.kind) {
    case 'call': return expr.args.map(exprWork).reduce<Dim>(addDims, costlyCalls.has(expr.fn) ? 16 : 1)
    case 'cast': return addDims(1, exprWork(expr.arg))
    case 'random': return 8
    case 'load': return 1
    case 'guard': return addDims(1, exprWork(expr.value))
    case 'lookup': return addDims(2, exprWork(expr.at))
    case 'const': case 'scalar': case 'dim': case 'local': case 'index': return 0
  }
}
