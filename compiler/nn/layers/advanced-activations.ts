/** Activations with options or weights of their own: LeakyReLU, PReLU, ELU, ThresholdedReLU, Softmax, ReLU. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { cast, greater, mul, neg, relu as reluNode, sub } from '../../ops/build.js'
import { elu, relu, softmax } from '../activations.js'
import { defineLayer } from '../define-layer.js'
import { constraint, float32, initializer, integer, optionalFloat32, regularizer, type Option } from '../option.js'
import { reprText } from '../python-text.js'
import type { KShape } from '../shape.js'
import { KTensor } from '../tensor.js'

const sameShape = (_: unknown, [shape]: readonly KShape[]): KShape => shape!
/** What all layers without weights that keep their input's shape have in common. */
const ofAnyInput = { positional: [], acceptsInputDim: false, inputSpec: null, build: null, outputShape: sameShape } as const
const applied = (f: (x: KTensor) => KTensor, x: Node | undefined): Node => f(new KTensor(x!)).node

/** `LeakyReLU({ alpha })`: x where it is positive, else alpha · x. */
export const LeakyReLU = defineLayer({
  ...ofAnyInput,
  className: 'LeakyReLU',
  doc: 'x where it is positive, else alpha · x.',
  options: { alpha: float32('slope below 0', 0.3) },
  call: (layer, [x]) => applied((t) => relu(t, { alpha: layer.alpha }), x),
})

/** `ELU({ alpha })`: x where it is positive, else alpha · (exp(x) - 1). */
export const ELU = defineLayer({
  ...ofAnyInput,
  className: 'ELU',
  doc: 'x where it is positive, else alpha · (exp(x) - 1).',
  options: { alpha: float32('limit for very negative x, without its sign', 1) },
  call: (layer, [x]) => applied((t) => elu(t, layer.alpha), x),
})

/** `ThresholdedReLU({ theta })`: x where it is above theta, else 0. */
export const ThresholdedReLU = defineLayer({
  ...ofAnyInput,
  className: 'ThresholdedReLU',
  doc: 'x where it is above theta, else 0.',
  options: { theta: float32('where it begins', 1) },
  call: (layer, [x]) => mul(x!, cast(greater(x!, layer.theta), x!.type.dtype)),
})

/** `Softmax({ axis })`: exp(x) / sum(exp(x)) along an axis. */
export const Softmax = defineLayer({
  ...ofAnyInput,
  className: 'Softmax',
  doc: 'exp(x) / sum(exp(x)) along an axis.',
  options: { axis: integer('axis along which the results add up to 1', -1) },
  call: (layer, [x]) => applied((t) => softmax(t, layer.axis), x),
})

/** @throws ValueError in Keras' words for a value below 0. */
const notNegative = <In, Out extends number | null>(option: Option<In, Out>): Option<In, Out> => ({
  ...option,
  parse: (v, name) => {
    const value = option.parse(v, name)
    if (value !== null && value < 0) throw new ValueError(`${name} of ReLU layer cannot be negative value: ${value}`)
    return value
  },
})

/** `ReLU({ maxValue, negativeSlope, threshold })`: max(x, 0), or with a largest value, a slope, and where it begins. */
export const ReLU = defineLayer({
  ...ofAnyInput,
  className: 'ReLU',
  doc: 'maxValue where x is at least that, x from the threshold on, else negativeSlope · (x - threshold).',
  options: {
    maxValue: notNegative(optionalFloat32('largest result; null for none')),
    negativeSlope: notNegative(float32('slope below the threshold', 0)),
    threshold: float32('where it begins', 0),
  },
  call: (layer, [x]) => applied((t) => relu(t, { alpha: layer.negativeSlope, maxValue: layer.maxValue, threshold: layer.threshold }), x),
})

/** Axes after the batch, or null; a single one may stand without a list. */
const sharedAxes = (doc: string): Option<number | readonly number[] | null, readonly number[] | null> => ({
  doc, fallback: null, serialize: (v) => v,
  parse: (v) => {
    const list = typeof v === 'number' ? [v] : v
    if (list === null || (Array.isArray(list) && list.every(Number.isInteger))) return list
    throw new ValueError(`\`shared_axes\` must be a list of axes, counted from 1 after the batch. Found: ${reprText(v)}`)
  },
})

/** `PReLU({ sharedAxes })`: x where it is positive, else alpha · x with an alpha that is learned for each element. */
export const PReLU = defineLayer({
  className: 'PReLU',
  doc: 'x where it is positive, else alpha · x. Weight: alpha, of the shape of a sample, 1 along the shared axes.',
  positional: [],
  options: {
    alphaInitializer: initializer('first values of alpha', 'zeros'),
    alphaRegularizer: regularizer('penalty on alpha'),
    alphaConstraint: constraint('projection of alpha after each update'),
    sharedAxes: sharedAxes('axes, counted from 1 after the batch, along which one alpha serves all'),
  },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, [shape]) => {
    const shared = layer.sharedAxes ?? []
    const outside = shared.find((axis) => axis < 1 || axis >= shape!.length)
    if (outside !== undefined) throw new ValueError(`\`shared_axes\` must be from 1 to ${shape!.length - 1} for an input of rank ${shape!.length}. Found: ${outside}`)
    layer.addWeight({
      name: 'alpha', shape: shape!.slice(1).map((d, i) => (shared.includes(i + 1) ? 1 : d)),
      initializer: layer.alphaInitializer, regularizer: layer.alphaRegularizer, constraint: layer.alphaConstraint,
    })
    const fixed = shape!.flatMap((d, axis) => (axis > 0 && d !== null && !shared.includes(axis) ? [[axis, d]] : []))
    layer.inputSpec = { ndim: shape!.length, axes: Object.fromEntries(fixed) }
  },
  call: (layer, [x]) => sub(reluNode(x!), mul(layer.weightNamed('alpha')!.node, reluNode(neg(x!)))),
  outputShape: sameShape,
})
