/** BatchNormalization: mean 0 and variance 1 for each channel, then a learned scale and offset. */
import { ValueError } from '../../../runtime/contract/errors.js'
import type { Node } from '../../ir/graph.js'
import { add, countOf, div, maximum, mean as meanOf, mul, reshape, sqrt, sub } from '../../ops/build.js'
import { square } from '../../ops/compositions.js'
import { defineLayer, type DefinedWeights } from '../define-layer.js'
import type { Layer } from '../layer.js'
import { boolean, constraint, initializer, integer, number, regularizer } from '../option.js'
import { tupleText } from '../python-text.js'
import type { KShape } from '../shape.js'
import { KTensor } from '../tensor.js'

/** The axis from 0 up. @throws ValueError when the input has no such axis, or its size is not known. */
function channelsOf(axis: number, shape: KShape): { readonly axis: number; readonly size: number } {
  const at = axis < 0 ? axis + shape.length : axis
  if (at < 0 || at >= shape.length) throw new ValueError(`Axis ${axis} is out of range for an input of shape ${tupleText(shape)}.`)
  const size = shape[at]
  if (size === null || size === undefined) throw new ValueError(`Axis ${axis} of input tensor should have a defined dimension but the layer received an input with shape ${tupleText(shape)}.`)
  return { axis: at, size }
}

/** Mean and variance of each channel: of all other axes' elements, their number `count`. */
type Statistics = { readonly mean: Node; readonly variance: Node }

/** Of this batch, the variance divided by the count. */
function batchStatistics(x: Node, axes: readonly number[]): Statistics {
  const mean = meanOf(x, axes, true)
  const flat = (node: Node): Node => reshape(node, [-1])
  return { mean: flat(mean), variance: flat(meanOf(square(sub(x, mean)), axes, true)) }
}

type Normalization = Layer & DefinedWeights & { readonly axis: number; readonly epsilon: number; readonly momentum: number }

/** (x - mean) / sqrt(variance + epsilon) · gamma + beta. */
function normalize(layer: Normalization, x: Node, axis: number, { mean, variance }: Statistics): Node {
  const wide = (node: Node): Node => reshape(node, x.type.shape.map((d, i) => (i === axis ? d : 1)))
  const [gamma, beta] = [layer.weightNamed('gamma'), layer.weightNamed('beta')]
  const factor = div(gamma?.node ?? 1, sqrt(add(variance, layer.epsilon)))
  const scaled = mul(sub(x, wide(mean)), wide(factor))
  return beta ? add(scaled, wide(beta.node)) : scaled
}

/**
 * What Keras adds to the moving variance for a batch's one. Of 4-D inputs over the last axis, TensorFlow's fused
 * kernel gives the variance with n - 1 in the denominator, before Keras applies its own correction to it.
 */
function movingSample(layer: Normalization, x: Node, axis: number, axes: readonly number[], variance: Node): Node {
  const count = countOf(x, axes)
  const rank = x.type.shape.length
  const sample = rank === 4 && axis === rank - 1 ? mul(variance, div(count, maximum(sub(count, 1), 1))) : variance
  return mul(sample, div(count, sub(count, 1 + layer.epsilon)))
}

/** moving · momentum + value · (1 - momentum). */
function moveTowards(layer: Normalization, name: string, value: Node): void {
  const weight = layer.weightNamed(name)!
  layer.addUpdate(weight, new KTensor(add(mul(layer.pendingValue(weight), layer.momentum), mul(value, 1 - layer.momentum))))
}

/**
 * `BatchNormalization({ axis, momentum, epsilon, center, scale, … })`. In training each channel is normalised by the
 * batch's own mean and variance, which the moving ones follow; elsewhere by the moving ones. A frozen layer
 * (`trainable: false`) normalises by the batch all the same, but its moving statistics stay, as in Keras 2.3.
 */
export const BatchNormalization = defineLayer({
  className: 'BatchNormalization',
  doc: '(x - mean) / sqrt(variance + epsilon) · gamma + beta for each channel. Weights: gamma, beta, moving_mean, moving_variance, each [channels].',
  positional: [],
  options: {
    axis: integer('axis of the channels', -1),
    momentum: number('share of the moving statistics that stays at each step', 0.99),
    epsilon: number('added to the variance', 1e-3),
    center: boolean('whether there is a beta', true),
    scale: boolean('whether there is a gamma', true),
    betaInitializer: initializer('first values of beta', 'zeros'),
    gammaInitializer: initializer('first values of gamma', 'ones'),
    movingMeanInitializer: initializer('first values of the moving mean', 'zeros'),
    movingVarianceInitializer: initializer('first values of the moving variance', 'ones'),
    betaRegularizer: regularizer('penalty on beta'),
    gammaRegularizer: regularizer('penalty on gamma'),
    betaConstraint: constraint('projection of beta after each update'),
    gammaConstraint: constraint('projection of gamma after each update'),
  },
  acceptsInputDim: false,
  inputSpec: null,
  build: (layer, [given]) => {
    const { size } = channelsOf(layer.axis, given!)
    const shape = [size]
    layer.inputSpec = { ndim: given!.length, axes: { [layer.axis]: size } }
    if (layer.scale) layer.addWeight({ name: 'gamma', shape, initializer: layer.gammaInitializer, regularizer: layer.gammaRegularizer, constraint: layer.gammaConstraint })
    if (layer.center) layer.addWeight({ name: 'beta', shape, initializer: layer.betaInitializer, regularizer: layer.betaRegularizer, constraint: layer.betaConstraint })
    layer.addWeight({ name: 'moving_mean', shape, initializer: layer.movingMeanInitializer, trainable: false })
    layer.addWeight({ name: 'moving_variance', shape, initializer: layer.movingVarianceInitializer, trainable: false })
  },
  call: (layer, [x], scope) => {
    const rank = x!.type.shape.length
    const axis = layer.axis < 0 ? layer.axis + rank : layer.axis
    if (!scope.training) {
      return normalize(layer, x!, axis, { mean: layer.weightNamed('moving_mean')!.node, variance: layer.weightNamed('moving_variance')!.node })
    }
    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)
    const batch = batchStatistics(x!, axes)
    moveTowards(layer, 'moving_mean', batch.mean)
    moveTowards(layer, 'moving_variance', movingSample(layer, x!, axis, axes, batch.variance))
    return normalize(layer, x!, axis, batch)
  },
  outputShape: (_, [shape]) => shape!,
})
