/**
 * The type-and-shape rule of every op: the part of a record that building a node needs. It stands apart from the
 * records because their gradients and simplifications build nodes themselves; each record points back at its rule here.
 * Broadcasting is never implicit: operands have equal shapes (the constructors in `construct/` insert `broadcastTo`).
 */
import { ValueError } from '../../runtime/contract/errors.js'
import { isAlwaysNegative } from '../ir/dim-bounds.js'
import { addDims, equalDims, equalShapes, floorDivideDims, isStatic, shapeText, sizeOf, subtractDims, type Dim, type Shape } from '../ir/dim.js'
import { isShortFloat, type ElementType } from '../ir/element-type.js'
import type { Attrs, TensorType } from '../ir/graph.js'
import { dimAttr, dtypeAttr, elementTypeAttr, flagAttr, integersAttr, numberAttr, shapeAttr, stringAttr, tiesAttr } from './attrs.js'
import { currentProvenance } from './provenance.js'

export type TypeRule = (inputs: readonly TensorType[], attrs: Attrs) => TensorType

/** Refuses operands or attributes, at the line of the user that is being built. */
export function refuse(message: string): never {
  throw new ValueError(message, currentProvenance().location)
}

const floats: readonly ElementType[] = ['float32', 'float64']
const factors: readonly ElementType[] = [...floats, 'bfloat16', 'tfloat32']
const numbers: readonly ElementType[] = [...floats, 'int32']
const anything: readonly ElementType[] = [...numbers, 'uint8', 'bool']

const typeText = (t: TensorType): string => `${t.dtype}${shapeText(t.shape)}`

function requireCount(op: string, inputs: readonly TensorType[], count: number): void {
  if (inputs.length !== count) refuse(`${op}: expected ${count} input${count === 1 ? '' : 's'}, found ${inputs.length}.`)
}

function requireDType(op: string, type: TensorType, allowed: readonly ElementType[]): void {
  if (!allowed.includes(type.dtype)) refuse(`${op}: expected dtype ${allowed.join(' or ')}, found ${typeText(type)}.`)
}

/** All operands of one type. */
function requireSame(op: string, inputs: readonly TensorType[]): void {
  const first = inputs[0]!
  for (const other of inputs.slice(1)) {
    if (other.dtype !== first.dtype) refuse(`${op}: expected operands of one dtype, found ${typeText(first)} and ${typeText(other)}.`)
    if (!equalShapes(first.shape, other.shape)) refuse(`${op}: expected operands of one shape, found ${typeText(first)} and ${typeText(other)}.`)
  }
}

function requireAxis(op: string, axis: number, shape: Shape): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    refuse(`${op}: expected an axis from 0 to ${shape.length - 1} of shape ${shapeText(shape)}, found ${axis}.`)
  }
}

function requireRisingAxes(op: string, axes: readonly number[], shape: Shape): void {
  axes.forEach((a) => requireAxis(op, a, shape))
  if (axes.some((a, i) => i > 0 && a <= axes[i - 1]!)) refuse(`${op}: expected rising axes without repetition, found [${axes.join(',')}].`)
}

function requireRank(op: string, what: string, rank: number, shape: Shape): void {
  if (rank !== shape.length) refuse(`${op}: expected ${what} of ${shape.length} entries for shape ${shapeText(shape)}, found ${rank}.`)
}

function requireShape(op: string, shape: Shape): Shape {
  for (const d of shape) if (isStatic(d) && (!Number.isInteger(d) || d < 0)) refuse(`${op}: expected sizes from 0 up, found ${shapeText(shape)}.`)
  return shape
}

/** Element by element over `count` operands of one type. */
const pointwise = (op: string, count: number, allowed: readonly ElementType[]): TypeRule => (inputs) => {
  requireCount(op, inputs, count)
  requireDType(op, inputs[0]!, allowed)
  requireSame(op, inputs)
  return inputs[0]!
}

const comparison = (op: string): TypeRule => (inputs) => ({ dtype: 'bool', shape: pointwise(op, 2, anything)(inputs, {}).shape })

const reduction = (op: string): TypeRule => (inputs, attrs) => {
  requireCount(op, inputs, 1)
  requireDType(op, inputs[0]!, numbers)
  const { dtype, shape } = inputs[0]!
  const axes = integersAttr(attrs, 'axes')
  requireRisingAxes(op, axes, shape)
  return { dtype, shape: shape.filter((_, i) => !axes.includes(i)) }
}

const maxType: TypeRule = (inputs, attrs) => {
  tiesAttr(attrs)
  return reduction('max')(inputs, attrs)
}

/** A type given by attributes: leaves and generators. */
const declared = (op: string, allowed: readonly ElementType[]): TypeRule => (inputs, attrs) => {
  requireCount(op, inputs, 0)
  const type: TensorType = { dtype: dtypeAttr(attrs), shape: requireShape(op, shapeAttr(attrs, 'shape')) }
  requireDType(op, type, allowed)
  return type
}

const named = (op: string): TypeRule => (inputs, attrs) => {
  stringAttr(attrs, 'name')
  return declared(op, anything)(inputs, attrs)
}

const identity = (op: string): TypeRule => (inputs) => {
  requireCount(op, inputs, 1)
  return inputs[0]!
}

function selectType(inputs: readonly TensorType[]): TensorType {
  requireCount('select', inputs, 3)
  const [condition, a, b] = inputs as [TensorType, TensorType, TensorType]
  requireDType('select', condition, ['bool'])
  requireSame('select', [a, b])
  if (!equalShapes(condition.shape, a.shape)) refuse(`select: expected a condition of shape ${shapeText(a.shape)}, found ${typeText(condition)}.`)
  return a
}

function castType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('cast', inputs, 1)
  return { dtype: elementTypeAttr(attrs), shape: inputs[0]!.shape }
}

function argmaxType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('argmax', inputs, 1)
  requireDType('argmax', inputs[0]!, numbers)
  const axis = numberAttr(attrs, 'axis')
  requireAxis('argmax', axis, inputs[0]!.shape)
  return { dtype: 'int32', shape: inputs[0]!.shape.filter((_, i) => i !== axis) }
}

function reshapeType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('reshape', inputs, 1)
  const shape = requireShape('reshape', shapeAttr(attrs, 'shape'))
  const { dtype, shape: from } = inputs[0]!
  if (!equalDims(sizeOf(from), sizeOf(shape))) {
    refuse(`reshape: total size of new array must be unchanged: found ${shapeText(from)}, expected the size of ${shapeText(shape)}.`)
  }
  return { dtype, shape }
}

function broadcastType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('broadcastTo', inputs, 1)
  const shape = requireShape('broadcastTo', shapeAttr(attrs, 'shape'))
  const { dtype, shape: from } = inputs[0]!
  const skipped = shape.length - from.length
  const fits = skipped >= 0 && from.every((d, i) => d === 1 || equalDims(d, shape[skipped + i]!))
  if (!fits) refuse(`broadcastTo: expected sizes that are 1 or equal those of ${shapeText(shape)} counted from the last, found ${shapeText(from)}.`)
  return { dtype, shape }
}

function transposeType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('transpose', inputs, 1)
  const perm = integersAttr(attrs, 'perm')
  const { dtype, shape } = inputs[0]!
  requireRank('transpose', 'a permutation', perm.length, shape)
  if (!shape.every((_, i) => perm.includes(i))) refuse(`transpose: expected each axis of ${shapeText(shape)} once, found [${perm.join(',')}].`)
  return { dtype, shape: perm.map((p) => shape[p]!) }
}

function sliceType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('slice', inputs, 1)
  const begin = shapeAttr(attrs, 'begin'), size = shapeAttr(attrs, 'size')
  const { dtype, shape } = inputs[0]!
  requireRank('slice', 'begin', begin.length, shape)
  requireRank('slice', 'size', size.length, shape)
  const outside = shape.some((d, i) => isAlwaysNegative(begin[i]!) || isAlwaysNegative(subtractDims(d, addDims(begin[i]!, size[i]!))))
  if (outside) refuse(`slice: expected a range inside ${shapeText(shape)}, found begin ${shapeText(begin)} and size ${shapeText(size)}.`)
  return { dtype, shape: requireShape('slice', size) }
}

/** How many elements a window of `size` elements with `dilation` from one to the next reaches over. */
export const windowReach = (size: number, dilation: number): number => (size - 1) * dilation + 1

/** How many windows there are along an axis of `dim` elements. @throws ValueError when there is none, whatever its symbols are. */
function windowCount(dim: Dim, size: number, stride: number, dilation: number): Dim {
  const reach = windowReach(size, dilation)
  const room = subtractDims(dim, reach)
  if (isAlwaysNegative(room)) refuse(`windows: expected a window of at most ${shapeText([dim])} elements, found one of ${reach}.`)
  return addDims(floorDivideDims(room, stride), 1)
}

function windowsType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('windows', inputs, 1)
  const { dtype, shape } = inputs[0]!
  const axes = integersAttr(attrs, 'axes')
  requireRisingAxes('windows', axes, shape)
  const [sizes, strides, dilations] = ['sizes', 'strides', 'dilations'].map((name) => {
    const list = integersAttr(attrs, name)
    if (list.length !== axes.length || list.some((n) => n < 1)) refuse(`windows: expected ${name} from 1 up for each of the axes [${axes.join(',')}], found [${list.join(',')}].`)
    return list
  }) as [readonly number[], readonly number[], readonly number[]]
  const counted = shape.map((d, axis) => {
    const i = axes.indexOf(axis)
    return i < 0 ? d : windowCount(d, sizes[i]!, strides[i]!, dilations[i]!)
  })
  const inside = (axes.at(-1) ?? -1) + 1
  return { dtype, shape: [...counted.slice(0, inside), ...sizes, ...counted.slice(inside)] }
}

function overlapAddType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('overlapAdd', inputs, 1)
  const { dtype, shape } = inputs[0]!, result = { dtype, shape: requireShape('overlapAdd', shapeAttr(attrs, 'shape')) }
  const windows = windowsType([result], attrs).shape
  if (!equalShapes(windows, shape)) refuse(`overlapAdd: expected windows of shape ${shapeText(windows)} for a result of ${shapeText(result.shape)}, found ${shapeText(shape)}.`)
  return result
}

function padType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('pad', inputs, 1)
  const before = shapeAttr(attrs, 'before'), after = shapeAttr(attrs, 'after')
  const { dtype, shape } = inputs[0]!
  requireRank('pad', 'before', before.length, shape)
  requireRank('pad', 'after', after.length, shape)
  numberAttr(attrs, 'value')
  if ([...before, ...after].some(isAlwaysNegative)) refuse(`pad: expected borders from 0 up, found before ${shapeText(before)} and after ${shapeText(after)}.`)
  return { dtype, shape: shape.map((d, i) => addDims(addDims(before[i]!, d), after[i]!)) }
}

function reverseType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('reverse', inputs, 1)
  requireRisingAxes('reverse', integersAttr(attrs, 'axes'), inputs[0]!.shape)
  return inputs[0]!
}

function concatType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  if (inputs.length === 0) refuse('concat: expected at least one input, found none.')
  const axis = numberAttr(attrs, 'axis')
  const { dtype, shape } = inputs[0]!
  requireAxis('concat', axis, shape)
  for (const other of inputs) {
    const agrees = other.dtype === dtype && other.shape.length === shape.length && shape.every((d, i) => i === axis || equalDims(d, other.shape[i]!))
    if (!agrees) refuse(`concat: expected inputs that agree but for axis ${axis}, found ${typeText(inputs[0]!)} and ${typeText(other)}.`)
  }
  const total = inputs.reduce<Dim>((sum, t) => addDims(sum, t.shape[axis]!), 0)
  return { dtype, shape: shape.map((d, i) => (i === axis ? total : d)) }
}

function requireIndices(op: string, type: TensorType): void {
  if (type.dtype !== 'int32') refuse(`${op}: expected indices of dtype int32, found ${typeText(type)}.`)
}

function gatherType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('gather', inputs, 2)
  const [table, indices] = inputs as [TensorType, TensorType]
  const { dtype, shape } = table
  requireIndices('gather', indices)
  if (shape.length === 0) refuse(`gather: expected a table with an axis, found ${typeText(table)}.`)
  const axis = numberAttr(attrs, 'axis')
  requireAxis('gather', axis, shape)
  return { dtype, shape: [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)] }
}

function scatterAddType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('scatterAdd', inputs, 2)
  const [indices, updates] = inputs as [TensorType, TensorType]
  const { dtype, shape } = updates
  requireIndices('scatterAdd', indices)
  requireDType('scatterAdd', updates, numbers)
  if (indices.shape.length !== 1) refuse(`scatterAdd: expected indices of rank 1, found ${typeText(indices)}.`)
  const axis = numberAttr(attrs, 'axis'), size = dimAttr(attrs, 'size')
  requireAxis('scatterAdd', axis, shape)
  if (!equalDims(shape[axis]!, indices.shape[0]!)) refuse(`scatterAdd: expected a slice for each index, found ${typeText(indices)} and ${typeText(updates)}.`)
  return { dtype, shape: requireShape('scatterAdd', shape.map((d, i) => (i === axis ? size : d))) }
}

function matmulType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('matmul', inputs, 2)
  const [a, b] = inputs as [TensorType, TensorType]
  const inner = attrs['inner'] === undefined ? 1 : numberAttr(attrs, 'inner')
  if (inner < 1) refuse(`matmul: expected at least one inner axis, found ${inner}.`)
  for (const t of [a, b]) {
    requireDType('matmul', t, factors)
    if (t.shape.length <= inner) refuse(`matmul: expected operands of rank ${inner + 1} or more, found ${typeText(t)}.`)
  }
  if (a.dtype !== b.dtype) refuse(`matmul: expected operands of one dtype, found ${typeText(a)} and ${typeText(b)}.`)
  const left = sides(a.shape, inner, flagAttr(attrs, 'transposeA')), right = sides(b.shape, inner, !flagAttr(attrs, 'transposeB'))
  if (!equalShapes(left.inner, right.inner)) {
    refuse(`matmul: expected equal inner sizes, found ${shapeText(left.inner)} and ${shapeText(right.inner)} (${typeText(a)} and ${typeText(b)}).`)
  }
  return { dtype: isShortFloat(a.dtype) ? 'float32' : a.dtype, shape: [...left.outer, ...right.outer] }
}

/** The axes that are kept and those summed over, `inner` of them, which come last or first. */
const sides = (shape: Shape, inner: number, innerFirst: boolean): { outer: Shape; inner: Shape } =>
  innerFirst ? { outer: shape.slice(inner), inner: shape.slice(0, inner) } : { outer: shape.slice(0, -inner), inner: shape.slice(-inner) }

function scalarType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('scalar', inputs, 0)
  stringAttr(attrs, 'name')
  return { dtype: 'float32', shape: [] }
}

function variableType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  const type = named('variable')(inputs, attrs)
  if (!type.shape.every(isStatic)) refuse(`variable: expected a shape of numbers, found ${typeText(type)}.`)
  return type
}

function constantType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  numberAttr(attrs, 'value')
  return declared('constant', anything)(inputs, attrs)
}

function iotaType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  const type = declared('iota', numbers)(inputs, attrs)
  requireAxis('iota', numberAttr(attrs, 'axis'), type.shape)
  return type
}

function randomType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('randomUniform', inputs, 0)
  const stream = numberAttr(attrs, 'stream')
  if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) refuse(`randomUniform: expected a stream from 0 to 2^32-1, found ${stream}.`)
  return { dtype: 'float32', shape: requireShape('randomUniform', shapeAttr(attrs, 'shape')) }
}

function dimensionType(inputs: readonly TensorType[], attrs: Attrs): TensorType {
  requireCount('dimension', inputs, 0)
  dimAttr(attrs, 'dim')
  return { dtype: 'float32', shape: [] }
}

export const typeRules = {
  input: named('input'),
  variable: variableType,
  scalar: scalarType,
  constant: constantType,
  iota: iotaType,
  randomUniform: randomType,
  dimension: dimensionType,

  add: pointwise('add', 2, numbers),
  sub: pointwise('sub', 2, numbers),
  mul: pointwise('mul', 2, numbers),
  div: pointwise('div', 2, floats),
  pow: pointwise('pow', 2, floats),
  maximum: pointwise('maximum', 2, numbers),
  minimum: pointwise('minimum', 2, numbers),
  neg: pointwise('neg', 1, numbers),
  abs: pointwise('abs', 1, numbers),
  sign: pointwise('sign', 1, numbers),
  relu: pointwise('relu', 1, numbers),
  floor: pointwise('floor', 1, floats),
  exp: pointwise('exp', 1, floats),
  expm1: pointwise('expm1', 1, floats),
  log: pointwise('log', 1, floats),
  log1p: pointwise('log1p', 1, floats),
  sqrt: pointwise('sqrt', 1, floats),
  tanh: pointwise('tanh', 1, floats),
  sigmoid: pointwise('sigmoid', 1, floats),

  equal: comparison('equal'),
  notEqual: comparison('notEqual'),
  less: comparison('less'),
  lessEqual: comparison('lessEqual'),
  greater: comparison('greater'),
  greaterEqual: comparison('greaterEqual'),
  and: pointwise('and', 2, ['bool']),
  or: pointwise('or', 2, ['bool']),
  not: pointwise('not', 1, ['bool']),
  select: selectType,
  cast: castType,

  sum: reduction('sum'),
  prod: reduction('prod'),
  max: maxType,
  min: reduction('min'),
  argmax: argmaxType,

  reshape: reshapeType,
  stopGradient: identity('stopGradient'),
  broadcastTo: broadcastType,
  transpose: transposeType,
  slice: sliceType,
  windows: windowsType,
  overlapAdd: overlapAddType,
  reverse: reverseType,
  pad: padType,
  concat: concatType,
  gather: gatherType,
  scatterAdd: scatterAddType,
  matmul: matmulType,
} satisfies Record<string, TypeRule>

export type OpName = keyof typeof typeRules

export const isOpName = (name: string): name is OpName => Object.hasOwn(typeRules, name)

/** The result type of op `name`. @throws ValueError for an unknown op or operands it refuses. */
export function inferType(name: string, inputs: readonly TensorType[], attrs: Attrs): TensorType {
  if (!isOpName(name)) refuse(`Unknown op "${name}".`)
  return typeRules[name](inputs, attrs)
}
