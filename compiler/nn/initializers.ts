/** First values of weights. Seeded ones give the same numbers on every machine; without a seed the session's is used. */
import { allocate, type DType, type TypedArray } from '../../runtime/contract/dtype.js'
import { ValueError } from '../../runtime/contract/errors.js'
import { captureLocation } from '../support/capture.js'
import { configured, isConfigObject, make, numberOf, seedOf, serializeConfigured, type ConfigObject, type Configured, type JsonObject, type Makers } from './configured.js'
import { checkOptions } from './maker-options.js'
import { reprText } from './python-text.js'
import { fillNormal, fillTruncatedNormal, fillUniform, orthonormalColumns, type Stream } from './random-fill.js'
import { session, type CustomObjects } from './session.js'
import { toWeightValue, type WeightInput } from './weight.js'

/** Values for a weight of `shape`. A custom one may return nested lists. */
export type Initializer = (shape: readonly number[], dtype?: DType) => WeightInput
export type InitializerIdentifier = string | ConfigObject | Initializer
type Seeded = { readonly seed?: number | null }

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

function toArray(values: Float64Array, shape: readonly number[], dtype: DType): WeightInput {
  const data = allocate(dtype, values.length)
  data.set(values)
  return { data, shape, dtype }
}

/** An initializer without randomness. */
const fixed = (className: string, config: JsonObject, fill: (shape: readonly number[]) => Float64Array): Initializer & Configured =>
  configured(className, config, (shape: readonly number[], dtype: DType = 'float32') => toArray(fill(shape), shape, dtype))

/** An initializer whose stream is chosen at each call, so that weights made in one order always get the same numbers. */
const random = (className: string, config: JsonObject, fill: (shape: readonly number[], stream: Stream) => Float64Array): Initializer & Configured =>
  fixed(className, config, (shape) => fill(shape, session.nextDraw(seedOf(config))))

/** All zeros. */
export const Zeros = (): Initializer & Configured => fixed('Zeros', {}, (shape) => new Float64Array(elements(shape)))
/** All ones. */
export const Ones = (): Initializer & Configured => fixed('Ones', {}, (shape) => new Float64Array(elements(shape)).fill(1))
/** One value everywhere. */
export function Constant(options: { readonly value?: number } = {}): Initializer & Configured {
  const { value = 0 } = checkOptions('Constant', options, { value: 'number' })
  return fixed('Constant', { value }, (shape) => new Float64Array(elements(shape)).fill(value))
}

type NormalOptions = Seeded & { readonly mean?: number; readonly stddev?: number }
const normalKinds = { mean: 'number', stddev: 'number', seed: 'seed' } as const

/** Normally distributed values. */
export function RandomNormal(options: NormalOptions = {}): Initializer & Configured {
  const { mean = 0, stddev = 0.05, seed = null } = checkOptions('RandomNormal', options, normalKinds)
  return random('RandomNormal', { mean, stddev, seed }, (shape, stream) => fillNormal(elements(shape), stream).map((z) => mean + stddev * z))
}

/** Evenly distributed values in [minval, maxval). */
export function RandomUniform(options: Seeded & { readonly minval?: number; readonly maxval?: number } = {}): Initializer & Configured {
  const { minval = -0.05, maxval = 0.05, seed = null } = checkOptions('RandomUniform', options, { minval: 'number', maxval: 'number', seed: 'seed' })
  return random('RandomUniform', { minval, maxval, seed }, (shape, stream) => fillUniform(elements(shape), stream).map((u) => minval + (maxval - minval) * u))
}

/** Normal, drawn again beyond two deviations. */
export function TruncatedNormal(options: NormalOptions = {}): Initializer & Configured {
  const { mean = 0, stddev = 0.05, seed = null } = checkOptions('TruncatedNormal', options, normalKinds)
  return random('TruncatedNormal', { mean, stddev, seed }, (shape, stream) => fillTruncatedNormal(elements(shape), stream).map((z) => mean + stddev * z))
}

const modes = ['fan_in', 'fan_out', 'fan_avg'] as const
const distributions = ['normal', 'uniform'] as const
export type VarianceScalingOptions = Seeded & { readonly scale?: number; readonly mode?: string; readonly distribution?: string }

/** Standard deviation of a normal distribution cut at two deviations. */
const TRUNCATED_DEVIATION = 0.87962566103423978

/** Inputs and outputs of one unit: of a matrix its sides, of a kernel the channels times the window (channels last). */
function fansOf(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length === 2) return { fanIn: shape[0]!, fanOut: shape[1]! }
  if (shape.length >= 3 && shape.length <= 5) {
    const window = elements(shape.slice(0, -2))
    return { fanIn: shape.at(-2)! * window, fanOut: shape.at(-1)! * window }
  }
  const side = Math.sqrt(elements(shape))
  return { fanIn: side, fanOut: side }
}

function fanFor(mode: string, shape: readonly number[]): number {
  const { fanIn, fanOut } = fansOf(shape)
  return Math.max(1, mode === 'fan_in' ? fanIn : mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2)
}

/** Variance `scale / fan`. @throws ValueError for a scale that is not positive, an unknown mode or distribution. */
export function VarianceScaling(options: VarianceScalingOptions = {}): Initializer & Configured {
  const { scale = 1, mode = 'fan_in', distribution = 'normal', seed = null } = checkOptions('VarianceScaling', options, { scale: 'number', mode: 'text', distribution: 'text', seed: 'seed' })
  const [kept, drawn] = [mode.toLowerCase(), distribution.toLowerCase()]
  if (scale <= 0) throw new ValueError(`\`scale\` must be a positive float. Got: ${scale}`, captureLocation())
  if (!modes.some((m) => m === kept)) throw new ValueError(`Invalid \`mode\` argument: expected on of {"fan_in", "fan_out", "fan_avg"} but got ${mode}`, captureLocation())
  if (!distributions.some((d) => d === drawn)) throw new ValueError(`Invalid \`distribution\` argument: expected one of {"normal", "uniform"} but got ${distribution}`, captureLocation())
  return random('VarianceScaling', { scale, mode: kept, distribution: drawn, seed }, (shape, stream) => {
    const variance = scale / fanFor(kept, shape)
    if (drawn === 'uniform') return fillUniform(elements(shape), stream).map((u) => Math.sqrt(3 * variance) * (2 * u - 1))
    return fillTruncatedNormal(elements(shape), stream).map((z) => (Math.sqrt(variance) / TRUNCATED_DEVIATION) * z)
  })
}

const scaled = (maker: string, scale: number, mode: string, distribution: string) => (options: Seeded = {}): Initializer & Configured =>
  VarianceScaling({ scale, mode, distribution, seed: checkOptions(maker, options, { seed: 'seed' }).seed ?? null })
/** Uniform within ±sqrt(3 / fan in). */
export const lecunUniform = scaled('lecunUniform', 1, 'fan_in', 'uniform')
/** Truncated normal with variance 1 / fan in. */
export const lecunNormal = scaled('lecunNormal', 1, 'fan_in', 'normal')
/** Uniform within ±sqrt(6 / (fan in + fan out)): what kernels start from unless told otherwise. */
export const glorotUniform = scaled('glorotUniform', 1, 'fan_avg', 'uniform')
/** Truncated normal with variance 2 / (fan in + fan out). */
export const glorotNormal = scaled('glorotNormal', 1, 'fan_avg', 'normal')
/** Uniform within ±sqrt(6 / fan in). */
export const heUniform = scaled('heUniform', 2, 'fan_in', 'uniform')
/** Truncated normal with variance 2 / fan in. */
export const heNormal = scaled('heNormal', 2, 'fan_in', 'normal')

/** Rows or columns (whichever are fewer) orthonormal, all but the last axis taken as rows, times `gain`. */
export function Orthogonal(options: Seeded & { readonly gain?: number } = {}): Initializer & Configured {
  const { gain = 1, seed = null } = checkOptions('Orthogonal', options, { gain: 'number', seed: 'seed' })
  return random('Orthogonal', { gain, seed }, (shape, stream) => {
    const columns = shape.at(-1) ?? 1
    const rows = elements(shape) / columns
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
    const q = orthonormalColumns(long, short, stream)
    // A wide matrix is the transpose of a tall one, and column-major tall is row-major wide.
    return q.map((_, i) => gain * (rows < columns ? q[i]! : q[(i % columns) * rows + Math.floor(i / columns)]!))
  })
}

/** The identity matrix times `gain`. @throws ValueError for a weight that is not a matrix. */
export function Identity(options: { readonly gain?: number } = {}): Initializer & Configured {
  const { gain = 1 } = checkOptions('Identity', options, { gain: 'number' })
  return fixed('Identity', { gain }, (shape) => {
    if (shape.length !== 2) throw new ValueError('Identity matrix initializer can only be used for 2D matrices.')
    const [rows, columns] = shape as [number, number]
    const eye = new Float64Array(rows * columns)
    for (let i = 0; i < Math.min(rows, columns); i++) eye[i * columns + i] = gain
    return eye
  })
}

const textOf = (config: JsonObject, key: string, fallback: string): string => String(config[key] ?? fallback)
const withSeed = (maker: (o: Seeded) => Initializer) => (c: JsonObject): Initializer => maker({ seed: seedOf(c) })
const normalOf = (c: JsonObject): Required<NormalOptions> => ({ mean: numberOf(c, 'mean', 0), stddev: numberOf(c, 'stddev', 0.05), seed: seedOf(c) })
const uniform = (c: JsonObject): Initializer => RandomUniform({ minval: numberOf(c, 'minval', -0.05), maxval: numberOf(c, 'maxval', 0.05), seed: seedOf(c) })
const constant = (c: JsonObject): Initializer => Constant({ value: numberOf(c, 'value', 0) })
const normal = (c: JsonObject): Initializer => RandomNormal(normalOf(c))
const truncated = (c: JsonObject): Initializer => TruncatedNormal(normalOf(c))
const orthogonal = (c: JsonObject): Initializer => Orthogonal({ gain: numberOf(c, 'gain', 1), seed: seedOf(c) })
const identity = (c: JsonObject): Initializer => Identity({ gain: numberOf(c, 'gain', 1) })
const scaling = (c: JsonObject): Initializer =>
  VarianceScaling({ scale: numberOf(c, 'scale', 1), mode: textOf(c, 'mode', 'fan_in'), distribution: textOf(c, 'distribution', 'normal'), seed: seedOf(c) })

const makers: Makers<Initializer> = {
  Zeros, zeros: Zeros, zero: Zeros, Ones, ones: Ones, one: Ones, Constant: constant, constant,
  RandomNormal: normal, random_normal: normal, normal, RandomUniform: uniform, random_uniform: uniform, uniform,
  TruncatedNormal: truncated, truncated_normal: truncated, VarianceScaling: scaling, variance_scaling: scaling,
  Orthogonal: orthogonal, orthogonal, Identity: identity, identity,
  lecun_uniform: withSeed(lecunUniform), lecun_normal: withSeed(lecunNormal), glorot_uniform: withSeed(glorotUniform),
  glorot_normal: withSeed(glorotNormal), he_uniform: withSeed(heUniform), he_normal: withSeed(heNormal),
}

/** The initializer a name or configuration stands for, or the function given. @throws ValueError `Unknown initializer: glorot`. */
export function getInitializer(identifier: unknown, custom: CustomObjects = session.customObjects): Initializer {
  if (typeof identifier === 'string') return make('initializer', makers, identifier, {}, custom)
  if (typeof identifier === 'function') return identifier as Initializer
  if (isConfigObject(identifier)) return make('initializer', makers, identifier.class_name, identifier.config, custom)
  throw new ValueError(`Could not interpret initializer identifier: ${reprText(identifier)}`)
}

/**
 * The drawing of a weight's first value, deferred. The random stream is claimed now, so that the numbers do not depend
 * on the order in which weights are read. @throws ValueError when a custom initializer returns another size.
 */
export function deferredDraw(initializer: Initializer, shape: readonly number[], dtype: DType): () => TypedArray {
  const claimed = session.claimDraw()
  return () => {
    const { data } = toWeightValue(session.withDraw(claimed, () => initializer(shape, dtype)))
    if (data.length !== elements(shape)) throw new ValueError(`An initializer must return ${elements(shape)} values for shape [${shape.join(', ')}]; found ${data.length}.`)
    const value = allocate(dtype, data.length)
    value.set(data)
    return value
  }
}

/** The initializer a name or configuration stands for. */
export const get = getInitializer
/** How a configuration writes an initializer. */
export const serialize = serializeConfigured
/** The initializer a configuration describes. */
export const deserialize = getInitializer
