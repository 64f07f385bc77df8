/** Offers the outermost loops of a kernel for splitting into ranges, with what one item of them costs. */
import { addDims, evaluateDim, multiplyDims, symbolsOf, type Dim } from '../ir/dim.js'
import { extentOf, type Axis, type Expr, type KernelProgram, type Split, type Stmt } from '../ir/loop.js'
import type { Target } from './target.js'
import { accessesIn } from './walk.js'

/** Element operations a transcendental function is worth. */
const costlyCalls: ReadonlySet<string> = new Set(['exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid', 'pow'])

/** What following a list is worth besides its first element; how long the lists are is not known before a call. */
const followedWork = 8

/**
 * Work below which an item is not worth the two divisions that find its place in several axes: then ranges are of the axes
 * outside alone.
 */
const leastItem = 1024

export function parallelize(kernel: KernelProgram, target: Target): KernelProgram {
  const { body } = kernel
  if (!body.every((s) => s.kind === 'for')) return kernel
  return { ...kernel, splits: body.map((s) => splitOf(s, target)) }
}

type Loop = Stmt & { readonly kind: 'for' }

/** The outermost loops that are worth being one, at least the first. */
function splitOf(outer: Loop, target: Target): Split {
  const axes: Axis[] = [outer.axis]
  let last = outer
  for (let next = onlyLoop(last); next?.mode === 'serial' && atLeast(bodyWork(next)) >= leastItem; next = onlyLoop(last)) {
    axes.push(next.axis)
    last = next
  }
  return { axes, workPerItem: bodyWork(last), multiple: multipleOf(last, target) }
}

const onlyLoop = ({ body: [first, ...others] }: Loop): Loop | null => (first?.kind === 'for' && others.length === 0 ? first : null)

/** Lanes stay together; where numbers are drawn, so do those of a block. */
function multipleOf(loop: Loop, target: Target): number {
  if (loop.mode === 'serial') return 1
  return accessesIn(loop.body).draws > 0 ? target.randomBlock : target.widestVector
}

/** When every symbol stands for 1. */
const atLeast = (work: Dim): number => evaluateDim(work, Object.fromEntries(symbolsOf(work).map((name) => [name, 1])))

const bodyWork = ({ body }: Loop): Dim => sum(body)

function workOf(statement: Stmt): Dim {
  switch (statement.kind) {
    case 'for': return multiplyDims(statement.axis.extent, sum(statement.body))
    case 'let': return exprWork(statement.value)
    case 'store': return addDims(1, exprWork(statement.value))
    case 'reduce': return multiplyDims(extentOf(statement.axes), addDims(sum(statement.body), statement.results.map((r) => exprWork(r.value)).reduce(addDims, 0)))
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
