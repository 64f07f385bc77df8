/** What a random network over sequences, images or volumes [B, ...spatial, C] is made of. Shapes stay small. */
import { isStatic, type Shape } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import { leakyRelu, square, variance } from '../../compiler/ops/compositions.js'
import * as conv from '../../compiler/ops/convolution.js'
import type { Sliding } from '../../compiler/ops/convolution.js'
import type { Draw } from './draw.js'

export type NetworkStep = (d: Draw, x: Node) => Node | null

/** Channel counts around vectors of every level. */
const widths = [1, 2, 3, 4, 5, 8, 15, 16, 17]

const rankOf = (x: Node): number => x.type.shape.length - 2
const spatial = (x: Node): number[] => x.type.shape.slice(1, -1).map(Number)
const channels = (x: Node): number => Number(x.type.shape.at(-1))
const each = <T>(x: Node, draw: (size: number, i: number) => T): T[] => spatial(x).map(draw)

const activations: readonly ((x: Node) => Node)[] = [b.relu, b.relu, b.tanh, b.sigmoid, (x) => leakyRelu(x, 0.3), (x) => square(b.tanh(x)), (x) => x]
const activated = (d: Draw, x: Node): Node => d.of(activations)(x)

/** Windows that fit, or do not: then the op refuses and the step makes nothing. */
function sliding(d: Draw, x: Node, mostStride = 3): Sliding {
  const padding = rankOf(x) === 1 && d.chance(0.3) ? 'causal' : d.of(['valid', 'same'] as const)
  return {
    padding, sizes: each(x, (size) => 1 + d.whole(padding === 'valid' ? Math.min(3, size) : 3)),
    strides: each(x, () => (d.chance(0.6) ? 1 : 1 + d.whole(mostStride))), dilations: each(x, () => (d.chance(0.85) ? 1 : 2)),
  }
}

const withBias = (d: Draw, y: Node): Node => (d.chance(0.7) ? b.add(y, d.variable([y.type.shape.at(-1)!])) : y)
const scaled = (y: Node, terms: number): Node => b.mul(y, 1 / Math.sqrt(terms))

function convolved(d: Draw, x: Node): Node {
  const s = sliding(d, x), filters = d.of(widths), terms = s.sizes.reduce((p, k) => p * k, channels(x))
  return activated(d, withBias(d, scaled(conv.convolution(x, d.variable([...s.sizes, channels(x), filters]), s), terms)))
}

function depthwise(d: Draw, x: Node): Node {
  const s = sliding(d, x), multiplier = 1 + d.whole(2)
  return activated(d, withBias(d, conv.depthwiseConvolution(x, d.variable([...s.sizes, channels(x), multiplier]), s)))
}

function transposed(d: Draw, x: Node): Node {
  const padding = d.of(['valid', 'same'] as const), sizes = each(x, () => 1 + d.whole(3)), strides = each(x, () => 1 + d.whole(2))
  const lengths = each(x, (n, i) => n * strides[i]! + (padding === 'valid' ? Math.max(sizes[i]! - strides[i]!, 0) : 0))
  const filters = d.of(widths)
  return activated(d, withBias(d, scaled(conv.transposedConvolution(x, d.variable([...sizes, filters, channels(x)]), { sizes, strides, dilations: sizes.map(() => 1), padding }, lengths), channels(x))))
}

function pooled(d: Draw, x: Node): Node {
  const s = sliding(d, x), padding = s.padding === 'causal' ? 'same' : s.padding
  const apart = d.chance(0.5) ? s.sizes : s.strides
  return d.of([conv.maxPooling, conv.averagePooling])(x, { ...s, padding, strides: apart, dilations: s.sizes.map(() => 1) })
}

/** Over all but the channels, as a training step does it. */
function normalized(d: Draw, x: Node): Node {
  const axes = x.type.shape.map((_, i) => i).slice(0, -1)
  const scale = d.variable([channels(x)]), shifted = b.sub(x, b.mean(x, axes, true))
  return b.add(b.mul(b.div(shifted, b.sqrt(b.add(variance(x, axes, true), 0.1))), scale), d.variable([channels(x)]))
}

const around = (x: Node, draw: (size: number) => number): Shape => [0, ...each(x, draw), 0]
const padded = (d: Draw, x: Node): Node => b.pad(x, around(x, () => d.whole(3)), around(x, () => d.whole(2)), d.of([0, 0, 1]))

function cropped(d: Draw, x: Node): Node {
  const begin = each(x, (n) => d.whole(Math.min(n, 3))), size = each(x, (n, i) => Math.max(1, n - begin[i]! - d.whole(2)))
  return b.slice(x, [0, ...begin, 0], [x.type.shape[0]!, ...size, channels(x)])
}

/** Each element along one axis several times in a row. */
function repeated(d: Draw, x: Node): Node {
  const axis = 1 + d.whole(rankOf(x)), times = 2 + d.whole(2), { shape } = x.type
  const wide = b.broadcastTo(b.expandDims(x, axis + 1), [...shape.slice(0, axis + 1), times, ...shape.slice(axis + 1)])
  return b.reshape(wide, shape.map((n, i) => (i === axis ? Number(n) * times : n)))
}

/** The work of `inner` on the tensor with its axes in another order. */
function turned(d: Draw, x: Node, inner: NetworkStep): Node | null {
  const rank = x.type.shape.length, perm = [0, rank - 1, ...each(x, (_, i) => i + 1)]
  const y = inner(d, b.transpose(x, perm))
  return y ? b.transpose(y, perm.map((_, i) => perm.indexOf(i))) : null
}

/** Branches of one input side by side. */
function branches(d: Draw, x: Node): Node {
  const sizes = each(x, () => d.of([1, 2, 3])), ones = sizes.map(() => 1), filters = d.of(widths.slice(0, 6))
  const same: Sliding = { sizes, strides: ones, dilations: ones, padding: 'same' }
  const side = activated(d, scaled(conv.convolution(x, d.variable([...sizes, channels(x), filters]), same), channels(x)))
  return b.concat(d.chance(0.5) ? [x, side] : [side, conv.maxPooling(x, same), x], x.type.shape.length - 1)
}

/** A product of the channels at every position, added to what it reads. */
function residual(d: Draw, x: Node): Node {
  const ones = each(x, () => 1), n = channels(x)
  return b.add(x, activated(d, withBias(d, scaled(conv.convolution(x, d.variable([...ones, n, n]), { sizes: ones, strides: ones, dilations: ones, padding: 'valid' }), n))))
}

function dropped(d: Draw, x: Node): Node {
  const whole = d.chance(0.5), shape = whole ? x.type.shape : x.type.shape.map((n, i) => (i === 0 || i === x.type.shape.length - 1 ? n : 1))
  return b.select(b.broadcastTo(b.greaterEqual(d.uniform(shape), 0.25), x.type.shape), b.mul(x, 4 / 3), 0)
}

function local(d: Draw, x: Node): Node {
  const s: Sliding = { ...sliding(d, x), padding: 'valid', dilations: each(x, () => 1) }
  const counts = each(x, (n, i) => Math.ceil((n - s.sizes[i]! + 1) / s.strides[i]!)), inner = s.sizes.reduce((p, k) => p * k, channels(x)), filters = 1 + d.whole(3)
  return activated(d, scaled(conv.locallyConnected(x, d.variable([counts.reduce((p, n) => p * n, 1), inner, filters]), s, d.chance(0.5)), inner))
}

export const networkSteps: readonly NetworkStep[] = [
  convolved, convolved, convolved, pooled, pooled, depthwise, transposed, normalized, padded, cropped, repeated, branches, residual, dropped, local,
  (d, x) => turned(d, x, d.of([padded, cropped, pooled, dropped, convolved])),
  (_, x) => b.mul(x, b.sigmoid(b.mean(x, each(x, (_, i) => i + 1), true))),
]

/** A matrix for the last product: all elements of a sample, or one number for each channel. */
export function flattened(d: Draw, x: Node): Node {
  const axes = each(x, (_, i) => i + 1)
  return d.chance(0.6) ? b.reshape(x, [x.type.shape[0]!, x.type.shape.slice(1).reduce<number>((p, n) => p * Number(n), 1)]) : d.of([b.max, b.mean])(x, axes)
}

/** Small enough to evaluate plainly many times. */
export const isSmallImage = (x: Node): boolean =>
  x.type.shape.slice(1).every((n) => isStatic(n) && n > 0) && x.type.shape.slice(1).reduce<number>((p, n) => p * Number(n), 1) <= 500
