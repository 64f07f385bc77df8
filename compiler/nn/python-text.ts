/** Values as Python prints them: Keras' messages and summaries show shapes as tuples and arrays as numpy does. */
import type { TypedArray } from '../../runtime/contract/dtype.js'

/** `(None, 512)`, `(3,)`, `()`. */
export const tupleText = (shape: readonly (number | null)[]): string =>
  shape.length === 1 ? `(${dimText(shape[0]!)},)` : `(${shape.map(dimText).join(', ')})`

const dimText = (dim: number | null): string => (dim === null ? 'None' : String(dim))

/** A shape, or a list of shapes. */
export const shapesText = (shapes: readonly (readonly (number | null)[])[]): string => `[${shapes.map(tupleText).join(', ')}]`

type Arrayish = { readonly data: TypedArray; readonly shape: readonly number[] }
const isArrayish = (x: unknown): x is Arrayish =>
  typeof x === 'object' && x !== null && 'data' in x && 'shape' in x && ArrayBuffer.isView(x.data) && Array.isArray(x.shape)

/** `repr(value)`. */
export function reprText(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (typeof value === 'function') return value.name === '' ? '<function>' : value.name
  if (isArrayish(value)) return numpyText(value)
  if (Array.isArray(value)) return `[${value.map(reprText).join(', ')}]`
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return `{${Object.entries(value).map(([k, v]) => `${reprText(k)}: ${reprText(v)}`).join(', ')}}`
  }
  return String(value)
}

/** Elements of an axis that numpy prints from either end of an array of more than a thousand elements. */
const EDGE = 3

/** `array([[0., 0.],\n       [0., 0.]])`. */
export function numpyText({ data, shape }: Arrayish): string {
  const number = numberFormat(data)
  const summarize = data.length > 1000
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
  const axis = (level: number, offset: number): string => {
    if (level === shape.length) return number(data[offset]!)
    const size = shape[level]!
    const at = (i: number): string => axis(level + 1, offset + i * strides[level]!)
    const range = (from: number, to: number): string[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => at(from + i))
    const parts = summarize && size > 2 * EDGE ? [...range(0, EDGE), '...', ...range(size - EDGE, size)] : range(0, size)
    const depth = shape.length - 1 - level
    const separator = depth === 0 ? ', ' : `,${'\n'.repeat(depth)}${' '.repeat(7 + level)}`
    return `[${parts.join(separator)}]`
  }
  return `array(${axis(0, 0)}${data instanceof Float32Array ? ', dtype=float32' : ''})`
}

/** Numbers of one array share a width, as in numpy. */
function numberFormat(data: TypedArray): (value: number) => string {
  const float = data instanceof Float32Array || data instanceof Float64Array
  const plain = (value: number): string => {
    if (!float) return String(value)
    const text = String(Number(value.toPrecision(8)))
    return text.includes('.') || !Number.isFinite(value) ? text : `${text}.`
  }
  const texts = data.length > 1000 ? [] : Array.from(data, plain)
  const whole = Math.max(0, ...texts.map((t) => t.split('.')[0]!.length))
  const fraction = Math.max(0, ...texts.map((t) => (t.split('.')[1] ?? '').length))
  return (value) => {
    const [before, after] = plain(value).split('.')
    return float ? `${before!.padStart(whole)}.${(after ?? '').padEnd(fraction)}` : before!.padStart(whole)
  }
}
