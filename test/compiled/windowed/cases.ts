/** Layers with windows, and ops that they are made of, at sizes where they go wrong, each with its plain evaluation. */
import { symbol } from '../../../compiler/ir/dim.js'
import type { Node } from '../../../compiler/ir/graph.js'
import type { JsonObject } from '../../../compiler/nn/configured.js'
import { layerTable } from '../../../compiler/nn/layer-table.js'
import { Input } from '../../../compiler/nn/layers/index.js'
import { clearSession } from '../../../compiler/nn/session.js'
import { toList } from '../../../compiler/nn/shape.js'
import * as b from '../../../compiler/ops/build.js'
import * as ops from '../../../compiler/ops/convolution.js'
import type { Tensor } from '../../../compiler/ops/define-op.js'
import { f32 } from '../../../compiler/ops/samples.js'
import * as plain from './plain.js'
import type { Sliding } from './plain.js'

/** `y` of the input `x`, whose first axis is a symbol, and of variables. */
export type Made = { readonly x: Node; readonly y: Node; readonly weights: readonly Node[] }
export type WindowedCase = {
  readonly title: string
  readonly make: () => Made
  readonly plain: (x: Tensor, weights: readonly Tensor[]) => Tensor
  /** Whether differences need small steps: it chooses between elements, or multiplies more than two. */
  readonly smallSteps?: true
}

const curved = (c: WindowedCase): WindowedCase => ({ ...c, smallSteps: true })

type Each = number | readonly number[]
/** Sizes of one case: input without batch, windows, strides, dilations, padding, whether channels come first, further options. */
type At = { readonly x: readonly number[]; readonly k: readonly number[]; readonly s?: Each; readonly d?: Each; readonly p?: Sliding['padding']; readonly first?: true; readonly more?: JsonObject }
type Plain = (x: Tensor, weights: readonly Tensor[], sliding: Sliding) => Tensor

const list = (n: Each | undefined, rank: number, usual = 1): number[] => (typeof n === 'object' ? [...n] : Array.from({ length: rank }, () => n ?? usual))
const slidingOf = ({ k, s, d, p }: At, usualStride = 1): Sliding =>
  ({ sizes: k, strides: list(s, k.length, usualStride), dilations: list(d, k.length), padding: p ?? 'valid' })

/** A layer of class `name`, configured as Keras writes it. */
function layerCase(name: string, config: JsonObject, at: Pick<At, 'x' | 'first'>, evaluate: WindowedCase['plain']): WindowedCase {
  const all: JsonObject = { ...config, ...(at.first && { data_format: 'channels_first' }) }
  return {
    title: `${name} of [${at.x.join()}] ${JSON.stringify(all)}`,
    make: () => {
      clearSession()
      const x = Input({ shape: at.first ? [at.x.at(-1)!, ...at.x.slice(0, -1)] : at.x })
      const layer = layerTable[name]!.fromConfig({ name: 'layer', ...all })
      const [y] = toList(layer.apply(x))
      return { x: x.node, y: y!.node, weights: layer.weights.map((w) => w.node) }
    },
    plain: (x, weights) => (at.first ? plain.withChannelsFirst(x, (last) => evaluate(last, weights)) : evaluate(x, weights)),
  }
}

/** A layer that slides a kernel over `at.k.length` axes. */
const slid = (name: string, evaluate: Plain, config: JsonObject = {}) => (at: At): WindowedCase => layerCase(`${name}`, {
  ...config, kernel_size: [...at.k], ...(at.s !== undefined && { strides: list(at.s, at.k.length) }), ...(at.d !== undefined && { dilation_rate: list(at.d, at.k.length) }),
  ...(at.p && { padding: at.p }), ...at.more,
}, at, (x, weights) => evaluate(x, weights, slidingOf(at)))

/** Pooling: windows side by side unless strides are given. */
const pool = (name: string, evaluate: (x: Tensor, sliding: Sliding) => Tensor) => (at: At): WindowedCase =>
  layerCase(`${name}${at.k.length}D`, { pool_size: [...at.k], strides: at.s === undefined ? null : list(at.s, at.k.length), ...(at.p && { padding: at.p }) }, at,
    (x) => evaluate(x, { ...slidingOf(at), strides: at.s === undefined ? at.k : list(at.s, at.k.length) }))

/** A composition of ops where no layer goes: strides with dilation, more than three axes, windows by themselves. */
const opCase = (title: string, shape: readonly number[], kernel: readonly number[], y: (x: Node, kernel: Node) => Node, evaluate: (x: Tensor, kernel: Tensor) => Tensor): WindowedCase => ({
  title: `${title} of [${shape.join()}]`,
  make: () => {
    const x = b.input('x', f32(symbol('B'), ...shape)), w = b.variable('w', f32(...kernel))
    return { x, y: y(x, w), weights: kernel.length > 0 ? [w] : [] }
  },
  plain: (x, weights) => evaluate(x, weights[0]!),
})

const convolution = (at: At): WindowedCase => slid(`Conv${at.k.length}D`, (x, [kernel, bias], sliding) => plain.biased(plain.convolution(x, kernel!, sliding), bias), { filters: 3 })(at)

const convolutions: readonly At[] = [
  { x: [7, 3], k: [3] }, { x: [5, 1], k: [5], more: { filters: 1 } }, { x: [6, 5], k: [2], p: 'same' }, { x: [9, 16], k: [3], p: 'same', d: 2 }, { x: [6, 2], k: [4], s: 2, p: 'same', more: { filters: 17 } }, { x: [7, 2], k: [2], s: 3 },
  { x: [8, 2], k: [3], d: 2, p: 'causal' }, { x: [7, 15], k: [3], s: 2, p: 'causal' }, { x: [9, 1], k: [2], d: 3, p: 'same' }, { x: [1, 1], k: [1] }, { x: [1, 3], k: [3], p: 'same' },
  { x: [6, 3], k: [2], first: true }, { x: [2, 2], k: [4], p: 'same', more: { use_bias: false } },
  { x: [5, 4, 3], k: [3, 2] }, { x: [4, 5, 5], k: [2, 3], p: 'same', more: { filters: 15 } }, { x: [5, 7, 2], k: [2, 2], s: 3, p: 'same' }, { x: [6, 6, 1], k: [1, 1], s: 2 },
  { x: [7, 6, 17], k: [2, 2], d: 2 }, { x: [5, 6, 17], k: [3, 2], p: 'same', more: { filters: 16 } }, { x: [6, 5, 2], k: [3, 3], s: [2, 1], p: 'same', first: true }, { x: [5, 5, 1], k: [3, 3], more: { filters: 16, use_bias: false } }, { x: [2, 9, 3], k: [2, 1], s: [1, 4] },
  { x: [3, 3, 16], k: [3, 3], more: { filters: 1 } }, { x: [1, 1, 5], k: [1, 1], more: { filters: 5 } }, { x: [4, 4, 2], k: [4, 4], p: 'same', d: [1, 2], first: true },
  { x: [3, 4, 3, 2], k: [2, 2, 2], s: 2, p: 'same' }, { x: [3, 3, 2, 3], k: [2, 1, 2], d: [1, 2, 1] }, { x: [2, 3, 3, 2], k: [1, 3, 2], s: [2, 1, 2], first: true, more: { filters: 5 } },
]

const depthwise = slid('DepthwiseConv2D', (x, [kernel, bias], sliding) => plain.biased(plain.depthwise(x, kernel!, sliding), bias))
const depthwiseAt: readonly At[] = [
  { x: [4, 5, 3], k: [3, 2] }, { x: [5, 4, 5], k: [2, 2], s: 2, p: 'same', more: { depth_multiplier: 2 } }, { x: [5, 5, 17], k: [3, 3], d: 2, more: { use_bias: false } }, { x: [3, 4, 1], k: [1, 1], more: { depth_multiplier: 3 } },
  { x: [4, 4, 3], k: [2, 3], p: 'same', first: true, more: { depth_multiplier: 2 } }, { x: [7, 3, 2], k: [2, 1], s: [3, 2] },
]

const separable = (at: At): WindowedCase => slid(`SeparableConv${at.k.length}D`, (x, [kernel, pointwise, bias], sliding) => {
  const ones = sliding.sizes.map(() => 1)
  return plain.biased(plain.convolution(plain.depthwise(x, kernel!, sliding), pointwise!, { sizes: ones, strides: ones, dilations: ones, padding: 'valid' }), bias)
}, { filters: 4 })(at)
const separableAt: readonly At[] = [
  { x: [6, 3], k: [3], p: 'same', more: { depth_multiplier: 2 } }, { x: [7, 1], k: [2], s: 3, first: true }, { x: [4, 5, 3], k: [2, 2], more: { depth_multiplier: 3 } }, { x: [5, 4, 5], k: [3, 3], s: 2, p: 'same', first: true }, { x: [5, 5, 2], k: [2, 2], d: [2, 1] },
]

/** Keras' size of the result. */
function transposedLength(length: number, size: number, stride: number, dilation: number, padding: string, extra: number | null): number {
  const reach = size + (size - 1) * (dilation - 1)
  if (extra !== null) return (length - 1) * stride + reach - (padding === 'same' ? 2 * Math.floor(reach / 2) : 0) + extra
  return length * stride + (padding === 'valid' ? Math.max(reach - stride, 0) : 0)
}

const transposed = (at: At & { readonly extra?: number }): WindowedCase => slid(`Conv${at.k.length}DTranspose`, (x, [kernel, bias], sliding) => {
  const { sizes, strides, dilations, padding } = sliding
  const lengths = at.x.slice(0, -1).map((length, i) => transposedLength(length, sizes[i]!, strides[i]!, dilations[i]!, padding, at.extra ?? null))
  return plain.biased(plain.transposed(x, kernel!, sliding, lengths), bias)
}, { filters: 3, ...(at.extra !== undefined && { output_padding: at.k.map(() => at.extra!) }) })(at)
const transposedAt: readonly (At & { readonly extra?: number })[] = [
  { x: [3, 4, 3], k: [3, 2] }, { x: [3, 2, 5], k: [3, 3], s: 2, p: 'same' }, { x: [2, 3, 1], k: [2, 2], s: 3 }, { x: [2, 3, 2], k: [2, 2], s: 3, p: 'same' }, { x: [3, 3, 2], k: [3, 3], s: 2, extra: 1 }, { x: [3, 3, 2], k: [3, 3], s: 2, p: 'same', extra: 0 },
  { x: [3, 2, 2], k: [2, 2], s: 2, p: 'same', extra: 1, first: true }, { x: [3, 3, 2], k: [2, 3], d: 2 }, { x: [1, 1, 17], k: [4, 4], s: 2, more: { filters: 1, use_bias: false } }, { x: [2, 2, 16], k: [1, 1], more: { filters: 2 } },
  { x: [2, 1, 2, 2], k: [2, 2, 3], s: 2, p: 'same' }, { x: [2, 2, 2, 3], k: [2, 3, 1], s: [1, 2, 3], first: true, more: { filters: 2 } },
]

/** The bias has a number for each element of a sample, in the order of the result. */
const local = (at: At): WindowedCase => ({
  ...slid(`LocallyConnected${at.k.length}D`, (x) => x, { filters: 2 })(at),
  plain: (x, [kernel, bias]) => {
    const connected = (last: Tensor): Tensor => plain.locallyConnected(last, kernel!, slidingOf(at), at.first ?? false)
    return plain.biased(at.first ? plain.withChannelsFirst(x, connected) : connected(x), bias)
  },
})
const localAt: readonly At[] = [
  { x: [6, 3], k: [3] }, { x: [5, 1], k: [2], s: 3, more: { use_bias: false } }, { x: [4, 3, 2], k: [2, 2] }, { x: [5, 5, 3], k: [3, 1], s: 2, first: true }, { x: [2, 2, 1], k: [2, 2], more: { filters: 5 } }, { x: [3, 1, 1], k: [1, 1], more: { filters: 1 } },
]

const poolAt: readonly At[] = [
  { x: [6, 3], k: [2] }, { x: [7, 1], k: [3], s: 2, p: 'same' }, { x: [5, 17], k: [2], s: 3 }, { x: [4, 2], k: [4], p: 'same' }, { x: [1, 1], k: [1] }, { x: [5, 2], k: [2], s: 1, first: true },
  { x: [4, 6, 5], k: [2, 2] }, { x: [5, 5, 3], k: [2, 2] }, { x: [5, 4, 1], k: [3, 3], s: 2 }, { x: [5, 6, 2], k: [3, 2], s: 1, p: 'same' }, { x: [4, 4, 15], k: [2, 2], s: 2, p: 'same', first: true }, { x: [3, 7, 2], k: [1, 2], s: [2, 3] }, { x: [3, 3, 3], k: [3, 3] },
  { x: [4, 2, 3, 2], k: [2, 2, 2] }, { x: [3, 4, 3, 3], k: [2, 3, 2], s: [2, 1, 2], p: 'same' }, { x: [2, 3, 2, 2], k: [2, 1, 1], s: 1, first: true },
]

/** Axes of a margin option: [before, after] each. */
const margins = (name: string, option: string, x: readonly number[], by: readonly (readonly [number, number])[], sign: 1 | -1, first?: true): WindowedCase => {
  const rank = x.length - 1, value: JsonObject = { [option]: rank === 1 ? [...by[0]!] : by.map((m) => [...m]) }
  return layerCase(`${name}${rank}D`, value, { x, ...(first && { first }) }, (of) => {
    const lengths = x.slice(0, -1).map((n, i) => n + sign * (by[i]![0] + by[i]![1]))
    return plain.moved(of, lengths, (at) => {
      const from = at.map((p, i) => p - sign * by[i]![0])
      return from.every((p, i) => p >= 0 && p < x[i]!) ? from : null
    })
  })
}

const moves: readonly WindowedCase[] = [
  margins('ZeroPadding', 'padding', [4, 3], [[1, 2]], 1), margins('ZeroPadding', 'padding', [1, 1, 5], [[0, 1], [2, 0]], 1), margins('ZeroPadding', 'padding', [3, 2, 3], [[1, 1], [0, 3]], 1, true), margins('ZeroPadding', 'padding', [2, 1, 3, 2], [[1, 0], [0, 0], [2, 1]], 1),
  margins('Cropping', 'cropping', [6, 3], [[1, 2]], -1), margins('Cropping', 'cropping', [5, 4, 5], [[2, 2], [0, 3]], -1), margins('Cropping', 'cropping', [5, 4, 3], [[1, 0], [1, 1]], -1, true), margins('Cropping', 'cropping', [3, 4, 3, 2], [[1, 1], [0, 0], [2, 0]], -1),
  layerCase('UpSampling1D', { size: 3 }, { x: [3, 5] }, (x) => plain.moved(x, [9], ([i]) => [Math.floor(i! / 3)])),
  layerCase('UpSampling2D', { size: [2, 3] }, { x: [2, 3, 3] }, (x) => plain.moved(x, [4, 9], ([i, j]) => [Math.floor(i! / 2), Math.floor(j! / 3)])),
  layerCase('UpSampling2D', { size: [1, 2] }, { x: [3, 1, 17], first: true }, (x) => plain.moved(x, [3, 2], ([i, j]) => [i!, Math.floor(j! / 2)])),
  layerCase('UpSampling3D', { size: [2, 1, 2] }, { x: [2, 2, 1, 2] }, (x) => plain.moved(x, [4, 2, 2], ([i, j, k]) => [Math.floor(i! / 2), j!, Math.floor(k! / 2)])),
  layerCase('UpSampling2D', { size: [2, 3], interpolation: 'bilinear' }, { x: [3, 2, 3] }, (x) => plain.bilinear(x, [2, 3])),
  layerCase('UpSampling2D', { size: [4, 1], interpolation: 'bilinear' }, { x: [1, 3, 2], first: true }, (x) => plain.bilinear(x, [4, 1])),
]

/** Strides with dilation, and windows alone with what adds them up again. */
const sliding = (sizes: number[], strides: number[], dilations: number[], padding: Sliding['padding'] = 'valid'): Sliding => ({ sizes, strides, dilations, padding })
const dilated: readonly (readonly [x: readonly number[], Sliding])[] = [
  [[11, 3], sliding([3], [2], [3])], [[9, 2], sliding([2], [3], [2], 'same')], [[10, 1], sliding([3], [3], [4], 'causal')], [[7, 8, 3], sliding([2, 3], [2, 3], [3, 2])], [[6, 7, 2], sliding([3, 2], [2, 3], [2, 3], 'same')], [[8, 4, 5], sliding([2, 2], [5, 1], [1, 3])],
]
const F = 3

const dilatedCases: readonly WindowedCase[] = dilated.flatMap(([x, s]) => {
  const kernel = [...s.sizes, x.at(-1)!, F], title = JSON.stringify(s)
  return [
    opCase(`convolution ${title}`, x, kernel, (a, k) => ops.convolution(a, k, s), (a, k) => plain.convolution(a, k, s)),
    opCase(`depthwise ${title}`, x, kernel, (a, k) => ops.depthwiseConvolution(a, k, s), (a, k) => plain.depthwise(a, k, s)),
    ...(s.padding === 'causal' ? [] : [opCase(`max pooling ${title}`, x, [], (a) => ops.maxPooling(a, s), (a) => plain.maxPooling(a, s))].map(curved)),
  ]
})

/** Each element times the number of windows that hold it: windows, then their transpose. */
const counted: readonly WindowedCase[] = dilated.filter(([, s]) => s.padding === 'valid').map(([x, s]) =>
  opCase(`windows and back ${JSON.stringify(s)}`, x, [], (a) => {
    const axes = s.sizes.map((_, i) => i + 1)
    return b.overlapAdd(b.windows(a, { axes, ...s }), a.type.shape, { axes, ...s })
  }, (a) => {
    const times = new Map<number, number>()
    for (const taps of plain.windowsOf(x.slice(0, -1), s).windows) for (const { from } of taps) times.set(from, (times.get(from) ?? 0) + 1)
    const places = x.slice(0, -1).reduce((p, n) => p * n, 1), channels = x.at(-1)!
    return { shape: a.shape, data: a.data.map((v, i) => v * (times.get(Math.floor(i / channels) % places) ?? 0)) }
  }))

/** A convolution with relu and pooling of windows side by side, which are one kernel where the windows end where the picture does. */
const pooled: readonly { readonly x: readonly number[]; readonly k: readonly number[]; readonly filters: number; readonly pool: readonly number[]; readonly p?: 'same' }[] = [
  { x: [6, 6, 3], k: [3, 3], filters: 16, pool: [2, 2] }, { x: [5, 5, 2], k: [2, 2], filters: 17, pool: [2, 2] }, { x: [6, 4, 2], k: [3, 3], filters: 3, pool: [3, 2], p: 'same' }, { x: [4, 6, 16], k: [1, 1], filters: 5, pool: [2, 3] },
  { x: [6, 3, 2], k: [1, 2], filters: 4, pool: [3, 1] }, { x: [7, 6, 2], k: [2, 1], filters: 33, pool: [2, 2] }, { x: [4, 4, 3], k: [3, 3], filters: 2, pool: [4, 4], p: 'same' }, { x: [10, 3], k: [3], filters: 7, pool: [2] }, { x: [8, 5], k: [1], filters: 16, pool: [4] },
  { x: [6, 6, 1], k: [3, 3], filters: 1, pool: [2, 2] }, { x: [5, 4, 5, 2], k: [2, 1, 2], filters: 3, pool: [2, 2, 2] },
]
const pooledCases = pooled.flatMap(({ x, k, filters, pool, p }): WindowedCase[] => {
  const ones = k.map(() => 1), convolved = { sizes: k, strides: ones, dilations: ones, padding: p ?? 'valid' } as const, side = { sizes: pool, strides: pool, dilations: ones, padding: 'valid' } as const
  const ofNode = (a: Node, kernel: Node): Node => b.relu(ops.convolution(a, kernel, convolved))
  const ofTensor = (a: Tensor, kernel: Tensor): Tensor => { const y = plain.convolution(a, kernel, convolved); return { shape: y.shape, data: y.data.map((v) => Math.max(v, 0)) } }
  const title = `convolution ${k.join('×')} to ${filters}, relu, ${pool.join('×')}`, kernel = [...k, x.at(-1)!, filters]
  return [
    opCase(`${title} max pooling`, x, kernel, (a, w) => ops.maxPooling(ofNode(a, w), side), (a, w) => plain.maxPooling(ofTensor(a, w), side)),
    opCase(`${title} average pooling`, x, kernel, (a, w) => ops.averagePooling(ofNode(a, w), side), (a, w) => plain.averagePooling(ofTensor(a, w), side)),
  ].map(curved)
})

/** To one channel, whose rows are finished a vector at a time: runs that fill vectors, end in them, and several pictures. */
const single: readonly { readonly x: readonly number[]; readonly k: readonly number[]; readonly p?: 'same' }[] = [
  { x: [8, 8, 16], k: [3, 3], p: 'same' }, { x: [7, 9, 17], k: [3, 3] }, { x: [5, 4, 16], k: [1, 1] }, { x: [37, 16], k: [5] }, { x: [4, 5, 3], k: [2, 2], p: 'same' }, { x: [1, 1, 20], k: [1, 1] },
]
const singleCases = single.map(({ x, k, p }): WindowedCase => {
  const ones = k.map(() => 1), convolved = { sizes: k, strides: ones, dilations: ones, padding: p ?? 'valid' } as const
  const ofTensor = (a: Tensor, kernel: Tensor): Tensor => { const y = plain.convolution(a, kernel, convolved); return { shape: y.shape, data: y.data.map(Math.tanh) } }
  return curved(opCase(`convolution ${k.join('×')} to 1, tanh`, x, [...k, x.at(-1)!, 1], (a, w) => b.tanh(ops.convolution(a, w, convolved)), ofTensor))
})

export const windowedCases = (): WindowedCase[] => [
  ...pooledCases, ...singleCases,
  ...convolutions.map(convolution), ...depthwiseAt.map(depthwise), ...separableAt.map(separable).map(curved), ...transposedAt.map(transposed), ...localAt.map(local),
  ...poolAt.map(pool('MaxPooling', plain.maxPooling)).map(curved), ...poolAt.map(pool('AveragePooling', plain.averagePooling)), ...moves, ...dilatedCases, ...counted,
]
