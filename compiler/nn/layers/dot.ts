/** Dot: products of samples over one axis of each. */
import { ArgumentTypeError, ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { div, expandDims, maximum, mul, reshape, sqrt, sum, transpose } from '../../ops/build.js'
import { square } from '../../ops/compositions.js'
import { defineLayer } from '../define-layer.js'
import type { LayerOptions } from '../layer.js'
import { boolean, type Option } from '../option.js'
import { tupleText } from '../python-text.js'
import type { KShape } from '../shape.js'
import type { KTensor } from '../tensor.js'

export type DotAxes = number | readonly [number, number]

/** One axis for both inputs, or one for each. */
const dotAxes = (doc: string): Option<DotAxes, DotAxes> => ({
  doc, serialize: (v) => v,
  parse: (v) => {
    if (Number.isInteger(v)) return v
    if (!Array.isArray(v)) throw new ArgumentTypeError('Invalid type for `axes` - should be a list or an int.')
    if (v.length !== 2) throw new ValueError('Invalid format for `axes` - should contain two elements.')
    if (!v.every(Number.isInteger)) throw new ValueError('Invalid format for `axes` - list elements should be "int".')
    return [v[0], v[1]] as [number, number]
  },
})

/** The axis of each input, from 0 up. @throws ValueError for the batch axis or one that is not there. */
export function axesOf(axes: DotAxes, ranks: readonly [number, number]): [number, number] {
  const given = typeof axes === 'number' ? [axes, axes] : axes
  return ranks.map((rank, i) => {
    const axis = given[i]! < 0 ? given[i]! + rank : given[i]!
    if (axis === 0) throw new ValueError('Can not perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension to your inputs.')
    if (axis < 0 || axis >= rank) throw new ValueError(`\`axes\` is out of range for an input of rank ${rank}: ${given[i]!}`)
    return axis
  }) as [number, number]
}

/** @throws ValueError in Keras' words when the inputs are not two, or do not fit. */
function checkedAxes(axes: DotAxes, shapes: readonly KShape[]): [number, number] {
  const [a, b, more] = shapes
  if (!a || !b || more) throw new ValueError('A `Dot` layer should be called on a list of 2 inputs.')
  const [i, j] = axesOf(axes, [a.length, b.length])
  if (a[i] !== b[j]) throw new ValueError(`Dimension incompatibility ${String(a[i] ?? 'None')} != ${String(b[j] ?? 'None')}. Layer shapes: ${tupleText(a)}, ${tupleText(b)}`)
  return [i, j]
}

/** x scaled to length 1 along an axis. A length below 1e-6 counts as 1e-6, as in Keras. */
const normalized = (x: Node, axis: number): Node => div(x, sqrt(maximum(sum(square(x), axis, true), 1e-12)))

function lastAxis(x: Node, axis: number): Node {
  const others = x.type.shape.map((_, i) => i).filter((i) => i !== axis)
  return axis === others.length ? x : transpose(x, [...others, axis])
}

/** For each sample the sum over one axis of each input of all products: [B, …of a, …of b], at least [B, 1]. */
export function batchDot(a: Node, b: Node, [i, j]: readonly [number, number]): Node {
  const [left, right] = [lastAxis(a, i), lastAxis(b, j)]
  const [batch, ...rows] = left.type.shape.slice(0, -1)
  const columns = right.type.shape.slice(1, -1)
  const x = reshape(left, [batch!, ...rows, ...columns.map(() => 1), left.type.shape.at(-1)!])
  const y = reshape(right, [right.type.shape[0]!, ...rows.map(() => 1), ...columns, right.type.shape.at(-1)!])
  const result = sum(mul(x, y), -1)
  return result.type.shape.length === 1 ? expandDims(result, 1) : result
}

/** `Dot(axes)([a, b])`: for each sample the products over an axis of both; with `normalize`, their cosine. */
export const Dot = defineLayer({
  className: 'Dot',
  doc: 'For each sample, the sum over one axis of each of two inputs of all products: [B, …others of the first, …others of the second], or [B, 1].',
  positional: ['axes'],
  options: {
    axes: dotAxes('axis of both inputs, or one of each; the batch counts as 0'),
    normalize: boolean('whether both are first scaled to length 1 along the axis: the result is then their cosine', false),
  },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, shapes) => { checkedAxes(layer.axes, shapes) },
  call: (layer, [a, b]) => {
    const axes = axesOf(layer.axes, [a!.type.shape.length, b!.type.shape.length])
    return layer.normalize ? batchDot(normalized(a!, axes[0]), normalized(b!, axes[1]), axes) : batchDot(a!, b!, axes)
  },
  outputShape: (layer, shapes) => {
    const [i, j] = checkedAxes(layer.axes, shapes)
    const [a, b] = shapes as [KShape, KShape]
    const result = [...a.filter((_, axis) => axis !== i), ...b.filter((_, axis) => axis !== j && axis !== 0)]
    return result.length === 1 ? [...result, 1] : result
  },
})

/** `Dot(axes, options)(inputs)`. */
export const dot = (inputs: readonly KTensor[], axes: DotAxes, options: LayerOptions & { readonly normalize?: boolean } = {}): KTensor =>
  Dot(axes, options)(inputs)
