/** Convolutions and pooling against loops written straight from their definition, and their gradients, at sizes where they go wrong. */
import { describe, expect, test } from 'vitest'
import { addDims, isStatic, multiplyDims, symbol, type Dim } from '../../compiler/ir/dim.js'
import type { Node } from '../../compiler/ir/graph.js'
import * as b from '../../compiler/ops/build.js'
import * as conv from '../../compiler/ops/convolution.js'
import type { Sliding } from '../../compiler/ops/convolution.js'
import type { Tensor } from '../../compiler/ops/define-op.js'
import { gradients } from '../../compiler/ops/gradients.js'
import { interpret, type Values } from '../../compiler/ops/interpret.js'
import { f32 } from '../../compiler/ops/samples.js'
import { elementCount, positions, rowMajorStrides } from '../../compiler/ops/strides.js'
import { randomSource, randomTensor } from './values.js'

const run = (node: Node, inputs: Values, dims = {}): Tensor =>
  interpret({ name: 'f', inputs: [], outputs: [{ name: 'y', node }], updates: [] }, { inputs, dims, precision: 'f64' }).outputs['y']!

/** All positions of a shape. */
const every = (shape: readonly number[]): number[][] => {
  const along = shape.map((_, axis) => positions(shape, shape.map((__, i) => Number(i === axis))))
  return Array.from({ length: elementCount(shape) }, (_, e) => along.map((of) => of[e]!))
}
const at = ({ shape, data }: Tensor, index: readonly number[]): number => data[index.reduce((sum, i, axis) => sum + i * rowMajorStrides(shape)[axis]!, 0)]!

/** Elements before the first one, and the number of windows, as TensorFlow documents them. */
function layout(length: number, i: number, { sizes, strides, dilations, padding }: Sliding): { before: number; count: number } {
  const reach = (sizes[i]! - 1) * dilations[i]! + 1, stride = strides[i]!
  if (padding === 'valid') return { before: 0, count: Math.ceil((length - reach + 1) / stride) }
  const count = Math.ceil(length / stride)
  return { count, before: padding === 'causal' ? reach - 1 : Math.floor(Math.max((count - 1) * stride + reach - length, 0) / 2) }
}

/** For each window: its position, and for each place in it the source, or null where there is padding. */
function eachWindow(x: Tensor, sliding: Sliding): { windows: number[][]; counts: number[]; source: (window: readonly number[], place: readonly number[]) => number[] | null } {
  const laid = sliding.sizes.map((_, i) => layout(x.shape[i + 1]!, i, sliding))
  const counts = laid.map((l) => l.count)
  const source = (window: readonly number[], place: readonly number[]): number[] | null => {
    const found = place.map((k, i) => window[i]! * sliding.strides[i]! + k * sliding.dilations[i]! - laid[i]!.before)
    return found.every((h, i) => h >= 0 && h < x.shape[i + 1]!) ? found : null
  }
  return { windows: every(counts), counts, source }
}

/** result[b, ...window, r] from the sources of each place of the window. */
function overWindows(x: Tensor, sliding: Sliding, results: number, f: (sample: number, found: { place: number[]; at: number[] | null }[], r: number, window: number[]) => number): number[] {
  const { windows, source } = eachWindow(x, sliding)
  return Array.from({ length: x.shape[0]! }, (_, sample) => windows.flatMap((window) => {
    const found = every(sliding.sizes).map((place) => ({ place, at: source(window, place) }))
    return Array.from({ length: results }, (__, r) => f(sample, found, r, window))
  })).flat()
}
const sum = (values: readonly number[]): number => values.reduce((a, c) => a + c, 0)

type Case = { readonly x: number[]; readonly sliding: Sliding }
const slidingOf = (sizes: number[], padding: Sliding['padding'] = 'valid', strides = 1, dilations = 1): Sliding =>
  ({ sizes, strides: sizes.map(() => strides), dilations: sizes.map(() => dilations), padding })

const cases: Case[] = [
  { x: [2, 7, 3], sliding: slidingOf([3]) }, { x: [1, 5, 1], sliding: slidingOf([5]) }, { x: [2, 6, 2], sliding: slidingOf([2], 'same') },
  { x: [2, 6, 2], sliding: slidingOf([4], 'same', 2) }, { x: [2, 7, 2], sliding: slidingOf([2], 'valid', 3) }, { x: [1, 8, 2], sliding: slidingOf([3], 'causal', 1, 2) },
  { x: [1, 7, 2], sliding: slidingOf([3], 'causal', 2) }, { x: [3, 9, 1], sliding: slidingOf([2], 'same', 1, 3) }, { x: [1, 1, 1], sliding: slidingOf([1]) },
  { x: [1, 1, 3], sliding: slidingOf([3], 'same') }, { x: [2, 5, 4, 3], sliding: slidingOf([3, 2]) }, { x: [1, 4, 5, 2], sliding: slidingOf([2, 3], 'same') },
  { x: [1, 5, 7, 2], sliding: slidingOf([2, 2], 'same', 3) }, { x: [2, 6, 6, 1], sliding: slidingOf([1, 1], 'valid', 2) },
  { x: [1, 7, 6, 17], sliding: slidingOf([2, 2], 'valid', 2, 2) }, { x: [1, 3, 4, 3, 2], sliding: slidingOf([2, 2, 2], 'same', 2) }, { x: [0, 4, 2], sliding: slidingOf([2]) },
]

/** Elements of the gradient to `x0` and `x1`, if there is one, against differences. */
function checkGradients(f: (inputs: readonly Node[]) => Node, values: Values): void {
  const inputs = Object.entries(values).map(([name, { shape }]) => b.input(name, f32(...shape)))
  const y = f(inputs), weights = randomTensor(y.type, randomSource(9), [-1, 1])
  const total = b.sum(b.mul(y, b.input('w', y.type)))
  const score = (moved: Values): number => run(total, { ...moved, w: weights }).data[0]!
  gradients(total, null, inputs).forEach((g, i) => {
    const name = `x${i}`, analytic = run(g!, { ...values, w: weights }).data, { shape, data } = values[name]!
    for (let e = 0; e < data.length; e += Math.max(1, Math.floor(data.length / 5))) {
      const moved = (by: number): number => score({ ...values, [name]: { shape, data: data.with(e, data[e]! + by) } })
      expect(Math.abs((moved(1e-5) - moved(-1e-5)) / 2e-5 - analytic[e]!), `${name}[${e}]`).toBeLessThan(1e-6)
    }
  })
}

/** `f` of `x0` and of a kernel `x1` against `expected`, with its gradients. */
function check(f: (inputs: readonly Node[]) => Node, values: Values, expected: readonly number[]): void {
  const inputs = Object.entries(values).map(([name, { shape }]) => b.input(name, f32(...shape)))
  const found = run(f(inputs), values).data
  expect(found.length).toBe(expected.length)
  found.forEach((y, e) => expect(Math.abs(y - expected[e]!)).toBeLessThan(1e-9))
  checkGradients(f, values)
}

describe.each(cases.map((c) => [JSON.stringify(c), c] as const))('%s', (_title, { x: shape, sliding }) => {
  const random = randomSource(4), channels = shape.at(-1)!
  const x = randomTensor(f32(...shape), random)

  test('convolution', () => {
    const kernel = randomTensor(f32(...sliding.sizes, channels, 2), random)
    check(([a, k]) => conv.convolution(a!, k!, sliding), { x0: x, x1: kernel }, overWindows(x, sliding, 2, (sample, found, filter) =>
      sum(found.flatMap(({ place, at: from }) => (from ? Array.from({ length: channels }, (__, c) => at(x, [sample, ...from, c]) * at(kernel, [...place, c, filter])) : [])))))
  })

  test.each([1, 2])('depthwise, %i for each channel', (multiplier) => {
    const kernel = randomTensor(f32(...sliding.sizes, channels, multiplier), random)
    check(([a, k]) => conv.depthwiseConvolution(a!, k!, sliding), { x0: x, x1: kernel }, overWindows(x, sliding, channels * multiplier, (sample, found, r) => {
      const [c, m] = [Math.floor(r / multiplier), r % multiplier]
      return sum(found.map(({ place, at: from }) => (from ? at(x, [sample, ...from, c]) * at(kernel, [...place, c, m]) : 0)))
    }))
  })

  if (sliding.padding !== 'causal') test('pooling', () => {
    const inside = (sample: number, found: { at: number[] | null }[], c: number): number[] => found.flatMap(({ at: from }) => (from ? [at(x, [sample, ...from, c])] : []))
    check(([a]) => conv.maxPooling(a!, sliding), { x0: x }, overWindows(x, sliding, channels, (s, found, c) => Math.max(...inside(s, found, c))))
    if (sliding.dilations[0] !== 1) return
    check(([a]) => conv.averagePooling(a!, sliding), { x0: x }, overWindows(x, sliding, channels, (s, found, c) => sum(inside(s, found, c)) / inside(s, found, c).length))
  })

  if (sliding.padding !== 'causal') test('a transposed convolution is the gradient of a convolution', () => {
    const kernel = randomTensor(f32(...sliding.sizes, channels, 2), random)
    const [a, k] = [b.input('x0', f32(...shape)), b.input('x1', f32(...kernel.shape))]
    const y = conv.convolution(a, k, sliding), seed = randomTensor(y.type, random)
    const s = b.input('s', y.type), values = { x0: x, x1: kernel, s: seed }
    const lengths = shape.slice(1, -1)
    const transposed = run(conv.transposedConvolution(s, k, sliding, lengths), values)
    const gradient = run(gradients(y, s, [a])[0]!, values)
    expect(transposed.shape).toEqual(gradient.shape)
    gradient.data.forEach((g, e) => expect(Math.abs(g - transposed.data[e]!)).toBeLessThan(1e-9))
  })
})

/** The same sums of doubles, perhaps in another order. */
function expectNear(found: Tensor, wanted: Tensor): void {
  expect(found.shape).toEqual(wanted.shape)
  found.data.forEach((v, i) => expect(Math.abs(v - wanted.data[i]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(wanted.data[i]!))))
}

describe('sizes that are not known', () => {
  const length: Dim = symbol('T')
  const x = b.input('x0', { dtype: 'float32', shape: [2, length, 3] }), kernel = b.input('x1', f32(3, 3, 2))

  test.each(['valid', 'same', 'causal'] as const)('%s gives what it gives for the size', (padding) => {
    const sliding = slidingOf([3], padding, 1, 2), fixed = b.input('x0', f32(2, 8, 3))
    const values = { x0: randomTensor(f32(2, 8, 3), randomSource(1)), x1: randomTensor(kernel.type, randomSource(2)) }
    const score = (of: Node): Node => b.sum(b.mul(conv.convolution(of, kernel, sliding), conv.convolution(of, kernel, sliding)))
    const open = conv.convolution(x, kernel, sliding)
    expect(open.type.shape.map(isStatic)).toEqual([true, false, true])
    expect(run(open, values, { T: 8 })).toEqual(run(conv.convolution(fixed, kernel, sliding), values))
    const slope = (of: Node): Node => gradients(score(of), null, [of])[0]!
    expectNear(run(slope(x), values, { T: 8 }), run(slope(fixed), values))
  })

  const strided = [[1, 2], [2, 2], [3, 2], [5, 2], [2, 3], [3, 3], [2, 5], [4, 3]].flatMap(([size, stride]) =>
    (['valid', 'same', 'causal'] as const).map((padding) => ({ size: size!, stride: stride!, padding })))

  test.each(strided)('windows of $size every $stride, $padding: convolution, pooling and their gradients', ({ size, stride, padding }) => {
    const sliding = slidingOf([size], padding, stride), weights = b.input('x1', f32(size, 3, 2))
    const functions = [
      (of: Node): Node => conv.convolution(of, weights, sliding),
      ...(padding === 'causal' ? [] : [(of: Node): Node => conv.maxPooling(of, sliding), (of: Node): Node => conv.averagePooling(of, sliding)]),
    ]
    for (const steps of [size, size + 1, size + 2, 7, 8, 9, 12]) {
      const fixed = b.input('x0', f32(2, steps, 3)), values = { x0: randomTensor(fixed.type, randomSource(steps)), x1: randomTensor(weights.type, randomSource(2)) }
      for (const f of functions) {
        expectNear(run(f(x), values, { T: steps }), run(f(fixed), values))
        const slope = (of: Node): Node => gradients(b.sum(b.mul(f(of), f(of))), null, [of])[0]!
        expectNear(run(slope(x), values, { T: steps }), run(slope(fixed), values))
      }
    }
  })

  test.each(['valid', 'same'] as const)('transposed: %s', (padding) => {
    for (const stride of [1, 2, 3]) {
      const sliding = slidingOf([3], padding, stride), weights = b.input('x1', f32(3, 2, 3))
      const longer = (count: Dim): Dim => addDims(multiplyDims(count, stride), padding === 'valid' ? Math.max(3 - stride, 0) : 0)
      for (const steps of [1, 2, 5]) {
        const fixed = b.input('x0', f32(2, steps, 3)), values = { x0: randomTensor(fixed.type, randomSource(steps)), x1: randomTensor(weights.type, randomSource(2)) }
        const f = (of: Node): Node => conv.transposedConvolution(of, weights, sliding, [longer(of.type.shape[1]!)])
        expectNear(run(f(x), values, { T: steps }), run(f(fixed), values))
      }
    }
  })
})
