/** Loop statements as a tree of C++ lines and blocks; the templates print the tree with its indentation. */
import { widestVector } from '../ir/cost.js'
import { divideDims } from '../ir/dim.js'
import { localExpr } from '../ir/expr.js'
import type { ElementType } from '../ir/element-type.js'
import { isInVectors, nothingOf, VECTORS, type Axis, type AxisMode, type Buffer, type Combination, type Expr, type ReduceOp, type Stmt, type Store } from '../ir/loop.js'
import { endOf } from './range-ends.js'
import { copiesAbreast, inCopy, interleaved } from './abreast.js'
import { cDim } from './c-dim.js'
import { constantText, indexText, memoryForm, positionText, printAs, printExpr, scalarType, vectorType, type Lanes, type PrintContext } from './c-expr.js'

/** `isBlock` false: one line, `text`. True: `text {`, the body, `}`. */
export type CLine = { readonly text: string; readonly isBlock: boolean; readonly body: readonly CLine[] }

export const line = (text: string): CLine => ({ text, isBlock: false, body: [] })
export const block = (text: string, body: readonly CLine[]): CLine => ({ text, isBlock: true, body })

export type Scope = PrintContext & { readonly varying: Set<string>; readonly ends?: ReadonlySet<string> | undefined }

export const inner = (scope: Scope, lanes: Lanes | null = scope.lanes): Scope => ({ ...scope, lanes, varying: new Set(scope.varying) })

export type StatementOptions = {
  readonly bufferOf: (name: string) => Buffer
  /** The outermost axes when a statement runs in ranges, from item `begin` to below `end` of all of them together. */
  readonly range: { readonly axes: readonly Axis[]; readonly begin: string; readonly end: string } | null
  /** The kernel is inside a vector of these lanes already (an epilogue). */
  readonly lanes: Lanes | null
  /** Buffers of which it is known where the range ends, by the name that `range-ends.ts` gives it. */
  readonly ends?: ReadonlySet<string>
  /** Locals that exist before the first statement and differ between lanes. */
  readonly varying: readonly string[]
}

export function printStatements(statements: readonly Stmt[], options: StatementOptions): CLine[] {
  const scope: Scope = { lanes: options.lanes, varying: new Set(options.varying), bufferOf: options.bufferOf, ends: options.ends }
  return new StatementPrinter(options).all(statements, scope)
}

export class StatementPrinter {
  constructor(private readonly options: Pick<StatementOptions, 'range'>) {}

  all(statements: readonly Stmt[], scope: Scope): CLine[] {
    return statements.flatMap((s) => this.one(s, scope))
  }

  private one(s: Stmt, scope: Scope): CLine[] {
    switch (s.kind) {
      case 'for': return this.loop(s, scope)
      case 'let': return [this.binding(s.name, s.value, scope)]
      case 'store': return [this.store(s, scope)]
      case 'reduce': return this.reduction(s, scope)
      case 'argmax': return this.argmax(s, scope)
      case 'follow': return this.following(s, scope)
      case 'contract': throw new Error('a contraction is printed by its own emitter')
    }
  }

  private bounds(axis: Axis): { begin: string; end: string } {
    const { range } = this.options
    return range?.axes[0]!.name === axis.name ? range : { begin: '0', end: cDim(axis.extent) }
  }

  private loop(s: Loop, scope: Scope): CLine[] {
    if (isInVectors(s.mode)) return this.vectorLoop(s, scope)
    const { range } = this.options
    if (range && range.axes.length > 1 && range.axes[0]!.name === s.axis.name) return [this.itemLoop(range, this.all(bodyBelow(s, range.axes.length - 1), inner(scope)))]
    return [this.serialLoop(s.axis, this.all(s.body, inner(scope)))]
  }

  /** One loop over several axes, each of which is found from the item's number. */
  private itemLoop({ axes, begin, end }: NonNullable<StatementOptions['range']>, body: readonly CLine[]): CLine {
    return block(`for (int64_t item = ${begin}; item < ${end}; item++)`, [...placesOf(axes, 'item').map(line), ...body])
  }

  private serialLoop(axis: Axis, body: readonly CLine[]): CLine {
    const { begin, end } = this.bounds(axis)
    return block(`for (int64_t ${axis.name} = ${begin}; ${axis.name} < ${end}; ${axis.name}++)`, body)
  }

  /** Several vectors at once where there is something for them, whole vectors, then the lanes that are left. */
  private lanesOver(axis: Axis, body: (lanes: Lanes) => CLine[], abreast: readonly CLine[] | null): CLine[] {
    const { name } = axis, { begin, end } = this.bounds(axis)
    const steps = (width: string, inside: readonly CLine[]): CLine => block(`for (; ${name} + ${width} <= ${end}; ${name} += ${width})`, inside)
    const isMultiple = (of: number): boolean => typeof axis.extent === 'number' && begin === '0' && axis.extent % of === 0
    const several = abreast ? [steps(`${VECTORS} * KCC_VW`, abreast)] : []
    const single = abreast && isMultiple(VECTORS * widestVector) ? [] : [steps('KCC_VW', body({ axis: name, count: null }))]
    const rest = block(`if (${name} < ${end})`, [line(`const int64_t lanes = ${end} - ${name};`), ...body({ axis: name, count: 'lanes' })])
    return [line(`int64_t ${name} = ${begin};`), ...several, ...single, ...(isMultiple(widestVector) ? [] : [rest])]
  }

  private vectorLoop(s: Loop, scope: Scope): CLine[] {
    return [block('', this.lanesOver(s.axis, (lanes) => this.all(s.body, inner(scope, lanes)), this.abreast(s.mode, s.axis, s.body, inner(scope))))]
  }

  /** `VECTORS` vectors, then one at a time what is left of them. */
  private abreast(mode: AxisMode, { name }: Axis, body: readonly Stmt[], scope: Scope): readonly CLine[] | null {
    if (mode !== 'vector by 8') return null
    const copies = copiesAbreast(name, body)
    const places = copies.slice(1).map(({ axis }, i) => line(`const int64_t ${axis} = ${name} + ${i + 1} * KCC_VW;`))
    return [...places, ...interleaved(copies.map((copy) => this.all(copy.body, { ...scope, lanes: { axis: copy.axis, count: null } })))]
  }

  private binding(name: string, value: Expr, scope: Scope): CLine {
    const printed = printExpr(value, scope)
    if (printed.varies) scope.varying.add(name)
    const type = printed.varies ? vectorType(value.dtype) : scalarType(value.dtype)
    return line(`const ${type} ${name} = ${printed.text};`)
  }

  private store(s: Store, scope: Scope): CLine {
    const buffer = scope.bufferOf(s.buffer), position = positionText(buffer, s.index), { dtype } = buffer
    if (scope.lanes === null) return line(`${s.buffer}[${position}] = ${storedOne(dtype, printAs(s.value, false, scope))};`)
    const count = scope.lanes.count === null ? '' : `, ${scope.lanes.count}`
    if (count === '' && scope.ends?.has(s.buffer)) return line(`kcc::store_ahead(${s.buffer} + ${position}, ${printAs(s.value, true, scope)}, ${endOf(s.buffer)});`)
    return line(`kcc::store${memoryForm(dtype)}(${s.buffer} + ${position}, ${printAs(s.value, true, scope)}${count});`)
  }

  private reduction(s: Reduction, scope: Scope): CLine[] {
    return isInVectors(s.modes.at(-1)!) ? this.reduceAcrossLanes(s, scope) : this.reduceInOrder(s, scope)
  }

  /** One accumulator per element (or per lane of a loop outside), in the order of the axes. */
  private reduceInOrder(s: Reduction, scope: Scope): CLine[] {
    const { start, body } = this.accumulation(s.results, s.body, scope)
    return [...start, ...this.loops(s.axes, body)]
  }

  /** The lanes of a vector walk through the same list, each for its own element. */
  private following(s: Stmt & { kind: 'follow' }, scope: Scope): CLine[] {
    const { start, body } = this.accumulation([s], s.body, scope)
    const { first, next } = chainNames(s.chain)
    return [...start, block(`for (int64_t ${s.position} = ${first}[${indexText(s.row)}]; ${s.position} >= 0; ${s.position} = ${next}[${s.position}])`, body)]
  }

  /** Accumulators that hold nothing, and a step that adds to them. */
  accumulation(results: readonly Combination[], lets: readonly Stmt[], scope: Scope): { start: CLine[]; body: CLine[] } {
    const varies = scope.lanes !== null
    if (varies) for (const { name } of results) scope.varying.add(name)
    const within = inner(scope)
    const start = results.map(({ name, op, dtype }) => {
      const identity = constantText(nothingOf({ op, dtype }), dtype)
      return line(`${varies ? vectorType(dtype) : scalarType(dtype)} ${name} = ${varies ? `kcc::bcast(${identity})` : identity};`)
    })
    const steps = this.all(lets, within)
    return { start, body: [...steps, ...results.map(({ name, op, dtype, value }) => line(`${name} = ${combine(op, dtype, name, printAs(value, varies, within))};`))] }
  }

  /** One accumulator per lane along the last axis, folded in a fixed tree at the end. */
  private reduceAcrossLanes(s: Reduction, scope: Scope): CLine[] {
    const last = s.axes[s.axes.length - 1]!
    const steps = this.lanesOver(last, (lanes) => {
      const within = inner(scope, lanes)
      const lets = this.all(s.body, within)
      return [...lets, ...s.results.map((r) => {
        const next = combine(r.op, r.dtype, lanesOf(r), printAs(r.value, true, within))
        const kept = lanes.count === null ? next : `kcc::select(kcc::first_lanes(${lanes.count}), ${next}, ${lanesOf(r)})`
        return line(`${lanesOf(r)} = ${kept};`)
      })]
    }, this.combinedAbreast(s, scope))
    return [
      ...s.results.map((r) => line(`${vectorType(r.dtype)} ${lanesOf(r)} = kcc::bcast(${constantText(nothingOf(r), r.dtype)});`)),
      ...this.loops(s.axes.slice(0, -1), [block('', steps)]),
      ...s.results.map((r) => line(`const ${scalarType(r.dtype)} ${r.name} = kcc::${foldOf[r.op]}(${lanesOf(r)});`)),
    ]
  }

  /** The accumulators take one vector after the other, as they do without the others. */
  private combinedAbreast({ axes, modes, body, results, from }: Reduction, scope: Scope): readonly CLine[] | null {
    const values = results.map((r): Stmt => ({ kind: 'let', name: `${r.name}_next`, value: r.value, from }))
    const within = inner(scope), lines = this.abreast(modes.at(-1)!, axes.at(-1)!, [...body, ...values], within)
    const next = ({ name, dtype }: Combination, n: number): string => printAs(localExpr(dtype, inCopy(`${name}_next`, n)), true, within)
    return lines && [...lines, ...results.flatMap((r) => Array.from({ length: VECTORS }, (_, n) =>
      line(`${lanesOf(r)} = ${combine(r.op, r.dtype, lanesOf(r), next(r, n))};`)))]
  }

  private loops(axes: readonly Axis[], body: readonly CLine[]): CLine[] {
    return axes.reduceRight<CLine[]>((lines, axis) => [this.serialLoop(axis, lines)], [...body])
  }

  /** The first of equals wins; NaN and the least value never do, so that a row of them gives 0. */
  private argmax(s: Argmax, scope: Scope): CLine[] {
    const { start, body } = this.largest(s, scope)
    return [...start, this.serialLoop(s.axis, body)]
  }

  /** The largest so far, the place where it was found, and a step that looks at another value. */
  largest(s: Argmax, scope: Scope): { start: CLine[]; body: CLine[] } {
    const varies = scope.lanes !== null
    if (varies) scope.varying.add(s.name)
    const best = bestOf(s)
    const within = inner(scope)
    const wide = (text: string): string => (varies ? `kcc::bcast(${text})` : text)
    const { dtype } = s.value
    const type = varies ? vectorType(dtype) : scalarType(dtype)
    const body = [
      ...this.all(s.body, within),
      line(`const ${type} ${s.name}_value = ${printAs(s.value, varies, within)};`),
      line(`const ${varies ? 'kcc::vi' : 'bool'} ${s.name}_wins = ${s.name}_value > ${best};`),
      line(`${best} = kcc::select(${s.name}_wins, ${s.name}_value, ${best});`),
      line(`${s.name} = kcc::select(${s.name}_wins, ${wide(`(int32_t)${s.axis.name}`)}, ${s.name});`),
    ]
    const start = [
      line(`${type} ${best} = ${wide(constantText(nothingOf({ op: 'max', dtype }), dtype))};`),
      line(`${varies ? 'kcc::vi' : 'int32_t'} ${s.name} = ${wide('0')};`),
    ]
    return { start, body }
  }
}

type Argmax = Stmt & { readonly kind: 'argmax' }

/** The largest value of an argmax. */
export const bestOf = ({ name }: Argmax): string => `${name}_best`

const storedOne = (dtype: ElementType, value: string): string => (dtype === 'bfloat16' ? `kcc::to_bf16(${value})` : value)

type Loop = Stmt & { readonly kind: 'for' }
type Reduction = Stmt & { readonly kind: 'reduce' }

/** Declarations of axes that run together, from the number of an item; `each` of the elements of the last axis are one item. */
export function placesOf(axes: readonly Axis[], item: string, each = 1): string[] {
  const counted = each === 1 ? axes : [...axes.slice(0, -1), fewer(axes.at(-1)!, each)]
  return counted.map(({ name, extent }, i) => {
    const after = counted.slice(i + 1).map((a) => ` / ${factorText(a.extent)}`).join('')
    const place = `${item}${after}${i === 0 ? '' : ` % ${factorText(extent)}`}`
    return `const int64_t ${name} = ${each === 1 || i < axes.length - 1 ? place : `${each}ll * (${place})`};`
  })
}

/** The axis in steps of `each` elements, which divide it. */
export const fewer = ({ name, extent }: Axis, each: number): Axis => ({ name, extent: divideDims(extent, each)! })

/** What is inside the loop and the `count` loops directly in it. */
const bodyBelow = ({ body }: Loop, count: number): readonly Stmt[] => (count === 0 ? body : bodyBelow(body[0] as Loop, count - 1))

const factorText = (extent: Axis['extent']): string => (typeof extent === 'number' ? String(extent) : `(${cDim(extent)})`)

/** The accumulator of a combination along lanes. */
export const lanesOf = ({ name }: Combination): string => `${name}_lanes`

/** The arrays of a chain: the first position of each row, and the one after each position; below 0 where there is none. */
export const chainNames = (chain: string): { first: string; next: string } => ({ first: `${chain}_first`, next: `${chain}_next` })

/** Functions that fold the lanes of a vector. */
export const foldOf: Readonly<Record<ReduceOp, string>> = { sum: 'hsum', prod: 'hprod', max: 'hmax', min: 'hmin' }

function combine(op: ReduceOp, dtype: ElementType, a: string, b: string): string {
  switch (op) {
    case 'sum': return dtype === 'int32' ? `kcc::wrap_add(${a}, ${b})` : `${a} + ${b}`
    case 'prod': return dtype === 'int32' ? `kcc::wrap_mul(${a}, ${b})` : `${a} * ${b}`
    case 'max': case 'min': return `kcc::${op}(${a}, ${b})`
  }
}

/** The tree as lines, for places that take statements as text. */
export function flatten(lines: readonly CLine[]): string[] {
  return lines.flatMap((l) => (l.isBlock ? [`${l.text} {`.trim(), ...flatten(l.body).map((inside) => `  ${inside}`), '}'] : [l.text]))
}
