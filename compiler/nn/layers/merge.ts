/** Layers that join several inputs element by element or along an axis, and their lower-case functions. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add as addNodes, concat, div, expandDims, maximum as maximumNodes, minimum as minimumNodes, mul, sub } from '../../ops/build.js'
import { defineLayer } from '../define-layer.js'
import type { LayerOptions } from '../layer.js'
import { integer } from '../option.js'
import { shapesText, tupleText } from '../python-text.js'
import type { KShape } from '../shape.js'
import type { KTensor } from '../tensor.js'

/** Broadcasting of sample shapes, unknown sizes staying unknown. @throws ValueError in Keras' words. */
function broadcastSamples(a: KShape, b: KShape): KShape {
  if (a.length < b.length) return broadcastSamples(b, a)
  if (b.length === 0) return a
  const lead = a.length - b.length
  return a.map((x, i) => {
    if (i < lead) return x
    const y = b[i - lead]!
    if (x === null || y === null) return null
    if (x === 1) return y
    if (y !== 1 && x !== y) {
      throw new ValueError(`Operands could not be broadcast together with shapes ${tupleText(a)} ${tupleText(b)}`, null,
        `expected: equal sizes, or one of them 1, on every axis\nfound:    ${x} and ${y} on axis ${i + 1}`)
    }
    return x
  })
}

/** Shape of an elementwise merge. @throws ValueError when the inputs cannot be merged. */
export function mergedShape(shapes: readonly KShape[]): KShape {
  if (shapes.length < 2) throw new ValueError('A merge layer should be called on a list of inputs.')
  const batches = new Set(shapes.map((s) => s[0] ?? null).filter((b) => b !== null))
  if (batches.size > 1) throw new ValueError(`Can not merge tensors with different batch sizes. Got tensors with shapes : ${shapesText(shapes)}`)
  const sample = shapes.map((s): KShape => s.slice(1)).reduce((a, b) => broadcastSamples(a, b))
  return [[...batches][0] ?? null, ...sample]
}

/** Inputs of lower rank get axes of size 1 after the batch, so that samples broadcast as in Keras. */
export function alignRanks(inputs: readonly Node[]): Node[] {
  const rank = Math.max(...inputs.map((x) => x.type.shape.length))
  return inputs.map((x) => {
    let aligned = x
    while (aligned.type.shape.length < rank) aligned = expandDims(aligned, 1)
    return aligned
  })
}

/** A layer without options that joins inputs of one broadcast shape. */
const elementwise = (className: string, doc: string, join: (inputs: readonly Node[]) => Node, check: (shapes: readonly KShape[]) => void = () => undefined) =>
  defineLayer({
    className, doc,
    positional: [],
    options: {},
    acceptsInputDim: false,
    inputSpec: null,
    build: (_, shapes) => {
      mergedShape(shapes)
      check(shapes)
    },
    call: (_, inputs) => join(alignRanks(inputs)),
    outputShape: (_, shapes) => mergedShape(shapes),
  })

const folded = (f: (a: Node, b: Node) => Node) => (inputs: readonly Node[]): Node => inputs.reduce((a, b) => f(a, b))
const sumOf = folded(addNodes)

/** @throws ValueError in Keras' words. */
function requireTwo(shapes: readonly KShape[]): void {
  if (shapes.length !== 2) throw new ValueError('A `Subtract` layer should be called on exactly 2 inputs', null, `found: ${shapes.length} inputs`)
}

/** `Add()([a, b, …])`: the sum of two or more tensors. */
export const Add = elementwise('Add', 'The sum of two or more inputs, broadcast to one shape.', sumOf)
/** `Subtract()([a, b])`: the first less the second of exactly two tensors. */
export const Subtract = elementwise('Subtract', 'The first input less the second, broadcast to one shape.', folded(sub), requireTwo)
/** `Multiply()([a, b, …])`: the product of two or more tensors. */
export const Multiply = elementwise('Multiply', 'The product of two or more inputs, broadcast to one shape.', folded(mul))
/** `Average()([a, b, …])`: the mean of two or more tensors. */
export const Average = elementwise('Average', 'The mean of two or more inputs, broadcast to one shape.', (inputs) => div(sumOf(inputs), inputs.length))
/** `Maximum()([a, b, …])`: the largest of two or more tensors, element by element. */
export const Maximum = elementwise('Maximum', 'The largest of two or more inputs, broadcast to one shape.', folded(maximumNodes))
/** `Minimum()([a, b, …])`: the smallest of two or more tensors, element by element. */
export const Minimum = elementwise('Minimum', 'The smallest of two or more inputs, broadcast to one shape.', folded(minimumNodes))

/** @throws ValueError in Keras' words when other axes than `axis` differ. */
function concatenatedShape(shapes: readonly KShape[], axis: number): KShape {
  if (shapes.length < 2) throw new ValueError('A `Concatenate` layer should be called on a list of at least 2 inputs')
  const rank = shapes[0]!.length
  const at = axis < 0 ? axis + rank : axis
  const others = new Set(shapes.map((s) => tupleText(s.filter((_, i) => i !== at))))
  if (others.size > 1) throw new ValueError(`A \`Concatenate\` layer requires inputs with matching shapes except for the concat axis. Got inputs shapes: ${shapesText(shapes)}`)
  const size = shapes.reduce<number | null>((sum, s) => (sum === null || (s[at] ?? null) === null ? null : sum + s[at]!), 0)
  return shapes[0]!.map((d, i) => (i === at ? size : d))
}

/** `Concatenate({ axis })([a, b, …])`: tensors one after the other along an axis. */
export const Concatenate = defineLayer({
  className: 'Concatenate',
  doc: 'The inputs one after the other along `axis`; their other sizes must agree.',
  positional: [],
  options: { axis: integer('axis along which the inputs follow each other', -1) },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, shapes) => { concatenatedShape(shapes, layer.axis) },
  call: (layer, inputs) => concat(inputs, layer.axis),
  outputShape: (layer, shapes) => concatenatedShape(shapes, layer.axis),
})

/** `Add()(inputs)`. */
export const add = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Add(options)(inputs)
/** `Subtract()(inputs)`. */
export const subtract = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Subtract(options)(inputs)
/** `Multiply()(inputs)`. */
export const multiply = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Multiply(options)(inputs)
/** `Average()(inputs)`. */
export const average = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Average(options)(inputs)
/** `Maximum()(inputs)`. */
export const maximum = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Maximum(options)(inputs)
/** `Minimum()(inputs)`. */
export const minimum = (inputs: readonly KTensor[], options: LayerOptions = {}): KTensor => Minimum(options)(inputs)
/** `Concatenate({ axis })(inputs)`. */
export const concatenate = (inputs: readonly KTensor[], options: LayerOptions & { readonly axis?: number } = {}): KTensor =>
  Concatenate(options)(inputs)
