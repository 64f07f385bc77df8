/**
 * What layers with windows compute, written from their definitions as loops over all places of all windows, in double
 * precision. Channels are last here. Nothing of the compiler is used but the type of a tensor.
 */
import type { Tensor } from '../../../compiler/ops/define-op.js'

/** Options of Keras, one entry for each spatial axis. */
export type Sliding = { readonly sizes: readonly number[]; readonly strides: readonly number[]; readonly dilations: readonly number[]; readonly padding: 'valid' | 'same' | 'causal' }

const product = (list: readonly number[]): number => list.reduce((a, c) => a * c, 1)

/** All positions of a shape in row-major order. */
export const every = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((found, size) => found.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])), [[]])

const flat = (at: readonly number[], shape: readonly number[]): number => at.reduce((sum, i, axis) => sum * shape[axis]! + i, 0)

/** Windows along an axis, and elements before the first one, as TensorFlow documents them. */
function along(length: number, i: number, { sizes, strides, dilations, padding }: Sliding): { count: number; before: number } {
  const reach = (sizes[i]! - 1) * dilations[i]! + 1, stride = strides[i]!
  if (padding === 'valid') return { count: Math.ceil((length - reach + 1) / stride), before: 0 }
  const count = Math.ceil(length / stride)
  return { count, before: padding === 'causal' ? reach - 1 : Math.floor(Math.max((count - 1) * stride + reach - length, 0) / 2) }
}

/** One place of a window that lies inside: which element, which entry of the kernel. */
type Tap = { readonly from: number; readonly place: number }

/** For each window in row-major order its places inside an input of `lengths`. */
export function windowsOf(lengths: readonly number[], sliding: Sliding): { readonly counts: readonly number[]; readonly windows: readonly (readonly Tap[])[] } {
  const laid = lengths.map((length, i) => along(length, i, sliding)), counts = laid.map((l) => l.count)
  const places = every(sliding.sizes)
  const windows = every(counts).map((window) => places.flatMap((place, k): Tap[] => {
    const at = place.map((p, i) => window[i]! * sliding.strides[i]! + p * sliding.dilations[i]! - laid[i]!.before)
    return at.every((h, i) => h >= 0 && h < lengths[i]!) ? [{ from: flat(at, lengths), place: k }] : []
  }))
  return { counts, windows }
}

const lengthsOf = (x: Tensor): number[] => x.shape.slice(1, -1)
const channelsOf = (x: Tensor): number => x.shape.at(-1)!

/** The element of sample `b` at flat spatial position `at`, channel `c`. */
const element = (x: Tensor, b: number, at: number, c: number): number => x.data[(b * product(lengthsOf(x)) + at) * channelsOf(x) + c]!

function filled(shape: readonly number[], value: (b: number, at: number, c: number) => number): Tensor {
  const [batch, ...rest] = shape, channels = rest.pop()!, places = product(rest)
  const data = new Float64Array(product(shape))
  for (let b = 0; b < batch!; b++) for (let at = 0; at < places; at++) for (let c = 0; c < channels; c++) data[(b * places + at) * channels + c] = value(b, at, c)
  return { shape, data }
}

/** Kernel [...sizes, C, F]. */
export function convolution(x: Tensor, kernel: Tensor, sliding: Sliding): Tensor {
  const { counts, windows } = windowsOf(lengthsOf(x), sliding), C = channelsOf(x), F = channelsOf(kernel)
  return filled([x.shape[0]!, ...counts, F], (b, o, f) => {
    let sum = 0
    for (const { from, place } of windows[o]!) for (let c = 0; c < C; c++) sum += element(x, b, from, c) * kernel.data[(place * C + c) * F + f]!
    return sum
  })
}

/** Kernel [...sizes, C, M]: result channel c * M + m. */
export function depthwise(x: Tensor, kernel: Tensor, sliding: Sliding): Tensor {
  const { counts, windows } = windowsOf(lengthsOf(x), sliding), C = channelsOf(x), M = channelsOf(kernel)
  return filled([x.shape[0]!, ...counts, C * M], (b, o, r) =>
    windows[o]!.reduce((sum, { from, place }) => sum + element(x, b, from, Math.floor(r / M)) * kernel.data[place * C * M + r]!, 0))
}

/** Kernel [...sizes, F, C], result of `lengths`: each element adds its window to where a convolution of the result reads it. */
export function transposed(x: Tensor, kernel: Tensor, sliding: Sliding, lengths: readonly number[]): Tensor {
  const { counts, windows } = windowsOf(lengths, sliding), C = channelsOf(x), F = kernel.shape.at(-2)!
  if (counts.join() !== lengthsOf(x).join()) throw new Error(`a convolution of ${lengths.join()} has ${counts.join()} windows, not ${lengthsOf(x).join()}`)
  const y = filled([x.shape[0]!, ...lengths, F], () => 0), size = product(lengths)
  for (let b = 0; b < x.shape[0]!; b++) windows.forEach((taps, o) => {
    for (const { from, place } of taps) for (let f = 0; f < F; f++) for (let c = 0; c < C; c++) {
      y.data[(b * size + from) * F + f]! += element(x, b, o, c) * kernel.data[(place * F + f) * C + c]!
    }
  })
  return y
}

/** NaNs are passed over; of nothing else the least float32. */
export function maxPooling(x: Tensor, sliding: Sliding): Tensor {
  const { counts, windows } = windowsOf(lengthsOf(x), sliding)
  return filled([x.shape[0]!, ...counts, channelsOf(x)], (b, o, c) => {
    let best = -3.4028234663852886e38
    for (const { from } of windows[o]!) if (element(x, b, from, c) > best) best = element(x, b, from, c)
    return best
  })
}

/** What lies outside counts for nothing. */
export function averagePooling(x: Tensor, sliding: Sliding): Tensor {
  const { counts, windows } = windowsOf(lengthsOf(x), sliding)
  return filled([x.shape[0]!, ...counts, channelsOf(x)], (b, o, c) => windows[o]!.reduce((sum, { from }) => sum + element(x, b, from, c), 0) / windows[o]!.length)
}

/** Kernel [positions, values of a window, F], those values ordered [...sizes, C], or [C, ...sizes]. */
export function locallyConnected(x: Tensor, kernel: Tensor, sliding: Sliding, channelsFirst: boolean): Tensor {
  const { counts, windows } = windowsOf(lengthsOf(x), sliding), C = channelsOf(x), F = channelsOf(kernel), K = product(sliding.sizes)
  return filled([x.shape[0]!, ...counts, F], (b, o, f) => {
    let sum = 0
    for (const { from, place } of windows[o]!) for (let c = 0; c < C; c++) {
      sum += element(x, b, from, c) * kernel.data[(o * K * C + (channelsFirst ? c * K + place : place * C + c)) * F + f]!
    }
    return sum
  })
}

/** Element `at` of the result is the element of `x` at `source(at)`, spatial positions; 0 where that is null. */
export function moved(x: Tensor, lengths: readonly number[], source: (at: readonly number[]) => readonly number[] | null): Tensor {
  const from = every(lengths).map((at) => { const found = source(at); return found && flat(found, lengthsOf(x)) })
  return filled([x.shape[0]!, ...lengths, channelsOf(x)], (b, at, c) => (from[at] === null ? 0 : element(x, b, from[at]!, c)))
}

/** Between neighbours along each axis of an image: row i of the result is at i / factor, the last row goes on. */
export function bilinear(x: Tensor, factors: readonly number[]): Tensor {
  const lengths = lengthsOf(x), larger = lengths.map((n, i) => n * factors[i]!)
  const at = every(larger)
  return filled([x.shape[0]!, ...larger, channelsOf(x)], (b, o, c) => every([2, 2]).reduce((sum, corner) => {
    const near = at[o]!.map((p, i) => Math.floor(p / factors[i]!))
    const share = product(corner.map((side, i) => { const part = (at[o]![i]! % factors[i]!) / factors[i]!; return side === 1 ? part : 1 - part }))
    return sum + share * element(x, b, flat(near.map((n, i) => Math.min(n + corner[i]!, lengths[i]! - 1)), lengths), c)
  }, 0))
}

/** `x` plus the numbers of `bias` over and over: one for each channel, or one for each element of a sample. */
export const biased = (x: Tensor, bias: Tensor | undefined): Tensor =>
  (bias ? { shape: x.shape, data: x.data.map((v, i) => v + bias.data[i % bias.data.length]!) } : x)

/** Axis i of the result is axis `perm[i]`. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((p) => x.shape[p]!)
  return { shape, data: Float64Array.from(every(shape), (at) => x.data[flat(x.shape.map((_, axis) => at[perm.indexOf(axis)]!), x.shape)]!) }
}

/** A function of channels-last tensors on one with its channels first. */
export function withChannelsFirst(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const rank = x.shape.length, inner = Array.from({ length: rank - 2 }, (_, i) => i + 1)
  return transpose(f(transpose(x, [0, ...inner.map((i) => i + 1), 1])), [0, rank - 1, ...inner])
}
