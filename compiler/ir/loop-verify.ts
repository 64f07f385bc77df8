/**
 * Checks one kernel of the loop IR.
 *
 * 1. Buffers have different names; `reads` and `writes` name buffers, and each buffer is one of them at least. Scratch is both.
 * 2. Loads are of buffers that are read, stores of buffers that are written, and a stored value has the buffer's dtype.
 * 3. Every axis in an index is of a loop, reduction or contraction around it; no two nested loops share an axis.
 * 4. A local is bound before it is used, in a scope around the use, and only once.
 * 5. A contraction stands alone (but where statements are started one by one, on a GPU) and its sums are float32; only the last axis of a reduction may be a vector, and no
 *    loop is inside a vector.
 * 6. There is a split for each statement, or none at all; it names the axes of the loops there, outermost first, and none
 *    of its statements uses what another binds.
 * 7. The position of a lookup is int32, and so is that of a chain, which is over its own axis alone; a chain that is followed
 *    exists, and lanes do not follow different rows.
 * 8. There is a launch for each statement, or none at all; with launches, loops over the grid are outermost and directly in
 *    each other, and so are loops of a team inside of them; a contraction is started in tiles (`launch-verify.ts`).
 * 9. Squares are of windows of that many elements, at the places of whole pictures.
 */
import { dimText, divideDims } from './dim.js'
import { computedAs, type ElementType } from './element-type.js'
import { axesOfIndex } from './expr.js'
import { launchFault } from './launch-verify.js'
import { accumulatorsOf, extentOf, finishedRows, isByNeighbours, isInVectors, type Axis, type AxisMode, type Chain, type Contract, type Expr, type Index, type KernelProgram, type Stmt, type Store, type Totals } from './loop.js'
import { exprText } from './loop-text.js'

/** A kernel that breaks an invariant: a bug in a pass, never the user's. */
export class LoopFault extends Error {
  constructor(kernel: string, invariant: number, what: string) {
    super(`kernel ${kernel}: invariant ${invariant} of the loop IR does not hold: ${what}`)
  }
}

/** @throws LoopFault naming the first invariant that does not hold. */
export function verifyKernel(kernel: KernelProgram): void {
  new Checker(kernel).run()
}

type Scope = { readonly axes: ReadonlySet<string>; readonly locals: Map<string, ElementType>; readonly insideVector: boolean; readonly lanes: string | null }

class Checker {
  private readonly dtypes: ReadonlyMap<string, ElementType>
  private readonly readable: ReadonlySet<string>
  private readonly writable: ReadonlySet<string>
  private readonly bound = new Set<string>()

  constructor(private readonly kernel: KernelProgram) {
    const own = kernel.scratch.map((b) => b.name)
    this.dtypes = new Map([...kernel.buffers, ...kernel.scratch].map((b) => [b.name, b.dtype]))
    this.readable = new Set([...kernel.reads, ...own])
    this.writable = new Set([...kernel.writes, ...own])
  }

  run(): void {
    const { buffers, scratch, reads, writes, body } = this.kernel
    this.require(1, this.dtypes.size === buffers.length + scratch.length, 'two buffers share a name')
    for (const name of [...reads, ...writes]) this.require(1, this.dtypes.has(name), `${name} is no buffer`)
    for (const { name } of buffers) this.require(1, reads.includes(name) || writes.includes(name), `${name} is neither read nor written`)
    this.splits()
    const fault = launchFault(this.kernel)
    this.require(8, fault === null, fault ?? '')
    this.require(5, this.kernel.launches.length > 0 || body.length === 1 || body.every((s) => s.kind !== 'contract'), 'a contraction has neighbours')
    for (const chain of this.kernel.chains) this.chain(chain)
    this.statements(body, { axes: new Set(), locals: new Map(), insideVector: false, lanes: null })
  }

  private splits(): void {
    const { splits, body } = this.kernel
    this.require(6, splits.length === 0 || splits.length === body.length, `${splits.length} splits of ${body.length} statements`)
    splits.forEach((split, i) => {
      if (split) this.require(6, isNest(body[i]!, split.axes), `split names ${split.axes.map((a) => a.name).join(', ')}`)
    })
    this.require(6, splits.length === 0 || body.length === 1 || body.every((s) => s.kind === 'for'), 'ranges of statements that are no loops')
  }

  private require(invariant: number, holds: boolean, what: string): void {
    if (!holds) throw new LoopFault(this.kernel.name, invariant, what)
  }

  private statements(body: readonly Stmt[], outer: Scope): Scope {
    const scope = { ...outer, locals: new Map(outer.locals) }
    for (const statement of body) this.statement(statement, scope)
    return scope
  }

  private statement(s: Stmt, scope: Scope): void {
    switch (s.kind) {
      case 'for':
        this.require(5, !scope.insideVector, `a loop over ${s.axis.name} is inside a vector`)
        this.require(5, canBeAbreast(s.mode, s.body), `a loop is inside the vectors abreast of ${s.axis.name}`)
        return void this.statements(s.body, { ...this.within(scope, [s.axis]), insideVector: isInLanes(s.mode), lanes: isInLanes(s.mode) ? s.axis.name : null })
      case 'let': this.expr(s.value, scope); return this.bind(s.name, s.value.dtype, scope)
      case 'store': return this.store(s, scope)
      case 'reduce':
        this.require(5, s.modes.every((mode, i) => !isInVectors(mode) || (i === s.modes.length - 1 && !scope.insideVector && canBeAbreast(mode, s.body))), `reduction ${namesOf(s)} has a vector it cannot have`)
        this.reduction(s, scope)
        return s.results.forEach((r) => this.bind(r.name, r.dtype, scope))
      case 'argmax':
        this.require(2, s.value.dtype === 'float32' || s.value.dtype === 'int32', `${exprText(s.value)} is ${s.value.dtype}, which argmax does not order`)
        this.combined(s, [s.axis], s.value.dtype, scope)
        return this.bind(s.name, 'int32', scope)
      case 'follow': return this.following(s, scope)
      case 'contract': return this.contraction(s, scope)
    }
  }

  private chain({ name, axis, at }: Chain): void {
    this.require(7, at.dtype === 'int32', `the rows of ${name} are ${at.dtype}`)
    this.expr(at, { axes: new Set([axis.name]), locals: new Map(), insideVector: false, lanes: null })
  }

  private following(s: Stmt & { kind: 'follow' }, scope: Scope): void {
    this.require(7, this.kernel.chains.some((c) => c.name === s.chain), `there is no chain ${s.chain}`)
    this.require(7, axesOfIndex(s.row).every((axis) => axis !== scope.lanes), `lanes of ${scope.lanes} follow different rows of ${s.chain}`)
    this.index(s.row, scope)
    this.combined(s, [{ name: s.position, extent: 1 }], s.dtype, scope)
    this.bind(s.name, s.dtype, scope)
  }

  private contraction(s: Stmt & { kind: 'contract' }, scope: Scope): void {
    this.expr(s.lhs, this.within(scope, [...s.m, ...s.k]))
    this.expr(s.rhs, this.within(scope, [...s.k, ...s.n]))
    this.require(5, s.lhs.dtype === s.rhs.dtype && computedAs(s.lhs.dtype) === 'float32', `operands are ${s.lhs.dtype} and ${s.rhs.dtype}`)
    this.require(3, [s.m, s.n, s.k].every((axes) => axes.length > 0), 'a contraction lacks rows, columns or a sum')
    this.require(3, s.together.every((axis, i) => axis === s.m[s.m.length - s.together.length + i] || axis.name === s.m[s.m.length - s.together.length + i]?.name), 'rows that are finished together are not the last')
    const inside = this.within(scope, [...finishedRows(s), ...s.n])
    const fault = squaresFault(s)
    this.require(9, fault === null, fault ?? '')
    for (const name of accumulatorsOf(s)) this.bind(name, 'float32', inside)
    this.statements(s.epilogue, inside)
    if (s.totals) this.totals(s.totals, this.within(scope, s.n))
  }

  private totals({ accumulator, epilogue }: Totals, inside: Scope): void {
    this.bind(accumulator, 'float32', inside)
    this.statements(epilogue, inside)
  }

  private reduction(s: Stmt & { kind: 'reduce' }, scope: Scope): void {
    this.require(2, s.results.length > 0, 'a reduction without a result')
    const inside = this.statements(s.body, this.within(scope, s.axes))
    for (const { value, dtype } of s.results) this.combination(value, dtype, inside)
  }

  private combined(s: { readonly body: readonly Stmt[]; readonly value: Expr }, axes: readonly Axis[], dtype: ElementType, scope: Scope): void {
    const inside = this.statements(s.body, this.within(scope, axes))
    this.combination(s.value, dtype, inside)
  }

  private combination(value: Expr, dtype: ElementType, scope: Scope): void {
    this.expr(value, scope)
    this.require(2, value.dtype === dtype, `${exprText(value)} is ${value.dtype}, combined as ${dtype}`)
  }

  private within(scope: Scope, axes: readonly Axis[]): Scope {
    for (const { name } of axes) this.require(3, !scope.axes.has(name), `axis ${name} is used twice`)
    return { ...scope, axes: new Set([...scope.axes, ...axes.map((a) => a.name)]), locals: new Map(scope.locals) }
  }

  private bind(name: string, dtype: ElementType, scope: Scope): void {
    this.require(4, !this.bound.has(name), `${name} is bound twice`)
    this.bound.add(name)
    scope.locals.set(name, dtype)
  }

  private store(s: Store, scope: Scope): void {
    this.require(2, this.writable.has(s.buffer), `${s.buffer} is stored to but not written`)
    this.require(2, this.dtypes.get(s.buffer) === s.value.dtype, `${s.buffer} holds ${this.dtypes.get(s.buffer)}, found ${exprText(s.value)} of ${s.value.dtype}`)
    this.index(s.index, scope)
    this.expr(s.value, scope)
  }

  private index(index: Index, scope: Scope): void {
    for (const axis of axesOfIndex(index)) this.require(3, scope.axes.has(axis), `axis ${axis} is not in scope`)
  }

  private expr(e: Expr, scope: Scope): void {
    switch (e.kind) {
      case 'load':
        this.require(2, this.readable.has(e.buffer), `${e.buffer} is loaded but not read`)
        return this.index(e.index, scope)
      case 'lookup':
        this.require(2, this.readable.has(e.buffer), `${e.buffer} is looked up but not read`)
        this.require(7, e.at.dtype === 'int32', `${exprText(e.at)} is ${e.at.dtype}, found as a position`)
        this.index(e.index, scope)
        return this.expr(e.at, scope)
      case 'guard':
        e.bounds.forEach((bound) => this.index(bound.index, scope))
        this.require(2, e.value.dtype === e.dtype, `${exprText(e.value)} is ${e.value.dtype}, guarded as ${e.dtype}`)
        return this.expr(e.value, scope)
      case 'index': case 'random': return this.index(e.index, scope)
      case 'call': return e.args.forEach((arg) => this.expr(arg, scope))
      case 'cast': return this.expr(e.arg, scope)
      case 'local': return this.require(4, scope.locals.get(e.name) === e.dtype, `${e.name} is not bound here as ${e.dtype}`)
      case 'const': case 'scalar': case 'dim': return
    }
  }
}

/** What is wrong with the squares of a contraction; null where nothing is. */
function squaresFault({ squares, m, k, together }: Contract): string | null {
  if (squares === null) return null
  const [elements, places] = squares.along === 'columns' ? [extentOf(k), extentOf(m)] : [extentOf(m), extentOf(k)]
  const [lines, pixels] = squares.window
  if (elements !== lines * pixels * squares.channels) return `windows of ${lines} x ${pixels} x ${squares.channels} elements, found ${dimText(elements)}`
  if (divideDims(places, squares.height * squares.width) === null) return `pictures of ${squares.height} x ${squares.width} places, found ${dimText(places)}`
  return together.length === 0 || together.map(({ extent }) => extent).join() === '2,2' ? null : 'rows that are finished together are no square'
}

/** Several elements along the axis are computed at once. */
const isInLanes = (mode: AxisMode): boolean => isInVectors(mode) || isByNeighbours(mode)

/** Copies of the statements stand side by side. */
const canBeAbreast = (mode: AxisMode, body: readonly Stmt[]): boolean => mode !== 'vector by 8' || body.every((s) => s.kind === 'let' || s.kind === 'store')

const namesOf = (s: Stmt & { kind: 'reduce' }): string => s.results.map((r) => r.name).join(', ')

/** Are `axes` those of the outermost loops, one directly in the other? */
function isNest(statement: Stmt, [axis, ...inner]: readonly Axis[]): boolean {
  if (axis === undefined || statement.kind !== 'for' || statement.axis.name !== axis.name) return false
  return inner.length === 0 || (statement.body.length === 1 && statement.mode === 'serial' && isNest(statement.body[0]!, inner))
}
