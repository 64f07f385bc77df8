/**
 * Loop expressions as C++ over `native/include/kcc/vec.h`. An expression is printed for one element or, inside a vector
 * loop, for KCC_VW neighbours: then every part knows whether it differs between lanes.
 */
import { computedAs, isShortFloat, type ElementType, type ShortFloat } from '../ir/element-type.js'
import { equalDims, isStatic, sizeOf, type Dim } from '../ir/dim.js'
import type { Bound, Buffer, Expr, Index, Intrinsic } from '../ir/loop.js'
import { strideOf } from '../schedule/walk.js'
import { cDim } from './c-dim.js'

/** The vector loop around an expression: its axis, and the count of real lanes (null: all). */
export type Lanes = { readonly axis: string; readonly count: string | null }
export type Printed = { readonly text: string; readonly varies: boolean }

export type PrintContext = {
  readonly lanes: Lanes | null
  /** Names of locals that hold one value per lane. */
  readonly varying: ReadonlySet<string>
  readonly bufferOf: (name: string) => Buffer
}

const infix: Partial<Record<Intrinsic, string>> = { add: '+', sub: '-', mul: '*', eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' }
/** int32 wraps around, which C leaves undefined. */
const wrapping: Partial<Record<Intrinsic, string>> = { add: 'wrap_add', sub: 'wrap_sub', mul: 'wrap_mul' }
const named: Partial<Record<Intrinsic, string>> = { divBounded: 'div_nr', and: 'mask_and', or: 'mask_or', not: 'mask_not' }

export function printExpr(expr: Expr, context: PrintContext): Printed {
  switch (expr.kind) {
    case 'const': return { text: constantText(expr.value, expr.dtype), varies: false }
    case 'scalar': return { text: `scalar_${identifier(expr.name)}`, varies: false }
    case 'dim': return { text: `(${scalarType(expr.dtype)})(${cDim(expr.dim)})`, varies: false }
    case 'local': return { text: expr.name, varies: context.varying.has(expr.name) }
    case 'load': return printLoad(expr, context)
    case 'lookup': return printLookup(expr, context)
    case 'guard': return printGuard(expr, context)
    case 'index': return printIndexValue(expr, context)
    case 'random': return printRandom(expr, context)
    case 'cast': return printCast(expr, context)
    case 'call': return printCall(expr, context)
  }
}

/** The expression for all lanes when `varies`, else for one element. */
export function printAs(expr: Expr, varies: boolean, context: PrintContext): string {
  const printed = printExpr(expr, context)
  return varies && !printed.varies ? `kcc::bcast(${printed.text})` : printed.text
}

/** Elements from one lane to the next; null where they are not the same from lane to lane. */
const strideIn = (index: Index, { lanes }: PrintContext): Dim | null => (lanes === null ? 0 : strideOf(index, lanes.axis))

/** An element position as C, an `int64_t` expression. */
export function indexText(index: Index): string {
  const times = (what: string, stride: Dim): string => (stride === 1 ? what : `${what} * ${factor(stride)}`)
  const terms = index.terms.map(({ axis, stride }) => times(axis, stride))
  const quotients = index.quotients.map(({ dividend, divisor, stride }) => times(`kcc::floor_div(${indexText(dividend)}, ${divisor})`, stride))
  const offset = index.offset === 0 ? [] : [cDim(index.offset)]
  return [...terms, ...quotients, ...offset].join(' + ') || '0'
}

/** Position of an element of `buffer`. Only `row * columns + column` is ever asked of a blocked matrix (`plan/variable-layout.ts`). */
export function positionText({ name, shape, blocked }: Buffer, index: Index): string {
  if (blocked !== true) return indexText(index)
  const rows = sizeOf(shape.slice(0, -1)), columns = shape.at(-1)!
  const axisOf = (stride: Dim): string => index.terms.find((t) => equalDims(t.stride, stride))?.axis ?? unplaced(name, index)
  return `kcc::in_blocks(${cDim(rows)}, ${axisOf(columns)}, ${axisOf(1)})`
}

function unplaced(name: string, index: Index): never {
  throw new Error(`${name} is stored in blocks, but read at ${indexText(index)}`)
}

const factor = (dim: Dim): string => (isStatic(dim) ? String(dim) : `(${cDim(dim)})`)
const lanesArgument = (lanes: Lanes): string => (lanes.count === null ? '' : `, ${lanes.count}`)

function printLoad(expr: Expr & { kind: 'load' }, context: PrintContext): Printed {
  const stride = strideIn(expr.index, context)
  const position = positionText(context.bufferOf(expr.buffer), expr.index)
  const address = `${expr.buffer} + ${position}`
  if (context.lanes === null || stride === 0) return { text: loadOne(expr.dtype, `${expr.buffer}[${position}]`), varies: false }
  if (stride === null) return eachLane(expr, context)
  const count = lanesArgument(context.lanes)
  if (stride !== 1) return { text: gatherText(expr.dtype, address, stride, count), varies: true }
  return { text: `kcc::load${memoryForm(expr.dtype)}(${address}${count})`, varies: true }
}

/** Ends of the names of functions that read and write memory. */
export const memoryForm = (dtype: ElementType): string => (dtype === 'bool' ? '_bool' : dtype === 'uint8' ? '_u8' : dtype === 'bfloat16' ? '_bf16' : '')

const loadOne = (dtype: ElementType, element: string): string => {
  if (dtype === 'bool') return `(${element} != 0)`
  if (dtype === 'bfloat16') return `kcc::from_bf16(${element})`
  return dtype === 'uint8' ? `(int32_t)${element}` : element
}

const gatherText = (dtype: ElementType, address: string, stride: Dim, count: string): string =>
  `kcc::gather${memoryForm(dtype)}(${address}, ${cDim(stride)}${count})`

/** Neighbours of one row where the lanes agree on it, else each lane's own element. */
function printLookup(expr: Expr & { kind: 'lookup' }, context: PrintContext): Printed {
  const at = printExpr(expr.at, context), stride = strideIn(expr.index, context)
  const address = `${expr.buffer} + ${indexText(expr.index)}`, places = `${cDim(expr.stride)}, ${cDim(expr.extent)}`
  const suffix = memoryForm(expr.dtype)
  if (context.lanes === null || (stride === 0 && !at.varies)) return { text: `kcc::lookup${suffix}(${address}, ${at.text}, ${places})`, varies: false }
  if (stride === null) throw new Error(`${expr.buffer} is looked up at places that no stride leads through`)
  const count = lanesArgument(context.lanes)
  if (stride === 1 && !at.varies) return { text: `kcc::lookup_row${suffix}(${address}, ${at.text}, ${places}${count})`, varies: true }
  return { text: `kcc::lookup_lanes${suffix}(${address}, ${cDim(stride)}, ${at.varies ? at.text : `kcc::bcast(${at.text})`}, ${places}${count})`, varies: true }
}

export const boundText = ({ index, extent }: Bound): string => `kcc::is_inside(${indexText(index)}, ${cDim(extent)})`

/** One condition for all lanes where the bounds do not depend on the lane; lanes side by side in part; else lane by lane. */
function printGuard(expr: Expr & { kind: 'guard' }, context: PrintContext): Printed {
  const byLane = expr.bounds.filter((bound) => strideIn(bound.index, context) !== 0)
  if (byLane.length > 0 && !isRun(expr, byLane, context)) return eachLane(expr, context)
  const printed = byLane.length > 0 ? { text: loadInside(expr, byLane[0]!, context), varies: true } : printExpr(expr.value, context)
  const rest = expr.bounds.filter((bound) => !byLane.includes(bound))
  if (rest.length === 0) return printed
  const masked = byLane.length > 0 ? null : maskedLoad(expr, context)
  if (masked !== null) return { text: masked, varies: true }
  const otherwise = constantText(expr.otherwise, expr.dtype)
  return { text: `(${rest.map(boundText).join(' && ')} ? ${printed.text} : ${printed.varies ? `kcc::bcast(${expr.dtype === 'bool' ? `-(int32_t)${otherwise}` : otherwise})` : otherwise})`, varies: printed.varies }
}

/** Neighbours of one run are loaded, of which one bound leaves out some at the ends. */
const isRun = ({ value }: Expr & { kind: 'guard' }, byLane: readonly Bound[], context: PrintContext): boolean =>
  byLane.length === 1 && strideIn(byLane[0]!.index, context) === 1 && value.kind === 'load' && strideIn(value.index, context) === 1 &&
  (value.dtype === 'float32' || value.dtype === 'int32')

/** An address that may lie outside of the buffer, as where nothing is loaded. */
const anywhere = ({ buffer, index }: Expr & { kind: 'load' }, context: PrintContext): string =>
  `kcc::anywhere(${buffer}, ${positionText(context.bufferOf(buffer), index)})`

function loadInside({ value, otherwise }: Expr & { kind: 'guard' }, { index, extent }: Bound, context: PrintContext): string {
  if (value.kind !== 'load') throw new Error('a run is loaded')
  return `kcc::load_inside(${anywhere(value, context)}, ${indexText(index)}, ${cDim(extent)}, ${constantText(otherwise, value.dtype)}${lanesArgument(context.lanes!)})`
}

/** Neighbours that are there or not: some levels load them under a mask instead of a branch. */
function maskedLoad({ value, bounds, otherwise }: Expr & { kind: 'guard' }, context: PrintContext): string | null {
  if (context.lanes === null || value.kind !== 'load' || (value.dtype !== 'float32' && value.dtype !== 'int32') || strideIn(value.index, context) !== 1) return null
  return `kcc::load_where(${bounds.map(boundText).join(' && ')}, ${anywhere(value, context)}, ${constantText(otherwise, value.dtype)}${lanesArgument(context.lanes)})`
}

/** A load, guard or position that neighbours of a lane have no common step for. */
function eachLane(expr: Expr, context: PrintContext): Printed {
  const { axis, count } = context.lanes!
  const element = printAs(expr, false, { ...context, lanes: null })
  const lane = `[&, first = ${axis}](int64_t lane) { const int64_t ${axis} = first + lane; return ${expr.dtype === 'bool' ? `-(int32_t)(${element})` : element}; }`
  return { text: `kcc::by_lane<${vectorType(expr.dtype)}>(${count ?? 'KCC_VW'}, ${lane})`, varies: true }
}

function printIndexValue(expr: Expr & { kind: 'index' }, context: PrintContext): Printed {
  const stride = strideIn(expr.index, context)
  const first = `(int32_t)(${indexText(expr.index)})`
  if (stride === null) return eachLane(expr, context)
  const varies = stride !== 0
  const value = varies ? `(kcc::iota() * ${factor(stride)} + ${first})` : first
  return { text: expr.dtype === 'float32' ? `kcc::to_float(${value})` : value, varies }
}

/** The stream's own object, declared at the head of the function, keeps the block computed last. */
function printRandom(expr: Expr & { kind: 'random' }, context: PrintContext): Printed {
  const stride = strideIn(expr.index, context)
  const element = indexText(expr.index)
  if (stride === null) return eachLane(expr, context)
  if (context.lanes === null || stride === 0) return { text: `random_${expr.stream}.scalar(${element})`, varies: false }
  return { text: `random_${expr.stream}.vector(${element}, ${cDim(stride)})`, varies: true }
}

function printCast(expr: Expr & { kind: 'cast' }, context: PrintContext): Printed {
  const arg = printExpr(expr.arg, context)
  return { text: castText(arg, expr.arg.dtype, expr.dtype), varies: arg.varies }
}

/** A short float is a float32 already: to others it is converted as one. */
function castText(arg: Printed, from: ElementType, to: ElementType): string {
  if (isShortFloat(to)) return roundedText(castText(arg, from, 'float32'), from, to)
  if (isShortFloat(from)) return castText(arg, 'float32', to)
  const integer = (dtype: ElementType): boolean => dtype === 'int32' || dtype === 'uint8'
  if (from === to || (from === 'uint8' && to === 'int32')) return arg.text
  if (to === 'bool') return `(${arg.text} != 0)`
  if (from === 'bool') return `kcc::${to === 'float32' ? 'mask_float' : 'mask_int'}(${arg.text})`
  if (to === 'float32') return `kcc::to_float(${arg.text})`
  const whole = integer(from) ? arg.text : `kcc::to_int(${arg.text})`
  return to === 'uint8' ? `(${whole} & 255)` : whole
}

/** Every bfloat16 is a TF32. */
const roundedText = (value: string, from: ElementType, to: ShortFloat): string =>
  (to === 'bfloat16' ? `kcc::round_bf16(${value})` : from === 'bfloat16' ? value : `kcc::round_tf32(${value})`)

function printCall(expr: Expr & { kind: 'call' }, context: PrintContext): Printed {
  const varies = expr.args.some((arg) => printExpr(arg, context).varies)
  const wraps = expr.dtype === 'int32' ? wrapping[expr.fn] : undefined
  const operator = wraps === undefined ? infix[expr.fn] : undefined
  if (operator !== undefined) return { text: `(${expr.args.map((a) => printAs(a, varies && a.dtype === 'bool', context)).join(` ${operator} `)})`, varies }
  const args = constantFirst(expr).map((arg) => printAs(arg, varies, context))
  return { text: `kcc::${wraps ?? named[expr.fn] ?? expr.fn}(${args.join(', ')})`, varies }
}

/** The larger or smaller of a number and a value is one instruction where the number comes first (`vec.h`). */
function constantFirst({ fn, args }: Expr & { kind: 'call' }): readonly Expr[] {
  const [a, b] = args
  const exchange = (fn === 'max' || fn === 'min') && a?.kind !== 'const' && b?.kind === 'const' && !Number.isNaN(b.value)
  return exchange ? [b, a!] : args
}

export const scalarType = (dtype: ElementType): string => {
  switch (computedAs(dtype)) {
    case 'float32': return 'float'
    case 'bool': return 'bool'
    case 'int32': case 'uint8': return 'int32_t'
    case 'float64': throw new RangeError('float64 is not compiled; use float32')
  }
}

export const vectorType = (dtype: ElementType): string => (computedAs(dtype) === 'float32' ? 'kcc::vf' : 'kcc::vi')

/** What a buffer's elements are in memory. */
export const storedType = (dtype: ElementType): string => (dtype === 'bool' || dtype === 'uint8' ? 'uint8_t' : dtype === 'bfloat16' ? 'uint16_t' : scalarType(dtype))

export function constantText(value: number, dtype: ElementType): string {
  if (dtype === 'bool') return value !== 0 ? 'true' : 'false'
  if (computedAs(dtype) !== 'float32') return integerText(Math.trunc(value))
  if (Number.isNaN(value)) return '__builtin_nanf("")'
  if (!Number.isFinite(value)) return value > 0 ? '__builtin_inff()' : '-__builtin_inff()'
  const text = Object.is(value, -0) ? '-0' : String(Math.fround(value))
  return `${/[.e]/.test(text) ? text : `${text}.`}f`
}

/** C has no literal for the least int32: its magnitude is no int32. */
const integerText = (value: number): string => (value === -(2 ** 31) ? '(-2147483647 - 1)' : String(value))

/** A C identifier that keeps what can be kept of a name. */
export const identifier = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, '_')
